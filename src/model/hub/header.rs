//! Downloads the headers of safetensors and GGUF files from a hub, without the weights.

use std::collections::BTreeSet;

use super::download::Downloads;
use crate::error::Result;
use crate::model::weights::{FileHeader, gguf};

/// Number of bytes in the first request. Most headers are shorter.
const FIRST_BYTES: u64 = 1 << 16;
/// Maximum header size in bytes, as in the safetensors library.
const MOST_BYTES: u64 = 100_000_000;

/// The headers of the safetensors files among `files`.
pub(super) fn read(downloads: &Downloads, commit: &str, files: &BTreeSet<String>) -> Result<Vec<FileHeader>> {
    let connection = downloads.connection;
    let safetensors = files.iter().filter(|file| file.ends_with(".safetensors"));
    let header = |name: &String| {
        let url = connection.url_of_file(commit, name);
        let meta = downloads.meta_of(name, &url)?;
        let mut bytes = connection.with_retries(name, || connection.head(&url, FIRST_BYTES))?;
        let length = bytes.first_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length));
        let end = length.saturating_add(8);
        if end > bytes.len() as u64 && length <= MOST_BYTES {
            bytes = connection.with_retries(name, || connection.head(&url, end))?;
        }
        let sha256 = Some(meta.etag.to_ascii_lowercase()).filter(|etag| etag.len() == 64);
        Ok(FileHeader {
            name: name.clone(),
            len: meta.size_bytes.unwrap_or(bytes.len() as u64),
            bytes,
            sha256,
        })
    };
    safetensors.map(header).collect()
}

/// Number of bytes in the first request for a GGUF file, whose header includes the vocabulary.
const FIRST_GGUF_BYTES: u64 = 4 << 20;
/// Maximum header size in bytes. The headers of published files are much smaller.
const MOST_GGUF_BYTES: u64 = 1 << 30;

/// The headers of the parts of a GGUF file. Requests more and more bytes until each header is complete.
pub(super) fn read_gguf(downloads: &Downloads, commit: &str, parts: &[String]) -> Result<Vec<FileHeader>> {
    let connection = downloads.connection;
    let header = |name: &String| {
        let url = connection.url_of_file(commit, name);
        let meta = downloads.meta_of(name, &url)?;
        let sha256 = Some(meta.etag.to_ascii_lowercase()).filter(|etag| etag.len() == 64);
        let mut header = FileHeader { name: name.clone(), bytes: vec![], len: 0, sha256 };
        let mut ask = FIRST_GGUF_BYTES;
        loop {
            header.bytes = connection.with_retries(name, || connection.head(&url, ask))?;
            let got = header.bytes.len() as u64;
            header.len = meta.size_bytes.unwrap_or(got);
            ask = match gguf::bytes_of_description(&header)? {
                Some(needed) if needed <= got => return Ok(header),
                Some(needed) if needed <= MOST_GGUF_BYTES && got == ask => needed,
                None if got == ask && ask < MOST_GGUF_BYTES => 4 * ask,
                _ => {
                    return Err(connection.fault(format!(
                        "{name} ends before its header is complete: the file on the hub is damaged; use \
                         another file"
                    )));
                }
            };
        }
    };
    parts.iter().map(header).collect()
}
