//! Grades the journal of a folder again, without network.

use std::path::Path;

use super::configuration::Configuration;
use super::journal::Index;
use super::results::replay;
use super::results::replay::FolderSummary;
use crate::error::{Error, Result};

/// Grades the journal of a folder again. `change` may alter how.
///
/// # Errors
/// [`Error::Journal`], [`Error::Storage`]; [`Error::Parameter`] if the tasks are not those that were
/// collected.
pub fn rescore(
    folder: &Path,
    change: impl FnOnce(&mut Configuration) -> Result<()>,
) -> Result<FolderSummary> {
    let index = Index::read(folder)?;
    let Some(there) = index.configuration else {
        if !index.is_empty() {
            let reason = "contains answers, but the record of their configuration was damaged; collect \
                          into it once more, with --new-config";
            return Err(Error::Parameter { name: "-o", reason: reason.into() });
        }
        let path = folder.join("journal.jsonl");
        return Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() });
    };
    let there = Configuration::from_record(there)?;
    let mut configuration = there.clone();
    change(&mut configuration)?;
    configuration.check_apart(folder)?;
    let tasks = configuration.load_tasks()?;
    let plan = configuration.plan(tasks)?;
    if configuration.tasks != there.tasks {
        let reason = "are not the ones that were collected: a file or its name has changed since; give the \
                      original with --task"
            .into();
        return Err(Error::Parameter { name: "the tasks", reason });
    }
    replay::write(folder, &configuration, &plan)
}
