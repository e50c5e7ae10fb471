//! The headers of safetensors files on a hub, fetched without the weights behind them.

use std::collections::BTreeSet;

use super::download::Downloads;
use crate::error::Result;
use crate::model::weights::FileHeader;

/// What is asked for first; the header of most files is shorter.
const FIRST_BYTES: u64 = 1 << 16;
/// The library's own limit.
const MOST_BYTES: u64 = 100_000_000;

/// The headers of some files of a commit.
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
