//! One file of a repository: found in the cache, or downloaded, checked and linked.

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

/// No single file of a hub is larger (they are cut at 50 GB; a server that says more is wrong).
const MOST_FILE_BYTES: u64 = 1 << 40;

/// The answer of a hub about a file.
pub(super) struct Meta {
    pub(super) etag: String,
    pub(super) size_bytes: Option<u64>,
}

/// Downloads from one repository into its part of the cache.
pub(super) struct Downloads<'a> {
    pub(super) connection: &'a Connection<'a>,
    pub(super) cache: &'a Cache,
}

impl Downloads<'_> {
    /// One file of a commit: nothing to do if it is in the snapshot, a link if its blob is here, else a
    /// download.
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
            // Another process may just have done it.
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

    /// What the hub says of a file.
    pub(super) fn meta_of(&self, file: &str, url: &reqwest::Url) -> Result<Meta> {
        let ask = || self.meta(file, &self.connection.send(&Method::HEAD, url, 0)?);
        self.connection.with_retries(file, ask)
    }

    fn meta(&self, file: &str, answer: &Answer) -> std::result::Result<Meta, Fault> {
        let etag = answer.header("x-linked-etag").or_else(|| answer.header("etag")).map(plain);
        // It becomes the name of a file.
        let is_name = |etag: &&str| {
            (1..=128).contains(&etag.len())
                && etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let etag = etag.filter(is_name).ok_or_else(|| {
            self.connection.fault(format!(
                "{file} comes without a usable ETag; check HF_ENDPOINT, or fetch it by other means and give \
                 the folder"
            ))
        })?;
        let size = answer.header("x-linked-size").and_then(|text| text.parse().ok());
        let size_bytes =
            if answer.response.status().is_success() { size.or(answer.length_bytes()) } else { size };
        Ok(Meta { etag: etag.to_owned(), size_bytes })
    }

    /// Fetches what is still missing of a blob, checks the whole, and gives it its name.
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
                // A part of something else than was asked for is of no use.
                if answer.response.status() == StatusCode::PARTIAL_CONTENT {
                    return Err(Fault::passing("the server resumes at another place"));
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
                    .fault(format!("{file} changed while it was fetched; run again"))
                    .into());
            }
            let announced = answer.length_bytes().map(|length_bytes| length_bytes + have_bytes);
            if let (Some(size_bytes), Some(announced)) = (meta.size_bytes, announced)
                && size_bytes != announced
            {
                let reason = format!(
                    "{file} is {size_bytes} bytes by the hub's list and {announced} as it is sent; run \
                     again later"
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
                return Err(Fault::passing(format!("the body ends at byte {now_bytes}")));
            }
        }
        partial.sync_all().map_err(io)?;
        // Files in large storage are named by their SHA-256; small ones by a hash of git, for which the
        // length must do.
        if meta.etag.len() == 64 && sha256(&mut partial).map_err(io)? != meta.etag.to_ascii_lowercase() {
            std::fs::remove_file(&path).map_err(io)?;
            let reason = format!("{file} does not have the SHA-256 the hub says; the download was deleted");
            // The beginning may have been another process's; from the start once more.
            return Err(if resumed {
                Fault::passing(reason)
            } else {
                self.connection.fault(reason + ", run again later").into()
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

/// An entity tag without its quotes and its mark of weakness.
fn plain(etag: &str) -> &str {
    etag.trim().trim_start_matches("W/").trim_matches('"')
}

/// Whether an answer goes on at a byte.
fn continues(answer: &Answer, from_bytes: u64) -> bool {
    answer.response.status() == StatusCode::PARTIAL_CONTENT
        && answer
            .header("content-range")
            .is_some_and(|range| range.starts_with(&format!("bytes {from_bytes}-")))
}
