//! Epoch AI's benchmark data (epoch-research/benchmark-stitching): models since November 2022 with more than
//! three benchmarks. If a model has several runs, the best run counts, as in the source's own loader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use surmise::Result;

use super::known_enough;
use crate::frame::Frame;
use crate::problem::{Half, Problem, RivalColumns, Task, folds};
use crate::raw::{cell, number, records};

const TARGETS: [&str; 7] = [
    "MMLU",
    "GPQA_diamond",
    "OTIS_Mock_AIME_2024_2025",
    "MATH_level_5",
    "Winogrande",
    "GSM8K",
    "FrontierMath_2025_02_28_Private",
];
/// Runs by Epoch AI itself: the name in the file, and the name used here.
const OWN: [(&str, &str); 6] = [
    ("GPQA diamond", "GPQA_diamond"),
    ("FrontierMath-2025-02-28-Private", "FrontierMath_2025_02_28_Private"),
    ("MATH level 5", "MATH_level_5"),
    ("OTIS Mock AIME 2024-2025", "OTIS_Mock_AIME_2024_2025"),
    ("SWE-Bench verified", "SWE-Bench_verified"),
    ("FrontierMath-Tier-4-2025-07-01-Private", "FrontierMath_Tier_4_2025_07_01_Private"),
];
/// External benchmarks: the file, its column, the divisor of the values, and the name used here.
const EXTERNAL: [(&str, &str, f64, &str); 34] = [
    ("aider_polyglot", "Percent correct", 100.0, "Aider_polyglot"),
    ("anli", "Score", 100.0, "ANLI"),
    ("arc_agi", "Score", 100.0, "ARC-AGI"),
    ("arc_ai2", "Challenge score", 100.0, "ARC_AI2"),
    ("balrog", "Average progress", 100.0, "Balrog"),
    ("bbh", "Average", 100.0, "BBH"),
    ("cadeval", "Overall pass (%)", 100.0, "CadEval"),
    ("csqa2", "Score", 100.0, "CSQA2"),
    ("cybench", "Unguided % Solved", 100.0, "Cybench"),
    ("deepresearch", "Average score", 100.0, "DeepResearch_Bench"),
    ("factorio_learning_environment", "Lab Success %", 100.0, "Factorio"),
    ("fictionlivebench", "16k token score", 100.0, "Fiction.LiveBench"),
    ("geobench", "ACW Country %", 100.0, "GeoBench"),
    ("gsm8k", "EM", 100.0, "GSM8K"),
    ("gso_bench", "Score OPT@1", 100.0, "GSO-Bench"),
    ("hellaswag", "Overall accuracy", 100.0, "HellaSwag"),
    ("lambada", "Score", 100.0, "LAMBADA"),
    ("lech_mazur_writing", "Mean score", 10.0, "Lech_Mazur_Writing"),
    ("livebench", "Global average", 100.0, "LiveBench"),
    ("mmlu", "EM", 100.0, "MMLU"),
    ("openbookqa", "Accuracy", 100.0, "OpenBookQA"),
    ("os_world", "Score", 100.0, "OSWorld"),
    ("osuniverse", "Weighted Score", 100.0, "OSUniverse"),
    ("piqa", "Score", 100.0, "PIQA"),
    ("scienceqa", "Score", 100.0, "ScienceQA"),
    ("simple_bench", "Score (AVG@5)", 100.0, "SimpleBench"),
    ("superglue", "Score", 100.0, "SuperGLUE"),
    ("terminal_bench", "Accuracy mean", 100.0, "Terminal_Bench"),
    ("the_agent_company", "% Resolved", 100.0, "The_Agent_Company"),
    ("triviaqa", "EM", 100.0, "TriviaQA"),
    ("videomme", "Overall (no subtitles)", 100.0, "VideoMME"),
    ("vpct", "Correct", 100.0, "VPCT"),
    ("weirdml", "Accuracy", 100.0, "WeirdML"),
    ("winogrande", "Accuracy", 100.0, "Winogrande"),
];
const OWN_SCORE: &str = "Best score (across scorers)";
/// The column of the developer's name on Hugging Face. A model counts as open if this cell is not empty.
const DEVELOPER: &str = "Hugging Face developer id";
const FIRST_RELEASE: &str = "2022-11-01";
const LATER: &str = "2025-01-01";
const LEAST_BENCHMARKS: usize = 4;
/// Minimum numbers of rows to fit and to predict.
const LEAST_ROWS: (usize, usize) = (8, 5);

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let scores = scores(&folder.join("data"))?;
    let benchmarks = scores.names().split_off(4);
    let (mut models, mut closed, mut later) = (vec![], vec![], vec![]);
    for (at, target) in (0u64..).zip(TARGETS) {
        let known = scores.complete(&[target])?;
        let task = |name: String, table: &Frame, asked: &[bool]| -> Result<Task> {
            let mut features = known_enough(table, &benchmarks, target, asked)?;
            if features.is_empty() && table.has("open01") {
                features.push("open01".into());
            }
            let rivals = RivalColumns { size: None, ..RivalColumns::new(features) };
            Task::new(name, table, target, asked, rivals)
        };
        let undated = known.clone().without(&["date"]);
        for (k, asked) in folds(400 + at, known.len(), 5).iter().enumerate() {
            models.push(task(format!("{target}-{k}"), &undated, asked)?);
        }
        let bare = undated.without(&["open01"]);
        let is_closed: Vec<bool> = known.get("open01")?.iter().map(|open| *open == 0.0).collect();
        let is_later: Vec<bool> = known.words("date")?.iter().map(|date| date.as_str() >= LATER).collect();
        for (tasks, asked) in [(&mut closed, is_closed), (&mut later, is_later)] {
            let n = asked.iter().filter(|asked| **asked).count();
            if asked.len() - n >= LEAST_ROWS.0 && n >= LEAST_ROWS.1 {
                tasks.push(task(target.into(), &bare, &asked)?);
            }
        }
    }
    let half = Half::Judging;
    Ok(vec![
        Problem::new("epoch_models", "Epoch, models left out", half, models),
        Problem::new("epoch_closed", "Epoch, open -> closed", half, closed),
        Problem::new("epoch_later", "Epoch, before 2025 -> 2025", half, later),
    ])
}

