//! Reads the entries of a `.eval` file: a ZIP archive with entries that are stored, deflated or, in newer
//! versions, compressed with Zstandard.

use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

/// Maximum size of an entry in bytes. A larger entry is refused before it is unpacked.
const MOST_BYTES: u64 = 4 << 30;

/// An archive in memory.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Archive<'a> {
    /// Opens an archive. `Err` is the reason for a failure.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let zip = ZipArchive::new(Cursor::new(bytes));
        let zip = zip.map_err(|error| {
            format!(
                "is not a complete archive ({error}); the file may be \
                                               truncated"
            )
        })?;
        Ok(Self { zip })
    }

    /// The names of the entries, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect()
    }

    /// The content of an entry.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let fault = |why: &dyn std::fmt::Display| format!("{name} cannot be read ({why})");
        let index = self.zip.index_for_name(name).ok_or_else(|| format!("has no {name}"))?;
        let mut entry = self.zip.by_index_raw(index).map_err(|error| fault(&error))?;
        let (size, crc, method) = (entry.size(), entry.crc32(), entry.compression());
        if size > MOST_BYTES {
            return Err(fault(&format!("it has {size} bytes, too many")));
        }
        let mut packed = vec![];
        entry.read_to_end(&mut packed).map_err(|error| fault(&error))?;
        let mut bytes = vec![];
        let most = size.saturating_add(1);
        let unpacked = if method == CompressionMethod::STORE {
            packed.as_slice().take(most).read_to_end(&mut bytes)
        } else if method == CompressionMethod::DEFLATE {
            flate2::read::DeflateDecoder::new(packed.as_slice()).take(most).read_to_end(&mut bytes)
        } else if method == CompressionMethod::ZSTD {
            let mut packed = packed.as_slice();
            let decoder = ruzstd::decoding::StreamingDecoder::new(&mut packed);
            decoder.map_err(|error| fault(&error))?.take(most).read_to_end(&mut bytes)
        } else {
            return Err(fault(&format!("compression {method}")));
        };
        unpacked.map_err(|error| fault(&error))?;
        if bytes.len() as u64 != size || crc32fast::hash(&bytes) != crc {
            return Err(fault(&"its size or checksum is wrong"));
        }
        Ok(bytes)
    }
}
