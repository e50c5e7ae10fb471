//! Merges the result folders of shards that ran on machines without a shared file system.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::results::StudyFolder;
use super::shard::Shard;
use super::task::StudyTask;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};

/// The record of a finished shard: `shards/I-of-N.json`.
#[derive(Debug, Serialize, Deserialize)]
struct ShardRecord {
    schema: Schema,
    tool_version: String,
    index: usize,
    count: usize,
    /// The input hash of every task of the plan, by task id. Shards of the same study have the same plan.
    plan: BTreeMap<String, String>,
    /// Tasks of this shard that failed or that other processes held.
    left: Vec<String>,
}

const FOLDER: &str = "shards";
/// Maximum number of differing tasks that an error lists.
const NAMED: usize = 5;

/// Records the end of a shard.
///
/// # Errors
/// [`Error::Write`]
pub fn record(folder: &StudyFolder, tasks: &[StudyTask], shard: Shard, left: Vec<String>) -> Result<()> {
    let own = folder.path().join(FOLDER);
    disk::make_folder(&own)?;
    // Remove records of an earlier division into a different number of shards.
    for file in record_files(folder.path()) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(&format!("-of-{}", shard.count)) {
            std::fs::remove_file(&file).map_err(|source| Error::Write { path: file.clone(), source })?;
        }
    }
    let record = ShardRecord {
        schema: Schema::new("surmise-study-shard", 1),
        tool_version: env!("CARGO_PKG_VERSION").into(),
        index: shard.index + 1,
        count: shard.count,
        plan: tasks.iter().map(|task| (task.id.clone(), task.key.clone())).collect(),
        left,
    };
    disk::write_json(&own.join(format!("{}-of-{}.json", record.index, record.count)), &record)
}

/// Merges the folders of all shards into the folder `output`, which `surmise run` can complete. Returns the
/// tasks that are not done.
///
/// # Errors
/// [`Error::Parameter`] for a folder without a finished shard, missing shards, and shards of different
/// studies; [`Error::Read`], [`Error::Write`].
pub fn merge(folders: &[PathBuf], output: &Path) -> Result<Vec<String>> {
    let fault = |reason: String| Err(Error::Parameter { name: "DIR", reason });
    let mut shards: Vec<(PathBuf, ShardRecord)> = vec![];
    for folder in folders {
        let records = records(folder)?;
        if records.is_empty() {
            return fault(format!(
                "names {}, which contains no finished shard; complete the shard with `surmise run --shard \
                 I/N`",
                folder.display()
            ));
        }
        shards.extend(records.into_iter().map(|record| (folder.clone(), record)));
    }
    let Some((first, rest)) = shards.split_first() else {
        return fault("is missing; list the folders of the shards".into());
    };
    for (folder, record) in rest {
        let differ = differences(&first.1, record);
        if !differ.is_empty() {
            return fault(format!(
                "names {} and {}, which contain shards of different studies ({}); run all shards with the \
                 same study file and version",
                first.0.display(),
                folder.display(),
                differ.join(", ")
            ));
        }
    }
    let there: BTreeSet<usize> = shards.iter().map(|(_, record)| record.index).collect();
    let count = first.1.count;
    let missing: Vec<String> =
        (1..=count).filter(|index| !there.contains(index)).map(|index| format!("{index}/{count}")).collect();
    if !missing.is_empty() {
        return fault(format!("lacks the folders of the shards {}; add these folders", missing.join(", ")));
    }
    let joined = StudyFolder::new(output);
    joined.check(Path::new(""))?;
    joined.create()?;
    for folder in folders.iter().filter(|folder| !disk::is_same(folder, output)) {
        for part in ["tasks", "answers", "scores", FOLDER] {
            copy_all(&folder.join(part), &output.join(part))?;
        }
    }
    Ok(shards.into_iter().flat_map(|(_, record)| record.left).collect())
}

/// Paths of the shard records in a folder, sorted.
fn record_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

fn records(folder: &Path) -> Result<Vec<ShardRecord>> {
    let read = |path: &PathBuf| {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.clone(), source })
    };
    record_files(folder).iter().map(read).collect()
}

fn differences(a: &ShardRecord, b: &ShardRecord) -> Vec<String> {
    let mut differ = vec![];
    if a.tool_version != b.tool_version {
        differ.push(format!("surmise {} and {}", a.tool_version, b.tool_version));
    }
    if a.count != b.count {
        differ.push(format!("{} and {} shards", a.count, b.count));
    }
    let ids: BTreeSet<&String> = a.plan.keys().chain(b.plan.keys()).collect();
    let tasks: Vec<&String> = ids.into_iter().filter(|id| a.plan.get(*id) != b.plan.get(*id)).collect();
    differ.extend(tasks.iter().take(NAMED).map(|id| format!("`{id}`")));
    if tasks.len() > NAMED {
        differ.push(format!("{} more tasks", tasks.len() - NAMED));
    }
    differ
}

/// Whether a file is temporary: a claim, or a file that is being written.
fn is_passing(name: &str) -> bool {
    name.starts_with("claim-") || name.starts_with('.')
}

/// Whether the target is missing or shorter than the source. A journal grows if its shard is continued, so
/// the longer journal is the newer one.
fn is_more(from: &Path, to: &Path) -> bool {
    let len = |path: &Path| path.metadata().map(|metadata| metadata.len()).ok();
    len(from) > len(to)
}

/// Copies the files below a folder that are missing in the target or longer than the file in the target.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(from) else { return Ok(()) };
    disk::make_folder(to)?;
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let target = to.join(&name);
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        // Do not copy the temporary files of running processes.
        if is_folder {
            copy_all(&path, &target)?;
        } else if path.is_file() && is_more(&path, &target) && !is_passing(&name.to_string_lossy()) {
            let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
            disk::write(&target, &bytes)?;
        }
    }
    Ok(())
}
