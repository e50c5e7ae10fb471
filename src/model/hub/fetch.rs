//! Completes the cached folder of an id: requests the current commit, and downloads missing files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde::Deserialize;

use super::cache::{self, Cache};
use super::cached_headers::CachedHeaders;
use super::connection::Connection;
use super::download::Downloads;
use super::fault::Fault;
use super::header;
use super::id::Id;
use super::layout;
use super::required_files::RequiredFiles;
use super::settings::HubSettings;
use crate::disk;
use crate::error::{Error, Result};
use crate::model::weights::{Checkpoint, FileHeader};

/// Maximum size of a list of files in bytes. The largest repositories have lists of a few megabytes.
const MOST_LIST_BYTES: u64 = 64 << 20;

/// The commit and the files of a revision, as the hub lists them.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    pub(super) sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Listing {
    fn names(&self) -> Vec<&str> {
        self.siblings.iter().map(|sibling| sibling.rfilename.as_str()).collect()
    }
}

/// The complete folder of an id, or the path of the file that the id names, at the current commit of the
/// revision.
pub(super) fn folder(settings: &HubSettings, id: &Id, required: RequiredFiles) -> Result<PathBuf> {
    let connection = Connection::new(settings, id)?;
    let listing = connection.with_retries_once_reached("the list of files", || ask(&connection))?;
    complete(&connection, &listing, required)
}

/// Downloads the missing files of a commit, and returns the folder or the path of the file.
pub(super) fn complete(
    connection: &Connection,
    listing: &Listing,
    required: RequiredFiles,
) -> Result<PathBuf> {
    let (settings, id) = (connection.settings, connection.id);
    let cache = Cache::new(&settings.cache, &id.repository);
    let downloads = Downloads { connection, cache: &cache };
    let names = listing.names();
    let has = |file: &str| names.contains(&file);
    let refuse = |why: String| connection.fault(format!("the repository {why}"));
    if let Some(file) = &id.file {
        if !has(file) {
            return Err(refuse(layout::without_file(file, &names)));
        }
        let parts = layout::parts(file);
        if let Some(missing) = parts.iter().find(|part| !has(part)) {
            return Err(refuse(layout::without_file(missing, &names)));
        }
        for part in &parts {
            downloads.file(&listing.sha, part)?;
        }
        keep_ref(&cache, id, &listing.sha)?;
        return Ok(cache.snapshot(&listing.sha).join(file));
    }
    let weights = layout::weights(&has, &names).map_err(refuse)?;
    if required == RequiredFiles::WeightsAndTokenizer && weights.is_some() {
        layout::check_tokenizer(&names).map_err(refuse)?;
    }
    let commit = &listing.sha;
    // Small files are downloaded first, so that their faults are reported before the long download.
    for file in layout::companions(&names) {
        downloads.file(commit, file)?;
    }
    let mut large: BTreeSet<String> = BTreeSet::new();
    large.extend(layout::adapter_weights(&has).map(str::to_owned));
    match weights {
        Some(index) if index.ends_with(".index.json") => {
            downloads.file(commit, index)?;
            large.extend(shards(connection, &cache.snapshot(commit).join(index), index, &names)?);
        }
        Some(file) => large.extend([file.to_owned()]),
        None => {}
    }
    // The headers show whether the weights are quantised. They are checked before the weights are downloaded.
    let snapshot = cache.snapshot(commit);
    if large.iter().any(|file| !snapshot.join(file).is_file()) && says_quantised(&snapshot) {
        let headers = header::read(&downloads, commit, &large)?;
        Checkpoint::of_headers(&snapshot, headers)?.check_unquantised()?;
    }
    for file in &large {
        downloads.file(commit, file)?;
    }
    keep_ref(&cache, id, commit)?;
    Ok(snapshot)
}

/// Records the commit of a branch. This is called last, so that the branch never refers to an incomplete
/// folder.
fn keep_ref(cache: &Cache, id: &Id, commit: &str) -> Result<()> {
    if !cache::is_commit(&id.revision) && cache.commit(&id.revision).as_deref() != Some(commit) {
        cache.set_ref(&id.revision, commit)?;
    }
    Ok(())
}

