//! From an id to a complete folder: which commit, which files, and each of them whole, checked and linked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::cache::{self, Cache};
use super::retry::Fault;
use super::route::{Answer, Route};
use super::{Hub, Id, files};
use crate::error::{Error, Result};
use crate::seed;

/// The list of files of the largest repositories is a few megabytes.
const MOST_LIST_BYTES: u64 = 64 << 20;
/// No single file of a hub is larger (they are cut at 50 GB; a server that says more is wrong).
const MOST_FILE_BYTES: u64 = 1 << 40;

/// What the hub says of a revision.
#[derive(Deserialize)]
struct Listing {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// What the hub says of a file.
struct Meta {
    etag: String,
    size_bytes: Option<u64>,
}

struct Fetch<'a> {
    hub: &'a Hub,
    id: &'a Id,
    route: Route<'a>,
    cache: Cache,
}

/// The folder of an id, complete and as the hub has it now.
pub(super) fn folder(hub: &Hub, id: &Id) -> Result<PathBuf> {
    let fetch = Fetch { hub, id, route: Route::new(hub, id)?, cache: Cache::new(&hub.cache, &id.repository) };
    let listing = fetch.listing()?;
    let names: Vec<_> = listing.siblings.iter().map(|sibling| sibling.rfilename.as_str()).collect();
    let has = |file: &str| names.contains(&file);
    let weights =
        files::weights(&has, &names).map_err(|why| fetch.route.fault(format!("the repository {why}")))?;
    let commit = &listing.sha;
    // The small files first: what is wrong with them is said before the long wait.
    for file in [files::CONFIG, files::TOKENIZER, files::OPTIONAL].into_iter().filter(|file| has(file)) {
        fetch.file(commit, file)?;
    }
    fetch.file(commit, weights)?;
    if weights.ends_with(".index.json") {
        for shard in fetch.shards(commit, weights, &names)? {
            fetch.file(commit, &shard)?;
        }
    }
    // Last, so that a branch never points at a folder that is not complete.
    if !cache::is_commit(&id.revision) {
        fetch.cache.set_ref(&id.revision, commit)?;
    }
    Ok(fetch.cache.snapshot(commit))
}

impl Fetch<'_> {
    fn listing(&self) -> Result<Listing> {
        let (owner, model) = self.id.repository.split_once('/').unwrap_or_default();
        let url = self.route.url(["api", "models", owner, model, "revision", &self.id.revision]);
        let bytes = self.route.patiently("the list of files", || {
            let mut answer = self.route.send(&Method::GET, &url, 0)?;
            let (announced, mut bytes) = (answer.length_bytes(), vec![]);
            self.route.read(&mut answer.response, MOST_LIST_BYTES, |chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            })?;
            if announced.is_some_and(|n| n != bytes.len() as u64) {
                return Err(Fault::passing("the body is cut"));
            }
            Ok(bytes)
        })?;
        let listing: Listing = serde_json::from_slice(&bytes).map_err(|source| {
            let reason = "the list of files is not what a hub sends; check HF_ENDPOINT, and that no login \
                          page is in the way";
            self.hub.fault(self.id, reason.into(), Some(source.into()))
        })?;
        if !cache::is_commit(&listing.sha) {
            return Err(self.route.fault("the list of files names no commit; check HF_ENDPOINT"));
        }
        Ok(listing)
    }

    fn shards(&self, commit: &str, index: &str, names: &[&str]) -> Result<BTreeSet<String>> {
        let path = self.cache.snapshot(commit).join(index);
        let bytes = std::fs::read(&path).map_err(|source| Error::Read { path, source })?;
        let shards = files::shards(&bytes).map_err(|why| self.route.fault(format!("{index} {why}")))?;
        match shards.iter().find(|shard| !names.contains(&shard.as_str())) {
            Some(missing) => {
                Err(self.route.fault(format!("{index} names {missing}, which the repository does not have")))
            }
            None => Ok(shards),
        }
    }

    /// One file of a commit: nothing to do if it is in the snapshot, a link if its blob is here, else a
    /// download.
    fn file(&self, commit: &str, file: &str) -> Result<()> {
        if self.cache.snapshot(commit).join(file).is_file() {
            return Ok(());
        }
        let (owner, model) = self.id.repository.split_once('/').unwrap_or_default();
        let url = self.route.url([owner, model, "resolve", commit].into_iter().chain(file.split('/')));
        let meta =
            self.route.patiently(file, || self.meta(file, &self.route.send(&Method::HEAD, &url, 0)?))?;
        let blob = self.cache.blob(&meta.etag);
        let is_here = || {
            blob.metadata()
                .is_ok_and(|data| meta.size_bytes.is_none_or(|size_bytes| size_bytes == data.len()))
        };
        if !is_here() {
            let _held = self.cache.lock(&meta.etag, 10 * self.hub.idle)?;
            // Another process may just have done it.
            if !is_here() {
                let bar = self.bar(file, &meta);
                self.route.patiently(file, || {
                    bar.reset();
                    self.download(file, &url, &meta, &bar)
                })?;
                bar.finish_and_clear();
            }
        }
        self.cache.link(commit, file, &meta.etag)
    }

    fn meta(&self, file: &str, answer: &Answer) -> std::result::Result<Meta, Fault> {
        let etag = answer.header("x-linked-etag").or_else(|| answer.header("etag")).map(plain);
        // It becomes the name of a file.
        let is_name = |etag: &&str| {
            (1..=128).contains(&etag.len())
                && etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let etag = etag.filter(is_name).ok_or_else(|| {
            self.route.fault(format!(
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
            let mut answer = self.route.send(&Method::GET, url, have_bytes)?;
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
                    .route
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
                return Err(self.route.fault(reason).into());
            }
            let size_bytes = meta.size_bytes.or(announced);
            bar.set_position(have_bytes);
            self.route.read(
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
            let reason = format!("{file} does not have the SHA-256 the hub says; what came is removed");
            // The beginning may have been another process's; from the start once more.
            return Err(if resumed {
                Fault::passing(reason)
            } else {
                self.route.fault(reason + ", run again later").into()
            });
        }
        std::fs::rename(&path, self.cache.blob(&meta.etag)).map_err(io)
    }

    fn bar(&self, file: &str, meta: &Meta) -> ProgressBar {
        if !self.hub.progress {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = meta.size_bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(file.to_owned())
    }
}

/// Of a whole file, in hexadecimal.
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
