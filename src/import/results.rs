//! `results_*.json`: one row per task with its metrics, `"acc,none": 0.7` (before 0.4 `"acc": 0.7`).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::{Imported, Options, Run, fault, samples, score, source};
use crate::collect::secrets::Secrets;
use crate::error::Result;
use crate::provider::json;

/// Metrics that are shares of right answers; the mean of anything else is no accuracy.
pub(crate) static SHARES: &[&str] = &[
    "acc",
    "acc_norm",
    "acc_bytes",
    "acc_mutual_info",
    "exact_match",
    "em",
    "contains",
    "prompt_level_strict_acc",
    "prompt_level_loose_acc",
];

/// Settings that cannot hold a key; whatever else stands in a file stays there.
static SETTINGS: &[&str] = &[
    "batch_size",
    "bootstrap_iters",
    "date",
    "fewshot_as_multiturn",
    "fewshot_seed",
    "git_hash",
    "limit",
    "lm_eval_version",
    "model",
    "model_source",
    "numpy_seed",
    "random_seed",
    "system_instruction_sha",
    "chat_template_sha",
    "torch_seed",
    "transformers_version",
    "num_fewshot",
];

/// Stands for the name of an argument that has none.
static UNNAMED: &str = "(an argument without a name)";

/// Arguments of a model that cannot hold a key.
static MODEL_ARGS: &[&str] = &[
    "model",
    "pretrained",
    "revision",
    "dtype",
    "num_concurrent",
    "max_length",
    "max_gen_toks",
    "engine",
    "peft",
    "tokenizer_backend",
    "seed",
];

/// Members that are read here, or are known and of no use.
static OTHERS: &[&str] = &[
    "results",
    "groups",
    "group_subtasks",
    "configs",
    "versions",
    "n-shot",
    "higher_is_better",
    "n-samples",
    "config",
    "task_hashes",
    "model_name",
    "model_name_sanitized",
    "model_args",
    "batch_sizes",
    "device",
    "max_length",
    "eot_token_id",
    "tokenizer_pad_token",
    "tokenizer_eos_token",
    "tokenizer_bos_token",
    "total_evaluation_time_seconds",
    "start_time",
    "end_time",
    "upper_git_hash",
    "pretty_env_info",
    "chat_template",
    "use_cache",
    "eval_hf_args",
    "summary_tasks",
];

/// One accuracy of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRow {
    /// Its name.
    pub metric: String,
    /// The filter answers passed first; `none` where there is none.
    pub filter: String,
    /// The share of right answers.
    pub value: f64,
    /// Its standard error, where it is a number.
    pub stderr: Option<f64>,
}

/// Reads one file and the samples beside it.
pub(crate) fn read(path: &Path, bytes: &[u8], options: &Options, all: &mut Imported) -> Result<()> {
    let value = json::read(bytes).map_err(|why| {
        fault(path, format!("{why}; give results_*.json or samples_*.jsonl of the lm-evaluation-harness"))
    })?;
    let results = value["results"].as_object().filter(|results| !results.is_empty());
    let results = results
        .ok_or_else(|| fault(path, "has no `results`; give results_*.json of the lm-evaluation-harness"))?;
    let mut source = source(path, bytes);
    source.left_out = settings(&value, &mut source.settings);
    if !source.left_out.is_empty() {
        let names = source.left_out.join(", ");
        all.notes.push(format!("{}: not taken over, because they may hold a key: {names}", source.file));
    }
    let run = run(path, &value, options)?;
    let limit = &value["config"]["limit"];
    if !limit.is_null() && !options.limited {
        return Err(fault(
            path,
            format!(
                "is of a run with limit {limit}, which saw a part of each task; --limited takes it all the \
                 same"
            ),
        ));
    }
    let groups = value["group_subtasks"].as_object();
    // A task that is in no group stands there with an empty list of tasks.
    let is_group = |task: &str| {
        groups.and_then(|groups| groups.get(task)?.as_array()).is_some_and(|tasks| !tasks.is_empty())
            || value["groups"].get(task).is_some()
    };
    for (task, row) in results {
        if is_group(task) {
            all.notes.push(format!("{task} is a group: its tasks are imported and it is not"));
            continue;
        }
        let Some(row) = row.as_object() else { continue };
        let rows = metrics(row, options.metric.as_deref());
        if rows.is_empty() {
            let wanted = options.metric.as_deref().unwrap_or("a share of right answers");
            all.notes.push(format!("{task} has no metric that is {wanted}: not imported"));
            continue;
        }
        let shots = options.shots.or_else(|| shots(&value, task)).ok_or_else(|| {
            fault(path, format!("does not say with how many shots {task} was asked; give --shots"))
        })?;
        let read = samples::beside(path, task)?;
        for metric in &rows {
            let name = name(task, metric, rows.len());
            let counted =
                read.as_ref().map(|samples| samples.score(&run, &name, shots, metric)).transpose()?.flatten();
            if let (Some(score), Some(samples)) = (counted, &read) {
                source.samples_sha256.insert(task.clone(), samples.sha256.clone());
                all.scores.push(score);
                continue;
            }
            match n_items(&value, task, row, metric) {
                Some(n) => all.scores.push(score(&run, &name, shots, n, metric.value * n as f64)),
                None => all.notes.push(format!(
                    "{name}: the number of its items is not told: not imported; its samples beside it would \
                     tell"
                )),
            }
        }
    }
    all.provenance.sources.push(source);
    Ok(())
}

/// What tells one metric of a task from another, where there are several.
pub(crate) fn name(task: &str, metric: &MetricRow, of: usize) -> String {
    if of == 1 { task.into() } else { format!("{task}/{},{}", metric.metric, metric.filter) }
}

