//! Converts the bytes of a file to text. Decompresses gzip. If a file is not text, the error names its
//! format.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// Maximum decompressed size in bytes, because a small file can decompress to any size.
const MAX_DECOMPRESSED: u64 = 1 << 30;

/// Formats that are not text: the first bytes of a file, the name of the format and what to do.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive (or an Office document); unpack it, or save it as CSV"),
    (b"PAR1", "a Parquet file; write its texts as JSON lines or CSV"),
    (b"ARROW1", "an Arrow file; write its texts as JSON lines or CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; decompress it, or use gzip"),
    (b"BZh", "compressed by bzip2; decompress it, or use gzip"),
    (b"\xfd7zXZ\x00", "compressed by xz; decompress it, or use gzip"),
    (b"%PDF", "a PDF; extract its text"),
    (b"SQLite format 3", "an SQLite database; write its texts as JSON lines or CSV"),
    (b"\xff\xfe", "UTF-16; save the file as UTF-8"),
    (b"\xfe\xff", "UTF-16; save the file as UTF-8"),
];

/// The text of a file, without a byte order mark.
///
/// # Errors
/// [`Error::Corpus`] for a format that is not text and for a damaged or too large gzip file; [`Error::Csv`]
/// with the line of the first byte that is not UTF-8.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String> {
    let bytes = if bytes.starts_with(b"\x1f\x8b") { decompressed(path, &bytes)? } else { bytes };
    let name = || path.display().to_string();
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Error::Corpus { name: name(), reason: format!("is {what}") });
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if bytes.contains(&0) {
        let reason = "contains NUL bytes, as binary files and UTF-16 do; save the file as UTF-8".into();
        return Err(Error::Corpus { name: name(), reason });
    }
    std::str::from_utf8(&bytes[start..]).map(ToOwned::to_owned).map_err(|fault| {
        let before = &bytes[start..start + fault.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        Error::Csv { path: path.into(), line, reason: "is not UTF-8; save the file as UTF-8".into() }
    })
}

fn decompressed(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let fault = |reason: String| Error::Corpus { name: path.display().to_string(), reason };
    let mut out = vec![];
    let read = MultiGzDecoder::new(bytes).take(MAX_DECOMPRESSED + 1).read_to_end(&mut out);
    read.map_err(|source| fault(format!("is a damaged gzip file ({source}); compress it again")))?;
    if out.len() as u64 > MAX_DECOMPRESSED {
        return Err(fault(format!(
            "decompresses to more than {MAX_DECOMPRESSED} bytes; decompress it first"
        )));
    }
    Ok(out)
}
