//! Lists the collections of a model: one for the prompts of the designs, and one for further tasks. Each
//! collection has its own folder and journal.

use std::path::{Path, PathBuf};

use super::checked::{Study, TASK_ITEMS, TASK_SHOTS};
use super::results::StudyFolder;
use crate::collect::configuration::Configuration;
use crate::collect::journal::Index;
use crate::collect::results::semantic;
use crate::disk;
use crate::error::{Error, Result};

/// A collection: its folder, its configuration, and the result file that is joined into the observations.
pub(super) type Part = (PathBuf, Configuration, &'static str);

/// The collections of a model. `configuration` applies to the prompts of the designs.
pub(super) fn parts(
    study: &Study,
    folder: &StudyFolder,
    id: &str,
    configuration: Configuration,
) -> Vec<Part> {
    let tasks = &study.file.design.tasks;
    let beside = Configuration {
        semantic: None,
        sources: tasks.iter().map(|task| task.value.clone()).collect(),
        shots: TASK_SHOTS,
        items: TASK_ITEMS,
        ..configuration.clone()
    };
    let mut parts = vec![(folder.answers(id), configuration, semantic::FILE)];
    if !tasks.is_empty() {
        parts.push((folder.scores(id), beside, "scores.csv"));
    }
    parts
}

/// The total spending recorded in the journals of some folders, in US dollars.
///
/// # Errors
/// Errors of reading a journal.
pub(super) fn spent_usd<'a>(folders: impl IntoIterator<Item = &'a PathBuf>) -> Result<f64> {
    let mut spent = 0.0;
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        spent += Index::read(folder)?.spent_usd;
    }
    Ok(spent)
}

/// The file with the hash of the weights that gave the answers in a folder.
const WEIGHTS: &str = "weights.sha256";

/// Moves answers that other weights gave under the same model id to `earlier/`. Records `sha256`, the hash of
/// the current weights, in the folders.
///
/// # Errors
/// [`Error::Write`]
pub(super) fn set_aside_others(folder: &StudyFolder, id: &str, sha256: &str) -> Result<()> {
    let wanted = format!("{sha256} surmise {}\n", env!("CARGO_PKG_VERSION"));
    for own in [folder.answers(id), folder.scores(id)] {
        let there = disk::read_text(own.join(WEIGHTS)).ok();
        if there.as_ref() == Some(&wanted) {
            continue;
        }
        if own.join("journal.jsonl").is_file() {
            set_aside(folder.path(), &own, there.as_deref().unwrap_or("unknown"))?;
        }
        disk::make_folder(&own)?;
        disk::write(&own.join(WEIGHTS), wanted.as_bytes())?;
    }
    Ok(())
}

fn set_aside(study: &Path, own: &Path, of: &str) -> Result<()> {
    let earlier = study.join("earlier");
    disk::make_folder(&earlier)?;
    let names = [own.parent(), Some(own)].map(|path| path.and_then(Path::file_name).unwrap_or_default());
    let [kind, id] = names.map(|name| name.to_string_lossy().into_owned());
    let name = |n: usize| earlier.join(format!("{kind}-{id}-{of:.8}-{n}"));
    let free = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
    std::fs::rename(own, &free).map_err(|source| Error::Write { path: free, source })
}
