//! Exports to the lm-evaluation-harness: results and samples in the format of version 0.4. A run of the
//! harness has one number of shots per task, so each number of shots has its own folder.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::collected::{Collected, CollectedItem, CollectedTask};
use super::exporter::{ExportFile, Exporter};
use crate::collect::results::facts::facts;
use crate::disk;
use crate::error::Result;
use crate::seed;

/// Exporter for the lm-evaluation-harness.
#[derive(Debug, Clone, Copy)]
pub struct LmEval;

const METRIC: &str = "exact_match";

impl Exporter for LmEval {
    fn name(&self) -> &'static str {
        "lm-eval"
    }

    fn summary(&self) -> &'static str {
        "results_*.json and samples_*.jsonl of the lm-evaluation-harness (0.4), one folder per number of \
         shots"
    }

    fn export(&self, collected: &Collected) -> Result<Vec<ExportFile>> {
        let mut by_shots: BTreeMap<usize, Vec<&CollectedTask>> = BTreeMap::new();
        for task in &collected.tasks {
            by_shots.entry(task.shots).or_default().push(task);
        }
        // The time format that the harness uses in file names.
        let at = collected.last().strftime("%Y-%m-%dT%H-%M-%S%.6f").to_string();
        let mut files = vec![];
        for (shots, tasks) in by_shots {
            let folder = format!("{shots}-shot");
            let folder = Path::new(&folder).join(disk::id_in_file_names(&collected.model));
            files.push(ExportFile::json(
                folder.join(format!("results_{at}.json")),
                &results(collected, &tasks),
            )?);
            for task in tasks {
                let samples: Vec<Value> =
                    (0..).zip(&task.items).filter_map(|(n, item)| sample(n, item)).collect();
                let name = format!("samples_{}_{at}.jsonl", disk::id_in_file_names(&task.name));
                files.push(ExportFile::lines(folder.join(name), &samples));
            }
        }
        Ok(files)
    }
}

/// An object with a value for each task.
fn by_task(tasks: &[&CollectedTask], value: impl Fn(&CollectedTask) -> Value) -> Value {
    Value::Object(tasks.iter().map(|task| (task.name.clone(), value(task))).collect::<Map<_, _>>())
}

fn results(collected: &Collected, tasks: &[&CollectedTask]) -> Value {
    let row = |task: &CollectedTask| {
        // The harness counts missing answers as wrong.
        let (mean, n) = task.mean(false);
        let stderr = mean.and_then(|mean| CollectedTask::standard_error(mean, n));
        let stderr = stderr.map_or(json!("N/A"), Value::from);
        json!({"alias": task.name, "exact_match,none": mean, "exact_match_stderr,none": stderr,
               "sample_len": n})
    };
    let configuration = |task: &CollectedTask| {
        json!({
            "task": task.name,
            "num_fewshot": task.shots,
            "output_type": "generate_until",
            "metric_list": [{"metric": METRIC, "aggregation": "mean", "higher_is_better": true}],
            "repeats": 1,
            "metadata": {"version": 1.0, "grader": collected.grader},
        })
    };
    let count = |task: &CollectedTask| json!({"original": task.items.len(), "effective": task.n_answered()});
    // `limit` is the only member of the harness's format that marks results as incomplete.
    let is_whole = tasks.iter().all(|task| task.is_whole());
    let limit = tasks.iter().map(|task| task.n_answered()).max().filter(|_| !is_whole);
    json!({
        "results": by_task(tasks, row),
        "group_subtasks": by_task(tasks, |_| json!([])),
        "configs": by_task(tasks, configuration),
        "versions": by_task(tasks, |_| json!(1.0)),
        "n-shot": by_task(tasks, |task| json!(task.shots)),
        "higher_is_better": by_task(tasks, |_| json!({"exact_match": true})),
        "n-samples": by_task(tasks, count),
        "config": {
            "model": collected.provider,
            "model_args": {"model": collected.model},
            "batch_size": 1,
            "limit": limit,
            "bootstrap_iters": 0,
            "gen_kwargs": null,
        },
        "date": collected.last().as_second() as f64,
        "lm_eval_version": null,
        "model_source": collected.provider,
        "model_name": collected.model,
        "model_name_sanitized": disk::id_in_file_names(&collected.model),
        "task_hashes": by_task(tasks, |task| json!(task.score.task_sha256)),
    })
}

/// The line of an item. For several answers, the harness stores all texts and one grade: the mean of their
/// credits.
fn sample(number: usize, item: &CollectedItem) -> Option<Value> {
    let first = item.answers.first()?;
    let credits: Vec<f64> = item.answers.iter().map(|answer| answer.row.credit.unwrap_or(0.0)).collect();
    let texts: Vec<&str> = item.answers.iter().map(|answer| answer.text.as_str()).collect();
    let hash = |text: &str| seed::sha256_hex(text.as_bytes());
    let target = item.gold.first().cloned().unwrap_or_default();
    let prompt = match item.prompt.as_slice() {
        [one] => one.content.clone(),
        several => json!(several).to_string(),
    };
    let kinds: Vec<Value> = item.answers.iter().map(|answer| Value::Object(facts(&answer.row))).collect();
    Some(json!({
        "doc_id": number,
        "doc": {"id": item.id, "question": item.question(), "gold": item.gold, "choices": item.choices},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": []}}},
        "resps": [texts],
        "filtered_resps": [first.row.answer],
        "filter": "none",
        "metrics": [METRIC],
        "doc_hash": hash(&format!("{}{}", item.id, item.question())),
        "prompt_hash": hash(&prompt),
        "target_hash": hash(&target),
        METRIC: credits.iter().sum::<f64>() / credits.len() as f64,
        "surmise": kinds,
    }))
}