/// The accuracies of a task, in the order of their names.
pub(crate) fn metrics(row: &Map<String, Value>, wanted: Option<&str>) -> Vec<MetricRow> {
    let one = |(key, value): (&String, &Value)| {
        let (metric, filter) = key.split_once(',').unwrap_or((key, "none"));
        let asked = wanted.is_none_or(|wanted| wanted == metric || wanted == format!("{metric},{filter}"));
        let value = value.as_f64().filter(|value| (0.0..=1.0).contains(value))?;
        let stderr = [format!("{metric}_stderr,{filter}"), format!("{metric}_stderr")];
        let stderr = stderr.iter().find_map(|key| row.get(key)?.as_f64());
        let row = MetricRow { metric: metric.into(), filter: filter.into(), value, stderr };
        (asked && SHARES.contains(&metric)).then_some(row)
    };
    row.iter().filter_map(one).collect()
}

fn run(path: &Path, value: &Value, options: &Options) -> Result<Run> {
    let config = &value["config"];
    let named = [&value["model_name"], &config["model_args"]["model"], &config["model_args"]["pretrained"]];
    let argument = |name: &str| {
        let arguments = config["model_args"].as_str()?;
        arguments
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_owned())
    };
    let model = options.model.clone().or_else(|| {
        named.into_iter().find_map(|name| name.as_str().filter(|name| !name.is_empty())).map(Into::into)
    });
    let model = model
        .or_else(|| argument("model"))
        .or_else(|| argument("pretrained"))
        .or_else(|| config["model"].as_str().map(Into::into));
    let model = model.ok_or_else(|| fault(path, "does not name the model; give --model"))?;
    if options.model.is_none() && is_suspect(&model) {
        return Err(fault(path, "names the model by what may hold a key; give --model"));
    }
    let provider =
        value["model_source"].as_str().or(config["model"].as_str()).filter(|name| !is_suspect(name));
    let provider = provider.unwrap_or("lm-evaluation-harness").to_owned();
    // The date is in seconds since 1970.
    let collected_at = value["date"]
        .as_f64()
        .and_then(|s| jiff::Timestamp::from_second(s as i64).ok())
        .map(|at| at.to_string());
    Ok(Run { provider, model, collected_at })
}

fn shots(value: &Value, task: &str) -> Option<usize> {
    let places =
        [&value["n-shot"][task], &value["configs"][task]["num_fewshot"], &value["config"]["num_fewshot"]];
    places.into_iter().find_map(json::count).and_then(|n| usize::try_from(n).ok())
}

/// The number of items: told, or found from the standard error, `se = sqrt(p (1 - p) / (n - 1))`.
fn n_items(value: &Value, task: &str, row: &Map<String, Value>, metric: &MetricRow) -> Option<usize> {
    let told = [&value["n-samples"][task]["effective"], row.get("sample_len").unwrap_or(&Value::Null)];
    let told =
        told.into_iter().find_map(json::count).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    told.or_else(|| {
        let (p, se) = (metric.value, metric.stderr.filter(|se| *se > 0.0)?);
        let n = p * (1.0 - p) / (se * se) + 1.0;
        // The share of a whole number of items, unless it was found from something else than these.
        let right = (p * n.round() - (p * n.round()).round()).abs();
        (n.is_finite() && n < 1e9 && (n - n.round()).abs() < 0.02 * n.sqrt() && right < 0.01)
            .then(|| n.round() as usize)
    })
}

/// Whether a text is the name of a setting: an identifier, and shorter than a key.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.');
    text == UNNAMED || text.len() <= 32 && text.bytes().all(is_letter)
}

/// Whether a value may hold a key: a URL with a user and a password or with a query, or what looks like a
/// key.
pub(crate) fn is_suspect(text: &str) -> bool {
    text.contains("://") && text.contains(['@', '?']) || Secrets::new("").is_in(text)
}

/// Takes over what cannot hold a key, and gives the names of the rest.
fn settings(value: &Value, kept: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut dropped = vec![];
    let mut keep = |prefix: &str, key: &str, value: &Value, known: &[&str], quiet: &[&str]| {
        let plain = matches!(value, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_));
        let nothing = value.is_null()
            || value.as_object().is_some_and(Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        match value {
            _ if nothing => {}
            _ if known.contains(&key) && plain => {
                let text: String = value.as_str().map_or_else(|| value.to_string(), Into::into);
                match is_suspect(&text) {
                    true => dropped.push(format!("{prefix}{key}")),
                    false => drop(kept.insert(format!("{prefix}{key}"), text)),
                }
            }
            _ if quiet.contains(&key) || known.contains(&key) => {}
            // What stands for a name may be a piece of a value.
            _ if !is_name(key) => dropped.push(format!("{prefix}(a member whose name may hold a secret)")),
            _ => dropped.push(format!("{prefix}{key}")),
        }
    };
    for (key, value) in value.as_object().into_iter().flatten() {
        keep("", key, value, SETTINGS, OTHERS);
    }
    for (key, value) in value["config"].as_object().into_iter().flatten() {
        keep("config.", key, value, SETTINGS, OTHERS);
    }
    let arguments = &value["config"]["model_args"];
    for (key, value) in arguments.as_object().into_iter().flatten() {
        keep("config.model_args.", key, value, MODEL_ARGS, &[]);
    }
    for pair in arguments.as_str().unwrap_or_default().split(',').filter(|pair| !pair.is_empty()) {
        // Without a name it is a value alone, of which even the beginning may be a key.
        let (key, value) = pair.split_once('=').unwrap_or((UNNAMED, ""));
        keep("config.model_args.", key.trim(), &Value::String(value.trim().into()), MODEL_ARGS, &[]);
    }
    dropped
}
