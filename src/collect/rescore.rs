//! Grades the journal of a folder again, without network.

use std::path::Path;

use super::configuration::Configuration;
use super::journal::Index;
use super::results::replay;
use super::results::replay::FolderSummary;
use super::tasks::Task;
use crate::error::{Error, Result};

/// Refuses a grader for which the questions would have been other ones.
fn check_prompts(there: &Configuration, configuration: &Configuration, tasks: &[Task]) -> Result<()> {
    let (asked, wanted) = (&there.grading.grader, &configuration.grading.grader);
    if asked.question_form() == wanted.question_form() {
        return Ok(());
    }
    let mut asked_so = Configuration { sources: configuration.sources.clone(), ..there.clone() };
    let fault = || {
        let reason = format!(
            "{wanted} needs other prompts than {asked}, with which the answers were collected; collect into \
             another folder"
        );
        Error::Parameter { name: "--grader", reason }
    };
    for (asked, wanted) in asked_so.load_tasks()?.iter().zip(tasks) {
        for (asked, wanted) in asked.items.iter().zip(wanted.items.iter()) {
            if asked?.prompts != wanted?.prompts {
                return Err(fault());
            }
        }
    }
    Ok(())
}

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
    check_prompts(&there, &configuration, &tasks)?;
    let plan = configuration.plan(tasks)?;
    if configuration.tasks != there.tasks {
        let reason = "are not the ones that were collected: a file or its name has changed since; give the \
                      original with --task"
            .into();
        return Err(Error::Parameter { name: "the tasks", reason });
    }
    replay::write(folder, &configuration, &plan)
}