/// One row for each model: name, family, date, whether its weights are open, and its benchmarks.
fn scores(folder: &Path) -> Result<Frame> {
    let mut best = BTreeMap::<String, BTreeMap<&str, f64>>::new();
    let mut put = |model: &str, benchmark: &'static str, value: f64| {
        if !model.is_empty() && !value.is_nan() {
            let cell = best.entry(model.into()).or_default().entry(benchmark).or_insert(value);
            *cell = cell.max(value);
        }
    };
    for run in records(&folder.join("benchmarks_runs.csv"), &["task", "model", OWN_SCORE])? {
        if let Some((_, ours)) = OWN.iter().find(|(name, _)| *name == cell(&run, "task")) {
            put(cell(&run, "model"), ours, number(cell(&run, OWN_SCORE)));
        }
    }
    for (file, column, scale, ours) in EXTERNAL {
        for row in
            records(&folder.join(format!("external_benchmark_{file}.csv")), &["Model version", column])?
        {
            put(cell(&row, "Model version"), ours, number(cell(&row, column)) / scale);
        }
    }
    let versions: BTreeMap<String, (String, f64)> =
        records(&folder.join("model_versions.csv"), &["id", "Version release date", DEVELOPER])?
            .iter()
            .map(|row| {
                let is_open = !cell(row, DEVELOPER).is_empty();
                (cell(row, "id").into(), (cell(row, "Version release date").into(), f64::from(is_open)))
            })
            .collect();
    best.retain(|model, cells| {
        let is_recent = versions.get(model).is_some_and(|(date, _)| date.as_str() >= FIRST_RELEASE);
        is_recent && cells.len() >= LEAST_BENCHMARKS
    });
    let family = |model: &String| {
        let head: String = model.chars().take_while(char::is_ascii_alphabetic).collect();
        if head.is_empty() { "other".into() } else { head.to_lowercase() }
    };
    let mut frame = Frame::default()
        .text("model", best.keys().cloned().collect())
        .text("family", best.keys().map(family).collect())
        .text("date", best.keys().map(|model| versions[model].0.clone()).collect())
        .numbers("open01", best.keys().map(|model| versions[model].1).collect());
    let benchmarks: BTreeSet<&str> = best.values().flat_map(|cells| cells.keys().copied()).collect();
    for benchmark in benchmarks {
        let cells = best.values().map(|cells| cells.get(benchmark).copied().unwrap_or(f64::NAN)).collect();
        frame = frame.numbers(benchmark, cells);
    }
    Ok(frame)
}
