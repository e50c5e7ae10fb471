//! Grades the answers in the journal of a folder again, without network access.

use std::path::Path;

use super::configuration::Configuration;
use super::journal::Index;
use super::results::replay;
use super::results::replay::FolderSummary;
use super::tasks::Task;
use crate::error::{Error, Result};

/// Loads the tasks for a grader. Returns an error if the grader needs prompts that differ from the prompts
/// that were sent.
fn load_tasks(there: &Configuration, configuration: &mut Configuration) -> Result<Vec<Task>> {
    let (asked, wanted) = (there.grading.grader.clone(), configuration.grading.grader.clone());
    if asked.question_form() == wanted.question_form() {
        return configuration.load_tasks();
    }
    configuration.grading.check()?;
    let mut asked_so = Configuration { sources: configuration.sources.clone(), ..there.clone() };
    let other_prompts = || {
        let reason = format!(
            "{wanted} needs other prompts than {asked}, the grader of the collection; collect into another \
             folder"
        );
        Error::Parameter { name: "--grader", reason }
    };
    let of_before = asked_so.load_tasks()?;
    // If the grader needs choices and an item has none, loading fails.
    let tasks = configuration.load_tasks().map_err(|_| other_prompts())?;
    for (before, now) in of_before.iter().zip(&tasks) {
        for (before, now) in before.items.iter().zip(now.items.iter()) {
            if before?.prompts != now?.prompts {
                return Err(other_prompts());
            }
        }
    }
    Ok(tasks)
}

/// Grades the answers in a folder's journal again. `change` may alter how they are graded.
///
/// # Errors
/// [`Error::Journal`] if a line of the journal is damaged; [`Error::Storage`] if a file cannot be read or
/// written; [`Error::Parameter`] if the tasks differ from the collected tasks.
pub fn rescore(
    folder: &Path,
    change: impl FnOnce(&mut Configuration) -> Result<()>,
) -> Result<FolderSummary> {
    let index = Index::read(folder)?;
    let Some(there) = index.configuration else {
        if !index.is_empty() {
            let reason = "contains answers, but the record of their configuration is damaged; run the \
                          collection into this folder again with --new-config";
            return Err(Error::Parameter { name: "the folder", reason: reason.into() });
        }
        let path = folder.join("journal.jsonl");
        return Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() });
    };
    let there = Configuration::from_record(there)?;
    let mut configuration = there.clone();
    change(&mut configuration)?;
    configuration.check_apart(folder)?;
    let tasks = load_tasks(&there, &mut configuration)?;
    let plan = configuration.plan(tasks)?;
    if configuration.tasks != there.tasks {
        let reason = "differ from the collected tasks: a task file or its name has changed since the \
                      collection; give the original file with --task"
            .into();
        return Err(Error::Parameter { name: "the tasks", reason });
    }
    replay::write(folder, &configuration, &plan)
}
