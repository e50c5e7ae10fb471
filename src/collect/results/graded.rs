//! Visits the graded items of a folder with their prompts and answers, for exports to other formats.

use std::collections::BTreeMap;
use std::path::Path;

use super::decode;
use super::item_row::{ItemRow, Replicate, row};
use super::replay;
use crate::collect::configuration::Configuration;
use crate::collect::grading::grade;
use crate::collect::item::Item;
use crate::collect::journal::{Index, JournalReader};
use crate::collect::plan::{KeyedQuestion, RedoSelection};
use crate::collect::tasks::{Task, TaskKind};
use crate::error::{Error, Result};

/// Calls `each` with every graded item: its task, its answers, and their rows of items.csv. The configuration
/// of the folder determines how answers are graded. Returns the configuration, and the number of items in
/// tasks that are not graded.
///
/// # Errors
/// [`Error::Journal`] if a line of the journal is damaged; [`Error::Read`] if a file cannot be read;
/// [`Error::Parameter`] if the tasks are not those that were collected.
pub fn visit(
    folder: &Path,
    mut each: impl FnMut(&Task, &Item, &[Replicate], Vec<ItemRow>) -> Result<()>,
) -> Result<(Configuration, usize)> {
    let index = Index::read(folder)?;
    let Some(there) = index.configuration.clone() else {
        let path = folder.join("journal.jsonl");
        return Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() });
    };
    let there = Configuration::from_record(there)?;
    let mut configuration = there.clone();
    let tasks = configuration.load_tasks()?;
    if configuration.tasks != there.tasks {
        let reason = "are not the ones that were collected: a task file or its name has changed since; run \
                      `surmise collect rescore DIR --task FILE` to record the file's new path"
            .into();
        return Err(Error::Parameter { name: "the tasks", reason });
    }
    let plan = configuration.plan(tasks)?;
    let mut reader = JournalReader::open(&folder.join("journal.jsonl"))?;
    let mut n_others = 0;
    plan.visit(&index, &RedoSelection::default(), |task, item, questions| {
        if task.kind != TaskKind::Graded {
            n_others += 1;
            return Ok(());
        }
        let mut replicates: BTreeMap<u32, Replicate> = BTreeMap::new();
        for KeyedQuestion { question, key } in questions {
            let arrival = replay::arrival(&index, &mut reader, key)?;
            let replicate = replicates.entry(question.replicate).or_default();
            replicate.answers.push(match &arrival {
                Some(arrival) => decode::answer(plan.provider, arrival),
                None => decode::not_asked(),
            });
            replicate.collected_at = replicate.collected_at.take().max(arrival.map(|arrival| arrival.at));
        }
        let replicates: Vec<Replicate> = replicates.into_values().collect();
        let mut how = configuration.grading.clone();
        how.stops.extend(task.stops.iter().cloned());
        let rows = (0..).zip(&replicates);
        let rows = rows.map(|(n, replicate)| row(item, n, replicate, grade(item, &replicate.answers, &how)));
        each(task, item, &replicates, rows.collect())
    })?;
    Ok((configuration, n_others))
}
