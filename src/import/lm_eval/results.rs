//! Reads `results_*.json`. The file contains one object per task with its metrics, such as `"acc,none": 0.7`
//! (before version 0.4 `"acc": 0.7`).

use std::path::Path;

use super::metrics::{metrics, n_items, name, shots};
use super::run::{run, score};
use super::samples;
use super::settings::settings;
use crate::error::Result;
use crate::import::answers::graded_by;
use crate::import::imported::{ImportOptions, Imported, SourceFile};
use crate::import::keys::KeyRedaction;
use crate::import::run_facts::fault;
use crate::provider::json;

/// Reads one results file and the samples files next to it.
pub(crate) fn read(path: &Path, bytes: &[u8], options: &ImportOptions, all: &mut Imported) -> Result<()> {
    let value = json::read(bytes).map_err(|why| {
        fault(path, format!("{why}; give results_*.json or samples_*.jsonl of the lm-evaluation-harness"))
    })?;
    let results = value["results"].as_object().filter(|results| !results.is_empty());
    let results = results
        .ok_or_else(|| fault(path, "has no `results`; give results_*.json of the lm-evaluation-harness"))?;
    let mut source = SourceFile::of(path, bytes);
    source.left_out = settings(&value, &mut source.settings);
    if !source.left_out.is_empty() {
        let names = source.left_out.join(", ");
        all.notes.push(format!(
            "{}: these settings are not copied, because they may contain a key: {names}",
            source.file
        ));
    }
    let run = run(path, &value, options)?;
    let limit = &value["config"]["limit"];
    if !limit.is_null() && !options.limited {
        return Err(fault(
            path,
            format!(
                "comes from a run with limit {limit}, which evaluated only a part of each task; pass \
                 --limited to import the file anyway"
            ),
        ));
    }
    let groups = value["group_subtasks"].as_object();
    // For a task without subtasks, `group_subtasks` contains an empty list.
    let is_group = |task: &str| {
        groups.and_then(|groups| groups.get(task)?.as_array()).is_some_and(|tasks| !tasks.is_empty())
            || value["groups"].get(task).is_some()
    };
    let mut keys = KeyRedaction::new();
    for (task, row) in results {
        if is_group(task) {
            all.notes.push(format!(
                "{task} is a group of tasks: the tasks are imported, but the mean of the group is not"
            ));
            continue;
        }
        let Some(row) = row.as_object() else { continue };
        let rows = metrics(row, options.metric.as_deref());
        if rows.is_empty() {
            let wanted = options.metric.as_deref().unwrap_or("a share of correct answers");
            all.notes.push(format!("{task} has no metric that is {wanted}: not imported"));
            continue;
        }
        let shots = options.shots.or_else(|| shots(&value, task)).ok_or_else(|| {
            fault(path, format!("does not state the number of shots of {task}; give the number with --shots"))
        })?;
        let read = samples::beside(path, task)?;
        for metric in &rows {
            let name = name(task, metric, rows.len());
            if let Some(samples) = &read
                && let Some(answers) = samples.answers(&run, &name, shots, (metric, &mut keys))?
            {
                source.samples_sha256.insert(task.clone(), samples.sha256.clone());
                all.add(answers);
                continue;
            }
            let Some(share) = metric.value else {
                all.notes.push(format!(
                    "{name}: not imported: {} is not a number; put the samples file, which contains the \
                     grades, into the same folder",
                    metric.grader()
                ));
                continue;
            };
            match n_items(&value, task, row, metric).or_else(|| all.given_items(options, task)) {
                Some(n) => {
                    let score = score(&run, &name, shots, n, share * n as f64);
                    all.scores.push(graded_by(score, &metric.grader()));
                }
                None => all.notes.push(format!(
                    "{name}: not imported: the number of items is missing; put the samples file into the \
                     same folder, or give the number with --n-items '{task}=N'"
                )),
            }
        }
    }
    all.notes.extend(keys.note().map(|note| format!("{} {note}", source.file)));
    all.provenance.sources.push(source);
    Ok(())
}
