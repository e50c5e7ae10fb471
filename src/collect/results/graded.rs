//! Visits the graded items of a folder with their prompts and answers, for exports to other formats.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::provider::Outcome;

/// What [`visit`] found in addition to graded answers.
pub struct Visited {
    /// The configuration of the folder.
    pub configuration: Configuration,
    /// Number of items in tasks that are not graded.
    pub n_others: usize,
    /// Number of questions of graded tasks that were not asked, or are in a batch and have no answer yet.
    pub n_open: usize,
    /// Number of questions in `n_open` that are in a batch.
    pub n_in_batches: usize,
}

/// Calls `each` with every graded item: its task, its answers, and their rows of items.csv. The configuration
/// of the folder determines how answers are graded. Replicates whose answers have not arrived are excluded;
/// the last argument is the number of all replicates of the item, including these.
///
/// # Errors
/// [`Error::Journal`] if a line of the journal is damaged; [`Error::Read`] if a file cannot be read;
/// [`Error::Parameter`] if the tasks differ from the collected tasks.
pub fn visit(
    folder: &Path,
    mut each: impl FnMut(&Task, &Item, (Vec<(Replicate, ItemRow)>, usize)) -> Result<()>,
) -> Result<Visited> {
    let index = Index::read(folder)?;
    let Some(there) = index.configuration.clone() else {
        let path = folder.join("journal.jsonl");
        return Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() });
    };
    let there = Configuration::from_record(there)?;
    let mut configuration = there.clone();
    let tasks = configuration.load_tasks()?;
    if configuration.tasks != there.tasks {
        let reason = "differ from the collected tasks: a task file or its name has changed since; run \
                      `surmise collect rescore DIR --task FILE` to record the file's new path"
            .into();
        return Err(Error::Parameter { name: "the tasks", reason });
    }
    let plan = configuration.plan(tasks)?;
    let mut reader = JournalReader::open(&folder.join("journal.jsonl"))?;
    let (mut n_others, mut n_open, mut n_in_batches) = (0, 0, 0);
    plan.visit(&index, &RedoSelection::default(), |task, item, questions| {
        if task.kind != TaskKind::Graded {
            n_others += 1;
            return Ok(());
        }
        let mut replicates: BTreeMap<u32, Replicate> = BTreeMap::new();
        let mut open = BTreeSet::new();
        for KeyedQuestion { question, key } in questions {
            let arrival = replay::arrival(&index, &mut reader, key)?;
            let replicate = replicates.entry(question.replicate).or_default();
            let answer = match &arrival {
                Some(arrival) => decode::answer(plan.provider, arrival),
                None => decode::not_asked(),
            };
            // A failed request may be asked again in a batch.
            let is_failed = matches!(answer.outcome, Outcome::Failed(_));
            let is_in_batch = is_failed && index.is_in_batch(key);
            if arrival.is_none() || is_in_batch {
                open.insert(question.replicate);
                n_open += 1;
                n_in_batches += usize::from(is_in_batch);
            }
            replicate.answers.push(answer);
            replicate.collected_at = replicate.collected_at.take().max(arrival.map(|arrival| arrival.at));
        }
        let mut how = configuration.grading.clone();
        how.stops.extend(task.stops.iter().cloned());
        let n_asked = replicates.len();
        let answered = (0..).zip(replicates).filter(|(_, (number, _))| !open.contains(number));
        let graded = answered.map(|(n, (_, replicate))| {
            let row = row(item, n, &replicate, grade(item, &replicate.answers, &how));
            (replicate, row)
        });
        each(task, item, (graded.collect(), n_asked))
    })?;
    Ok(Visited { configuration, n_others, n_open, n_in_batches })
}
