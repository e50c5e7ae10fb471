//! The graded items of a folder, with prompts and answers, for those who write them in other forms.

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

/// Calls `each` with every graded item that was asked: its task, its answers, and their rows of items.csv.
/// Answers are graded as the folder's configuration says. Returns the configuration, and the number of items
/// of tasks that are not graded.
///
/// # Errors
/// [`Error::Journal`], [`Error::Read`]; [`Error::Parameter`] if the tasks are not those that were collected.
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
        let reason = "are not the ones that were collected: a file or its name has changed since; \
                      `surmise collect rescore DIR --task FILE` records the file's new place"
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
