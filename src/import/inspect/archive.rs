//! Reads the entries of a `.eval` file. The file is a ZIP archive whose entries are stored, deflated or, in
//! newer versions of Inspect, compressed with Zstandard.

use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use crate::provider::json;

/// Maximum size of an unpacked entry in bytes, and maximum ratio of this size to the entry's size in the
/// archive. Both limits are checked before an entry is unpacked.
const MOST_BYTES: u64 = 512 << 20;
const MOST_TIMES: u64 = 1000;
/// Maximum size in bytes of all unpacked entries together, and maximum number of their JSON values. Each
/// limit is a constant plus a number per byte of the archive.
const ALL_BYTES: (u64, u64) = (512 << 20, 100);
const ALL_VALUES: (u64, u64) = (4 << 20, 8);

/// An archive in memory.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Number of bytes that may still be unpacked.
    bytes_left: u64,
    values_left: u64,
}

impl<'a> Archive<'a> {
    /// Opens an archive. If it cannot be read, returns the reason.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| format!("is not a complete archive ({error}); the file may be truncated"))?;
        if zip.has_duplicate_names() {
            return Err("is an archive in which two entries have the same name".into());
        }
        let mut packed = 0_u64;
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|error| format!("cannot be read ({error})"))?;
            packed = packed.saturating_add(entry.compressed_size());
        }
        if packed > bytes.len() as u64 {
            return Err("is an archive whose entries overlap".into());
        }
        let left = |(base, times): (u64, u64)| times.saturating_mul(bytes.len() as u64).saturating_add(base);
        Ok(Self { zip, bytes_left: left(ALL_BYTES), values_left: left(ALL_VALUES) })
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
        let mut packed = vec![];
        entry.read_to_end(&mut packed).map_err(|error| fault(&error))?;
        let most = MOST_BYTES.min(MOST_TIMES.saturating_mul(packed.len() as u64));
        if size > most {
            return Err(fault(&format!(
                "it would unpack from {} to {size} bytes, which exceeds the limit of {MOST_TIMES} times its \
                 packed size or of {MOST_BYTES} bytes",
                packed.len()
            )));
        }
        self.bytes_left = self
            .bytes_left
            .checked_sub(size)
            .ok_or_else(|| format!("unpacks to more than {} times its size", ALL_BYTES.1))?;
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
            return Err(fault(&format!("surmise does not support the compression method {method}")));
        };
        unpacked.map_err(|error| fault(&error))?;
        if bytes.len() as u64 != size || crc32fast::hash(&bytes) != crc {
            return Err(fault(&"its size or checksum is wrong"));
        }
        self.values_left =
            self.values_left.checked_sub(json::count_values(&bytes) as u64).ok_or_else(|| {
                format!("contains too many JSON values: more than {} per byte of the file", ALL_VALUES.1)
            })?;
        Ok(bytes)
    }
}
