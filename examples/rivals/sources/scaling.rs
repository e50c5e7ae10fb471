//! Over-trained small models on three corpora (mlfoundations/scaling): sizes, tokens, losses, 46 tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use surmise::Result;
use surmise::calibration::CalibrationSpec;

use super::with_compute;
use crate::frame::{Frame, fault};
use crate::problem::{Half, Problem, RivalColumns, Task, distinct, folds, is, uniform};
use crate::raw::{cell, json, listing, number_at, records, text_at};

const TARGETS: [&str; 11] = [
    "avg46",
    "hellaswag",
    "arc_easy",
    "lambada_openai",
    "piqa",
    "boolq",
    "jeopardy",
    "squad",
    "mmlu",
    "coqa",
    "winograd",
];
const FROM_OTHERS: [&str; 5] = ["hellaswag", "jeopardy", "mmlu", "lambada_openai", "boolq"];
const OF_ARCHITECTURES: [&str; 4] = ["avg46", "hellaswag", "lambada_openai", "arc_easy"];
const SIZE: [&str; 7] =
    ["model", "family", "params_b", "tokens_b", "flops_1e21", "log10_tokens", "log10_flops"];
/// Fraction of the cells of each feature task that are removed at random.
const MISSING: f64 = 0.3;

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let (frame, tasks) = models(&folder.join("exp_data"))?;
    let losses: Vec<String> = frame.names().into_iter().filter(|name| name.starts_with("loss_")).collect();
    let is_large: Vec<bool> = frame.get("params_b")?.iter().map(|size| *size > 1.0).collect();
    let compute = |features| RivalColumns { compute: Some("flops_1e21"), ..RivalColumns::new(features) };
    let (mut by_size, mut by_loss) = (vec![], vec![]);
    for target in TARGETS {
        let bare = frame.columns(&[&SIZE[..], &[target]].concat())?;
        let logs = vec!["log10_tokens".into(), "log10_flops".into()];
        by_size.push(Task::new(target, &bare, target, &is_large, compute(logs))?);
        let mut names: Vec<&str> = SIZE.to_vec();
        names.extend(losses.iter().map(String::as_str));
        names.push(target);
        by_loss.push(Task::new(target, &frame.columns(&names)?, target, &is_large, compute(losses.clone()))?);
    }
    let half = Half::Development;
    Ok(vec![
        Problem::new("scaling_a", "scaling, up to .41B -> 1.4B, 6.9B; size and tokens", half, by_size),
        Problem::new("scaling_b", "scaling, up to .41B -> 1.4B, 6.9B; losses known", half, by_loss),
        Problem::new(
            "scaling_d",
            "scaling, a task from 45 others, 30 % missing",
            half,
            from_others(&frame, &tasks)?,
        ),
        Problem::new(
            "scaling_e",
            "scaling, an architecture left out; losses known",
            half,
            architectures(&frame, &losses)?,
        ),
    ])
}

fn from_others(frame: &Frame, tasks: &[String]) -> Result<Vec<Task>> {
    let mut made = vec![];
    for (at, target) in (0u64..).zip(FROM_OTHERS) {
        let others: Vec<String> = tasks.iter().filter(|task| *task != target).cloned().collect();
        let mut table = frame.clone().without(&["avg46", "tokens_b", "flops_1e21", "arch"]);
        table = table
            .without(&frame.names().into_iter().filter(|name| name.starts_with("loss_")).collect::<Vec<_>>());
        for (column, name) in (0u64..).zip(&others) {
            let is_empty = |row: u64| uniform(100 + at, row * 1000 + column) < MISSING;
            table = table.emptied(name, &(0..frame.len() as u64).map(is_empty).collect::<Vec<_>>());
        }
        for (k, asked) in folds(200 + at, frame.len(), 5).iter().enumerate() {
            let rivals = RivalColumns::new(others.clone());
            made.push(Task::new(format!("{target}-{k}"), &table, target, asked, rivals)?);
        }
    }
    Ok(made)
}

