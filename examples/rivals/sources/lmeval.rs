//! Zero-shot scores of OPT, BLOOM, XGLM, LLaMA and MPT (EleutherAI/lm-evaluation-harness, branch mmlu).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use surmise::Result;
use surmise::calibration::CalibrationSpec;

use crate::frame::{Frame, fault};
use crate::problem::{Half, Problem, RivalColumns, Task, is};
use crate::raw::{json, listing};

const SIZES: [(&str, f64); 22] = [
    ("opt-125m", 0.125),
    ("opt-350m", 0.35),
    ("opt-1.3b", 1.3),
    ("opt-2.7b", 2.7),
    ("opt-6.7b", 6.7),
    ("opt-13b", 13.0),
    ("opt-30b", 30.0),
    ("opt-66b", 66.0),
    ("bloom-560m", 0.56),
    ("bloom-1b1", 1.1),
    ("bloom-1b7", 1.7),
    ("bloom-3b", 3.0),
    ("bloom-7b1", 7.1),
    ("xglm-564M", 0.564),
    ("xglm-1.7B", 1.7),
    ("xglm-2.9B", 2.9),
    ("xglm-4.5B", 4.5),
    ("xglm-7.5B", 7.5),
    ("llama-7B", 6.7),
    ("llama-13B", 13.0),
    ("llama-30B", 32.5),
    ("mpt-7b", 6.7),
];
const METRICS: [&str; 6] = ["acc", "acc_norm", "f1", "mc2", "exact", "em"];
const LARGEST: [&str; 5] = ["opt-30b", "opt-66b", "bloom-7b1", "xglm-7.5B", "llama-30B"];
const TASKS: [&str; 4] = ["piqa.acc", "arc_easy.acc", "winogrande.acc", "arc_challenge.acc"];
const WIDE: [&str; 6] =
    ["hellaswag.acc", "openbookqa.acc", "boolq.acc", "xnli_en.acc", "copa.acc", "swag.acc"];

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let scores = scores(&folder.join("results"))?;
    let (models, families) = (scores.words("model")?, scores.words("family")?);
    let sizes = scores.get("params_b")?;
    let is_large: Vec<bool> = models.iter().map(|model| LARGEST.contains(&model.as_str())).collect();
    // Rows are sorted by size within a family.
    let smallest: Vec<usize> = families
        .iter()
        .map(|of| families.iter().position(|family| family == of).unwrap_or_default())
        .collect();
    let larger: Vec<usize> = (0..scores.len()).filter(|&row| smallest[row] != row).collect();
    let (mut by_size, mut by_proxy, mut by_family) = (vec![], vec![], vec![]);
    for task in TASKS {
        let bare = scores.columns(&["model", "family", "params_b", task])?;
        by_size.push(Task::new(task, &bare, task, &is_large, RivalColumns::new(vec![]))?);
        let cells = scores.get(task)?;
        let of_smallest = |cells: &[f64]| smallest.iter().map(|&row| cells[row]).collect::<Vec<_>>();
        let with_proxy =
            bare.numbers("proxy", of_smallest(cells)).numbers("proxy_b", of_smallest(sizes)).rows(&larger);
        let asked: Vec<bool> = larger.iter().map(|&row| is_large[row]).collect();
        let rivals = RivalColumns::new(vec!["proxy".into()]);
        let mut made = Task::new(task, &with_proxy, task, &asked, rivals)?;
        made.flags =
            CalibrationSpec { proxy: Some("proxy".into()), proxy_size: Some("proxy_b".into()), ..made.flags };
        by_proxy.push(made);
        let names: Vec<&str> = ["model", "family", "params_b"].into_iter().chain(TASKS).collect();
        let table = scores.columns(&names)?;
        for family in ["bloom", "llama", "opt", "xglm"] {
            let others = TASKS.into_iter().filter(|other| *other != task).map(Into::into).collect();
            let rivals = RivalColumns::new(others);
            by_family.push(Task::new(
                format!("{task}-{family}"),
                &table,
                task,
                &is(families, family),
                rivals,
            )?);
        }
    }
    let half = Half::Judging;
    let mut wide = vec![];
    for task in WIDE {
        let known = scores.complete(&[task])?;
        let models = known.words("model")?;
        let features = features(&known, task)?;
        // Every second model is left out in turn.
        for model in models.iter().step_by(2) {
            let rivals = RivalColumns::new(features.clone());
            wide.push(Task::new(format!("{task}-{model}"), &known, task, &is(models, model), rivals)?);
        }
    }
    Ok(vec![
        Problem::new("lmeval_size", "lm-eval, the largest of a family; size alone", half, by_size),
        Problem::new("lmeval_proxy", "lm-eval, the same, the smallest member as `--proxy`", half, by_proxy),
        Problem::new("lmeval_family", "lm-eval, a family left out, a task from 3", half, by_family),
        Problem::new("lmeval_wide", "lm-eval, a model left out, more columns than rows", half, wide),
    ])
}

/// The columns of accuracies that are known for more than half of the models.
fn features(known: &Frame, target: &str) -> Result<Vec<String>> {
    let is_accuracy = |name: &String| [".acc", ".acc_norm", ".mc2"].iter().any(|end| name.ends_with(end));
    let mut kept = vec![];
    for name in known.names().into_iter().filter(|name| is_accuracy(name) && name != target) {
        let cells = known.get(&name)?;
        if cells.iter().filter(|cell| !cell.is_nan()).count() * 2 > cells.len() {
            kept.push(name);
        }
    }
    Ok(kept)
}

/// One row for each model, sorted by family and size. A model has several files. If two files contain the
/// same task, the file whose name sorts last counts.
fn scores(folder: &Path) -> Result<Frame> {
    let mut models = BTreeMap::<String, BTreeMap<String, f64>>::new();
    for family in listing(folder)?.into_iter().filter(|path| path.is_dir()) {
        for model in listing(&family)?.into_iter().filter(|path| path.is_dir()) {
            let name = model.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let cells = models.entry(name).or_default();
            for path in
                listing(&model)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json"))
            {
                let results = json(&path)?;
                for (task, values) in results["results"].as_object().into_iter().flatten() {
                    for metric in METRICS {
                        for key in [metric.to_owned(), format!("{metric}_stderr")] {
                            if let Some(value) = values[&key].as_f64() {
                                cells.insert(format!("{task}.{key}"), value);
                            }
                        }
                    }
                }
            }
        }
    }
    let size = |model: &str| SIZES.iter().find(|(name, _)| *name == model).map(|(_, size)| *size);
    let mut rows = vec![];
    for (model, cells) in models {
        let size = size(&model).ok_or_else(|| fault(format!("SIZES has no entry for {model}")))?;
        rows.push((model.split('-').next().unwrap_or_default().to_owned(), size, model, cells));
    }
    rows.sort_by(|a, b| (&a.0, a.1).partial_cmp(&(&b.0, b.1)).unwrap_or(std::cmp::Ordering::Equal));
    let columns: BTreeSet<String> = rows.iter().flat_map(|row| row.3.keys().cloned()).collect();
    let mut frame = Frame::default()
        .text("model", rows.iter().map(|row| row.2.clone()).collect())
        .text("family", rows.iter().map(|row| row.0.clone()).collect())
        .numbers("params_b", rows.iter().map(|row| row.1).collect());
    for column in columns {
        let cells = rows.iter().map(|row| row.3.get(&column).copied().unwrap_or(f64::NAN)).collect();
        frame = frame.numbers(&column, cells);
    }
    Ok(frame)
}
