//! Predicts strong models from weak models (ryoungj/ObsScaling): the seven targets of
//! `examples/weak_to_strong.rs` on the table of this project, and seven other targets on the table of the
//! source.

use std::collections::BTreeMap;
use std::path::Path;

use surmise::Result;
use surmise::calibration::CalibrationSpec;

use crate::frame::Frame;
use crate::problem::{Half, Problem, RivalColumns, Task};
use crate::raw::{Record, cell, number, records};

/// Columns of the table of this project, and columns of the table of the source.
const FEATURES: [(&str, &str); 8] = [
    ("bench_mmlu", "MMLU"),
    ("bench_arc_c", "ARC-C"),
    ("bench_hellaswag", "HellaSwag"),
    ("bench_winograd", "Winograd"),
    ("bench_truthfulqa", "TruthfulQA"),
    ("bench_gsm8k", "GSM8K"),
    ("bench_xwinograd", "XWinograd"),
    ("bench_humaneval", "HumanEval"),
];
/// Column, limit in 1e21 FLOPs, unit of the scores, and whether GSM8K is left out of the features.
const SHARED: [(&str, f64, f64, bool); 7] = [
    ("em_arithmetic_3ds_acc", 22.0, 1.0, true),
    ("em_arithmetic_3da_acc", 22.0, 1.0, true),
    ("em_arithmetic_2dm_acc", 22.0, 1.0, true),
    ("em_ipa_transliterate_exact_match", 84.0, 1.0, false),
    ("em_ipa_transliterate_bleu", 84.0, 100.0, false),
    ("pt_gsm8k_5shot", 84.0, 1.0, true),
    ("pt_bbh_fewshot", 84.0, 1.0, false),
];
/// Column of the source, name, limit, and whether GSM8K is left out of the features.
const OTHERS: [(&str, &str, f64, bool); 7] = [
    ("parsinlu_qa_2_acc", "em_parsinlu_qa_acc", 84.0, false),
    ("word_unscrambling_2_exact_match", "em_word_unscrambling_exact_match", 84.0, false),
    ("arithmetic_2da_2_acc", "em_arithmetic_2da_acc", 22.0, true),
    ("gsm8k_cot_8_exact_match,flexible-extract", "pt_gsm8k_cot_8shot", 84.0, true),
    ("gsm8k_cot_zeroshot_0_exact_match,flexible-extract", "pt_gsm8k_cot_zeroshot", 84.0, true),
    ("gsm8k_cot_self_consistency_8_exact_match,maj@5-flexible-extract", "pt_gsm8k_cot_sc5", 84.0, true),
    ("bbh_cot_fewshot_overall_3_exact_match,flexible-extract", "pt_bbh_cot_fewshot", 84.0, false),
];

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let tidy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/obs_tidy.csv");
    let tidy = records(tidy.as_ref(), &SHARED.map(|(target, ..)| target))?;
    let named = |name: &'static str| (name, name);
    let features = FEATURES.map(|(ours, _)| named(ours));
    let known = ["model", "family", "params_b", "tokens_t", "flops_1e21"].map(named);
    let mut shared = vec![];
    for (target, cut, unit, without_gsm8k) in SHARED {
        let frame = frame(&tidy, &known, &features, (target, target));
        shared.push(task(&frame, target, cut, unit, without_gsm8k)?);
    }
    let results = folder.join("eval_results");
    let table = |name: &str, columns: &[&str]| {
        records(&results.join(format!("base_llm_{name}_eval.csv")), &[&["Model"], columns].concat())
    };
    let mut models: BTreeMap<String, Record> = BTreeMap::new();
    for row in table("benchmark", &FEATURES.map(|(_, theirs)| theirs))? {
        models.insert(cell(&row, "Model").into(), row);
    }
    for row in table("emergent_capability", &OTHERS.map(|(column, ..)| column)[..3])?
        .into_iter()
        .chain(table("post_training", &OTHERS.map(|(column, ..)| column)[3..])?)
    {
        if let Some(model) = models.get_mut(cell(&row, "Model")) {
            model.extend(row);
        }
    }
    let rows: Vec<Record> = models.into_values().collect();
    let known = [
        ("model", "Model"),
        ("family", "Model Family"),
        ("params_b", "Model Size (B)"),
        ("tokens_t", "Pretraining Data Size (T)"),
        ("flops_1e21", "FLOPs (1E21)"),
    ];
    let mut others = vec![];
    for (column, target, cut, without_gsm8k) in OTHERS {
        let frame = frame(&rows, &known, &FEATURES, (target, column));
        others.push(task(&frame, target, cut, 1.0, without_gsm8k)?);
    }
    let half = Half::Judging;
    Ok(vec![
        Problem::new(
            "obs_shared",
            "ObsScaling, weak -> strong, the seven targets in this project",
            half,
            shared,
        ),
        Problem::new("obs_other", "ObsScaling, weak -> strong, seven other targets", half, others),
    ])
}

/// The rows with a known target. Each pair of names is the name used here and the name in the file.
fn frame(rows: &[Record], known: &[(&str, &str)], features: &[(&str, &str)], target: (&str, &str)) -> Frame {
    let rows: Vec<&Record> = rows.iter().filter(|row| !number(cell(row, target.1)).is_nan()).collect();
    let mut frame = Frame::default();
    for (ours, theirs) in known.iter().chain(features).chain([&target]) {
        frame = match *ours {
            "model" | "family" => frame.text(ours, rows.iter().map(|row| cell(row, theirs).into()).collect()),
            _ => frame.numbers(ours, rows.iter().map(|row| number(cell(row, theirs))).collect()),
        };
    }
    frame
}

/// Models with known training compute up to the limit are fitted; all others are predicted.
fn task(frame: &Frame, target: &str, cut: f64, unit: f64, without_gsm8k: bool) -> Result<Task> {
    let names = FEATURES.iter().map(|(ours, _)| (*ours).to_owned());
    let features: Vec<String> = names.filter(|name| !(without_gsm8k && name == "bench_gsm8k")).collect();
    let is_weak = |flops: &f64| *flops <= cut;
    let asked: Vec<bool> = frame.get("flops_1e21")?.iter().map(|flops| !is_weak(flops)).collect();
    let rivals = RivalColumns {
        compute: Some("flops_1e21"),
        range: (0.0, unit),
        ..RivalColumns::new(features.clone())
    };
    let task = Task::new(target, frame, target, &asked, rivals)?;
    Ok(Task { flags: CalibrationSpec { features, ..task.flags }, unit, ..task })
}