/// Whether config.json has a quantisation config.
fn says_quantised(snapshot: &Path) -> bool {
    let config = disk::read(snapshot.join(layout::CONFIG)).unwrap_or_default();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap_or_default();
    config["quantization_config"].is_object()
}

/// The folder that contains the config of an id, and the headers of its weights; `None` if the headers cannot
/// be downloaded separately.
pub(super) fn headers(settings: &HubSettings, id: &Id) -> Result<Option<(PathBuf, Vec<FileHeader>)>> {
    let connection = Connection::new(settings, id)?;
    let cache = Cache::new(&settings.cache, &id.repository);
    let downloads = Downloads { connection: &connection, cache: &cache };
    let listing = connection.with_retries_once_reached("the list of files", || ask(&connection))?;
    let (names, commit) = (listing.names(), &listing.sha);
    let has = |file: &str| names.contains(&file);
    if let Some(file) = &id.file {
        let parts = layout::parts(file);
        if let Some(missing) = parts.iter().find(|part| !has(part)) {
            return Err(connection.fault(format!("the repository {}", layout::without_file(missing, &names))));
        }
        let headers = header::read_gguf(&downloads, commit, &parts)?;
        if !are_identified(&headers) {
            return Ok(None);
        }
        CachedHeaders::write(settings, id, commit, &headers);
        return Ok(Some((cache.snapshot(commit), headers)));
    }
    let weights = layout::weights(&has, &names)
        .map_err(|why| connection.fault(format!("the repository {why}")))?
        .filter(|weights| weights.contains(".safetensors") && layout::adapter_weights(&has).is_none());
    let Some(weights) = weights else { return Ok(None) };
    downloads.file(commit, layout::CONFIG)?;
    let files = if weights.ends_with(".index.json") {
        downloads.file(commit, weights)?;
        shards(&connection, &cache.snapshot(commit).join(weights), weights, &names)?
    } else {
        [weights.to_owned()].into()
    };
    let headers = header::read(&downloads, commit, &files)?;
    if !are_identified(&headers) {
        return Ok(None);
    }
    CachedHeaders::write(settings, id, commit, &headers);
    Ok(Some((cache.snapshot(commit), headers)))
}

/// Whether the hub provides the SHA-256 of each file. The hub does not provide it for small files, so they
/// must be downloaded as a whole.
fn are_identified(headers: &[FileHeader]) -> bool {
    headers.iter().all(|header| header.sha256.is_some())
}

/// Requests the commit and the files of a revision, without retries.
pub(super) fn ask(connection: &Connection) -> std::result::Result<Listing, Fault> {
    let parts = ["api", "models"].into_iter().chain(connection.id.parts());
    let url = connection.url(parts.chain(["revision", &connection.id.revision]));
    let mut answer = connection.send(&Method::GET, &url, 0)?;
    let (announced, mut bytes) = (answer.length_bytes(), vec![]);
    connection.read(&mut answer.response, MOST_LIST_BYTES, |chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    })?;
    if announced.is_some_and(|n| n != bytes.len() as u64) {
        return Err(Fault::passing("the response is truncated"));
    }
    let listing: Listing = serde_json::from_slice(&bytes).map_err(|source| {
        let reason = "the response is not a hub's list of files; check HF_ENDPOINT, and whether a login page \
                      was returned instead";
        connection.settings.fault(connection.id, reason.into(), Some(source.into()))
    })?;
    if !cache::is_commit(&listing.sha) {
        return Err(connection.fault("the list of files contains no commit hash; check HF_ENDPOINT").into());
    }
    Ok(listing)
}

/// The files that an index names. Returns an error if the repository lacks one of them.
fn shards(connection: &Connection, path: &Path, index: &str, names: &[&str]) -> Result<BTreeSet<String>> {
    let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let shards = layout::shards(&bytes).map_err(|why| connection.fault(format!("{index} {why}")))?;
    match shards.iter().find(|shard| !names.contains(&shard.as_str())) {
        Some(missing) => Err(connection.fault(format!(
            "{index} names {missing}, which the repository does not have; use another repository"
        ))),
        None => Ok(shards),
    }
}
