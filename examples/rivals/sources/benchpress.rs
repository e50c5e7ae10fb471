//! Scores of 84 strong models on 133 benchmarks, most cells missing (microsoft/benchpress).

use std::path::Path;

use serde_json::Value;
use surmise::Result;

use super::known_enough;
use crate::frame::{Frame, fault};
use crate::problem::{Half, Problem, RivalColumns, Task, folds};
use crate::raw::{json, text_at};

const TARGETS: [&str; 8] = [
    "gpqa_diamond",
    "livecodebench",
    "mmlu_pro",
    "swe_bench_verified",
    "ifeval",
    "aime_2025",
    "hle",
    "simpleqa",
];

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let (scores, is_open) = scores(&folder.join("website/data.json"))?;
    let benchmarks = scores.names().split_off(3);
    let (mut models, mut closed) = (vec![], vec![]);
    for (at, target) in (0u64..).zip(TARGETS) {
        let cells = scores.get(target)?;
        let known: Vec<usize> = (0..scores.len()).filter(|&row| !cells[row].is_nan()).collect();
        let task = |name: String, rows: &[usize], asked: &[bool]| -> Result<Task> {
            let table = scores.rows(rows);
            let mut features = known_enough(&table, &benchmarks, target, asked)?;
            if features.is_empty() {
                features.push("reasoning01".into());
            }
            let rivals = RivalColumns { size: None, range: (0.0, 100.0), ..RivalColumns::new(features) };
            Task::new(name, &table, target, asked, rivals)
        };
        for (k, asked) in folds(300 + at, known.len(), 5).iter().enumerate() {
            models.push(task(format!("{target}-{k}"), &known, asked)?);
        }
        // A model is left out if the source does not state whether it is open.
        let told: Vec<usize> = known.iter().copied().filter(|&row| is_open[row].is_some()).collect();
        let asked: Vec<bool> = told.iter().map(|&row| is_open[row] == Some(false)).collect();
        closed.push(task(target.into(), &told, &asked)?);
    }
    let half = Half::Judging;
    Ok(vec![
        Problem::new("benchpress_models", "BenchPress, models left out (points)", half, models),
        Problem::new("benchpress_closed", "BenchPress, open -> closed (points)", half, closed),
    ])
}

/// The table, and whether each model has open weights.
fn scores(path: &Path) -> Result<(Frame, Vec<Option<bool>>)> {
    let data = json(path)?;
    let list = |key: &str| {
        data[key].as_array().ok_or_else(|| fault(format!("{}: {key} is not a list", path.display())))
    };
    let (models, benchmarks, observed) = (list("models")?, list("benchmarks")?, list("observed")?);
    let text = |key: &str| -> Result<Vec<String>> {
        models.iter().map(|model| text_at(model, &[key]).map(Into::into)).collect()
    };
    let flag = |model: &Value| f64::from(model["reasoning"].as_bool() == Some(true));
    let mut frame = Frame::default()
        .text("model", text("id")?)
        .text("family", text("provider")?)
        .numbers("reasoning01", models.iter().map(flag).collect());
    for (at, benchmark) in benchmarks.iter().enumerate() {
        let cells = observed.iter().map(|row| row[at].as_f64().unwrap_or(f64::NAN)).collect();
        frame = frame.numbers(text_at(benchmark, &["id"])?, cells);
    }
    Ok((frame, models.iter().map(|model| model["open_weights"].as_bool()).collect()))
}
