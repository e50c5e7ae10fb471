//! Provides one file of a repository. If the file is not in the cache, downloads it, checks it and adds it to
//! the snapshot.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::cache::Cache;
use super::connection::Connection;
use super::fault::Fault;
use super::request::Answer;
use crate::error::{Error, Result};
use crate::seed;

/// Maximum size of a file in bytes. Hubs split files at 50 GB, so a file that exceeds this limit is an error.
const MOST_FILE_BYTES: u64 = 1 << 40;

/// What a hub reports about a file.
pub(super) struct Meta {
    pub(super) etag: String,
    pub(super) size_bytes: Option<u64>,
}

/// Downloads files from one repository into its part of the cache.
pub(super) struct Downloads<'a> {
    pub(super) connection: &'a Connection<'a>,
    pub(super) cache: &'a Cache,
}

impl Downloads<'_> {
    /// Provides one file of a commit in its snapshot. If its blob is not in the cache, downloads the blob
    /// first.
    pub(super) fn file(&self, commit: &str, file: &str) -> Result<()> {
        if self.cache.snapshot(commit).join(file).is_file() {
            return Ok(());
        }
        let url = self.connection.url_of_file(commit, file);
        let meta = self.meta_of(file, &url)?;
        let blob = self.cache.blob(&meta.etag);
        let is_here = || {
            blob.metadata()
                .is_ok_and(|data| meta.size_bytes.is_none_or(|size_bytes| size_bytes == data.len()))
        };
        if !is_here() {
            let _held = self.cache.lock(&meta.etag, 10 * self.connection.settings.idle)?;
            // Another process may have downloaded the blob while this one waited for the lock.
            if !is_here() {
                let bar = self.bar(file, &meta);
                self.connection.with_retries(file, || {
                    bar.reset();
                    self.download(file, &url, &meta, &bar)
                })?;
                bar.finish_and_clear();
            }
        }
        self.cache.link(commit, file, &meta.etag)
    }

    /// Requests the ETag and the size of a file from the hub.
    pub(super) fn meta_of(&self, file: &str, url: &reqwest::Url) -> Result<Meta> {
        let ask = || self.meta(file, &self.connection.send(&Method::HEAD, url, 0)?);
        self.connection.with_retries(file, ask)
    }

    fn meta(&self, file: &str, answer: &Answer) -> std::result::Result<Meta, Fault> {
        let etag = answer.header("x-linked-etag").or_else(|| answer.header("etag")).map(plain);
        // The ETag becomes a file name, so only safe characters are allowed.
        let is_name = |etag: &&str| {
            (1..=128).contains(&etag.len())
                && etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let etag = etag.filter(is_name).ok_or_else(|| {
            self.connection.fault(format!(
                "the hub sent no usable ETag for {file}; check HF_ENDPOINT, or download the model by other \
                 means and give its folder"
            ))
        })?;
        let size = answer.header("x-linked-size").and_then(|text| text.parse().ok());
        let size_bytes =
            if answer.response.status().is_success() { size.or(answer.length_bytes()) } else { size };
        Ok(Meta { etag: etag.to_owned(), size_bytes })
    }

    /// Downloads the missing part of a blob, checks the whole blob, and renames it to its final name.
    fn download(
        &self,
        file: &str,
        url: &reqwest::Url,
        meta: &Meta,
        bar: &ProgressBar,
    ) -> std::result::Result<(), Fault> {
        let (path, mut partial) = self.cache.open_partial(&meta.etag)?;
        let io = |source| Fault::Final(Error::Cache { path: path.clone(), source });
        let mut have_bytes = partial.metadata().map_err(io)?.len();
        if meta.size_bytes.is_none_or(|size_bytes| have_bytes > size_bytes) {
            partial.set_len(0).map_err(io)?;
            have_bytes = 0;
        }
        let resumed = have_bytes > 0;
        if meta.size_bytes != Some(have_bytes) || !resumed {
            let mut answer = self.connection.send(&Method::GET, url, have_bytes)?;
            if have_bytes > 0 && !continues(&answer, have_bytes) {
                partial.set_len(0).map_err(io)?;
                have_bytes = 0;
                // The response starts at a different byte than requested, so it cannot be used.
                if answer.response.status() == StatusCode::PARTIAL_CONTENT {
                    return Err(Fault::passing("the server resumed the download at the wrong byte"));
                }
            }
            if answer.at_home
                && answer
                    .header("x-linked-etag")
                    .or(answer.header("etag"))
                    .is_some_and(|etag| plain(etag) != meta.etag)
            {
                return Err(self
                    .connection
                    .fault(format!("{file} changed during the download; run again"))
                    .into());
            }
            let announced = answer.length_bytes().map(|length_bytes| length_bytes + have_bytes);
            if let (Some(size_bytes), Some(announced)) = (meta.size_bytes, announced)
                && size_bytes != announced
            {
                let reason = format!(
                    "the hub lists {file} with {size_bytes} bytes but sends {announced} bytes; run again \
                     later"
                );
                return Err(self.connection.fault(reason).into());
            }
            let size_bytes = meta.size_bytes.or(announced);
            bar.set_position(have_bytes);
            self.connection.read(
                &mut answer.response,
                size_bytes.unwrap_or(MOST_FILE_BYTES) - have_bytes,
                |chunk| {
                    bar.inc(chunk.len() as u64);
                    partial.write_all(chunk).map_err(|source| Error::Cache { path: path.clone(), source })
                },
            )?;
            let now_bytes = partial.metadata().map_err(io)?.len();
            if size_bytes.is_some_and(|size_bytes| size_bytes != now_bytes) {
                return Err(Fault::passing(format!("the response ended early, at byte {now_bytes}")));
            }
        }
        partial.sync_all().map_err(io)?;
        // The ETag of a file in large storage is its SHA-256. The ETag of a small file is a git hash, so only
        // the length is checked.
        if meta.etag.len() == 64 && sha256(&mut partial).map_err(io)? != meta.etag.to_ascii_lowercase() {
            std::fs::remove_file(&path).map_err(io)?;
            let reason = format!(
                "the SHA-256 of {file} does not match the value from the hub; the download was deleted"
            );
            // If the download was resumed, its beginning may be from another process, so retry from the
            // start.
            return Err(if resumed {
                Fault::passing(reason)
            } else {
                self.connection.fault(reason + "; run again later").into()
            });
        }
        std::fs::rename(&path, self.cache.blob(&meta.etag)).map_err(io)
    }

    fn bar(&self, file: &str, meta: &Meta) -> ProgressBar {
        if !self.connection.settings.progress {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = meta.size_bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(file.to_owned())
    }
}

/// SHA-256 of a whole file, in hexadecimal.
fn sha256(file: &mut File) -> std::io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(seed::hex(&sum.finalize())),
            n => sum.update(&buffer[..n]),
        }
    }
}

/// An ETag without its quotes and without the prefix of weak ETags.
fn plain(etag: &str) -> &str {
    etag.trim().trim_start_matches("W/").trim_matches('"')
}

/// Whether a response contains the part of a file that starts at the given byte.
fn continues(answer: &Answer, from_bytes: u64) -> bool {
    answer.response.status() == StatusCode::PARTIAL_CONTENT
        && answer
            .header("content-range")
            .is_some_and(|range| range.starts_with(&format!("bytes {from_bytes}-")))
}
