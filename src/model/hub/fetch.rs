//! Completes the folder of an id: which commit, and which files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde::Deserialize;

use super::cache::{self, Cache};
use super::connection::Connection;
use super::download::Downloads;
use super::fault::Fault;
use super::id::Id;
use super::layout;
use super::settings::HubSettings;
use crate::error::{Error, Result};

/// The list of files of the largest repositories is a few megabytes.
const MOST_LIST_BYTES: u64 = 64 << 20;

/// The answer of a hub about a revision.
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

/// The folder of an id, complete and as the hub has it now.
pub(super) fn folder(settings: &HubSettings, id: &Id) -> Result<PathBuf> {
    let connection = Connection::new(settings, id)?;
    let cache = Cache::new(&settings.cache, &id.repository);
    let downloads = Downloads { connection: &connection, cache: &cache };
    let listing = listing(&connection)?;
    let names: Vec<_> = listing.siblings.iter().map(|sibling| sibling.rfilename.as_str()).collect();
    let has = |file: &str| names.contains(&file);
    let weights =
        layout::weights(&has, &names).map_err(|why| connection.fault(format!("the repository {why}")))?;
    let commit = &listing.sha;
    // The small files first: what is wrong with them is reported before the long wait.
    for file in [layout::CONFIG, layout::TOKENIZER, layout::OPTIONAL].into_iter().filter(|file| has(file)) {
        downloads.file(commit, file)?;
    }
    downloads.file(commit, weights)?;
    if weights.ends_with(".index.json") {
        for shard in shards(&connection, &cache.snapshot(commit).join(weights), weights, &names)? {
            downloads.file(commit, &shard)?;
        }
    }
    // Last, so that a branch never points at a folder that is not complete.
    if !cache::is_commit(&id.revision) {
        cache.set_ref(&id.revision, commit)?;
    }
    Ok(cache.snapshot(commit))
}

/// The files of a revision, and the commit that it is.
fn listing(connection: &Connection) -> Result<Listing> {
    let (owner, model) = connection.id.owner_and_name();
    let url = connection.url(["api", "models", owner, model, "revision", &connection.id.revision]);
    let bytes = connection.with_retries("the list of files", || {
        let mut answer = connection.send(&Method::GET, &url, 0)?;
        let (announced, mut bytes) = (answer.length_bytes(), vec![]);
        connection.read(&mut answer.response, MOST_LIST_BYTES, |chunk| {
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
        connection.settings.fault(connection.id, reason.into(), Some(source.into()))
    })?;
    if !cache::is_commit(&listing.sha) {
        return Err(connection.fault("the list of files names no commit; check HF_ENDPOINT"));
    }
    Ok(listing)
}

/// The files that an index names, all of which the repository has.
fn shards(connection: &Connection, path: &Path, index: &str, names: &[&str]) -> Result<BTreeSet<String>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let shards = layout::shards(&bytes).map_err(|why| connection.fault(format!("{index} {why}")))?;
    match shards.iter().find(|shard| !names.contains(&shard.as_str())) {
        Some(missing) => {
            Err(connection.fault(format!("{index} names {missing}, which the repository does not have")))
        }
        None => Ok(shards),
    }
}