fn architectures(frame: &Frame, losses: &[String]) -> Result<Vec<Task>> {
    let mut made = vec![];
    for target in OF_ARCHITECTURES {
        let mut names = vec!["model", "arch", "params_b", "log10_tokens", "log10_flops"];
        names.extend(losses.iter().map(String::as_str));
        names.push(target);
        let table = frame.columns(&names)?;
        let architectures = table.words("arch")?;
        for architecture in distinct(architectures) {
            let mut features = losses.to_vec();
            features.push("log10_tokens".into());
            let asked = is(architectures, &architecture);
            let name = format!("{target}-{architecture}");
            let mut task = Task::new(name, &table, target, &asked, RivalColumns::new(features))?;
            task.flags = CalibrationSpec {
                group: Some("arch".into()),
                features: vec!["loss_*".into(), "log10_tokens".into()],
                ..task.flags
            };
            made.push(task);
        }
    }
    Ok(made)
}

/// The table of models, and the names of the tasks that the source averages.
fn models(folder: &Path) -> Result<(Frame, Vec<String>)> {
    let listed: BTreeSet<String> = records(&folder.join("eval_metadata.csv"), &["Eval Task"])?
        .iter()
        .map(|record| cell(record, "Eval Task").to_owned())
        .collect();
    let (mut text, mut columns) = ([vec![], vec![], vec![]], BTreeMap::<String, Vec<f64>>::new());
    let (mut params, mut tokens) = (vec![], vec![]);
    for path in listing(&folder.join("models"))? {
        let model = json(&path)?;
        let name = text_at(&model, &["name"])?.to_owned();
        let evaluation = json(&folder.join(format!("evals/evaluation_{name}_heavy.json")))?;
        let architecture = text_at(&model, &["hyperparameters", "model"])?;
        let architecture = architecture.rsplit('/').next().unwrap_or_default().replace(".json", "");
        params.push(number_at(&model, &["hyperparameters", "params"])? / 1e9);
        tokens.push(number_at(&model, &["hyperparameters", "tokens"])? / 1e9);
        let rows = params.len();
        let mut put = |column: String, value: f64| {
            let cells = columns.entry(column).or_default();
            cells.resize(rows - 1, f64::NAN);
            cells.push(value);
        };
        for result in model["results"].as_array().into_iter().flatten() {
            put(format!("loss_{}", corpus(&result["val_data"])?), number_at(result, &["loss"])?);
        }
        for (task, value) in evaluation["eval_metrics"]["icl"].as_object().into_iter().flatten() {
            put(task.clone(), value.as_f64().unwrap_or(f64::NAN));
        }
        text[1].push(text_at(&model, &["dataset_name"])?.to_owned());
        text[2].push(architecture);
        text[0].push(name);
    }
    let rows = params.len();
    columns.values_mut().for_each(|cells| cells.resize(rows, f64::NAN));
    let tasks: Vec<String> = columns.keys().filter(|name| listed.contains(*name)).cloned().collect();
    let average = |row: usize| {
        let known = tasks.iter().map(|task| columns[task][row]).filter(|cell| !cell.is_nan());
        let (sum, n) = known.fold((0.0, 0.0), |(sum, n), cell| (sum + cell, n + 1.0));
        sum / n
    };
    let averages = (0..rows).map(average).collect();
    let [names, families, architectures] = text;
    let mut frame = Frame::default()
        .text("model", names)
        .text("family", families)
        .text("arch", architectures)
        .numbers("params_b", params)
        .numbers("tokens_b", tokens);
    let (losses, scores): (Vec<_>, Vec<_>) =
        columns.into_iter().partition(|(name, _)| name.starts_with("loss_"));
    for (name, cells) in losses.into_iter().chain(scores) {
        frame = frame.numbers(&name, cells);
    }
    Ok((with_compute(frame)?.numbers("avg46", averages), tasks))
}

/// The corpus of a loss, which is the folder of its first file.
fn corpus(files: &Value) -> Result<String> {
    let first = files.get(0).unwrap_or(files).as_str().unwrap_or_default();
    let folder = first
        .rsplit('/')
        .nth(1)
        .ok_or_else(|| fault(format!("the files of a loss are not in the folder of a corpus: {files}")))?;
    Ok(folder.to_owned())
}
