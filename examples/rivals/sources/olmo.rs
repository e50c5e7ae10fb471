//! The OLMo model ladder (allenai/OLMo, branch ladder-1xC): five sizes, five training lengths, two targets.

use std::path::Path;

use surmise::Result;

use super::with_compute;
use crate::frame::Frame;
use crate::problem::{Half, Problem, RivalColumns, Task};
use crate::raw::{Record, cell, number, records};

const SIZES: [(&str, f64); 5] = [
    ("190M", 190_354_176.0),
    ("370M", 371_262_464.0),
    ("760M", 758_220_288.0),
    ("1B", 1_279_395_840.0),
    ("3B", 3_169_537_280.0),
];
const CHINCHILLA: [&str; 5] = ["0.5", "1", "2", "5", "10"];
/// Name, file, parameters and tokens of the models that the ladder predicts.
const TARGETS: [(&str, &str, f64, f64); 2] = [
    ("OLMo-7B-4T", "peteish7_eval_anneal.csv", 6_887_575_552.0, 3945e9),
    ("OLMo-13B-5T", "peteish13_eval_final.csv", 13_202_396_160.0, 5000e9),
];
const TASKS: [(&str, &[&str]); 8] = [
    ("hellaswag", &["hellaswag_val"]),
    ("arc_c", &["arc_challenge_test"]),
    ("arc_e", &["arc_easy_test"]),
    ("piqa", &["piqa_val"]),
    ("csqa", &["csqa_val"]),
    ("socialiqa", &["socialiqa_val"]),
    ("openbookqa", &["openbookqa_test"]),
    ("mmlu", &["mmlu_stem_test", "mmlu_humanities_test", "mmlu_social_sciences_test", "mmlu_other_test"]),
];
const LOSSES: [&str; 3] = ["c4_en", "pile", "wikitext_103"];

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let ladder = ladder(&folder.join("scripts/scaling/data/peteish-moreeval"))?;
    let sizes = ladder.get("params_b")?.to_vec();
    let above = |cut: f64| sizes.iter().map(|size| *size > cut).collect::<Vec<bool>>();
    let (mut two, mut three, mut known) = (vec![], vec![], vec![]);
    for (task, _) in TASKS {
        let (target, loss) = (format!("acc_{task}"), format!("bpb_{task}"));
        let size = ["model", "family", "params_b", "tokens_b", "flops_1e21", "log10_tokens", "log10_flops"];
        let bare = ladder.columns(&[&size[..], &[&target, &loss]].concat())?;
        let by_size = |cut: f64| {
            let rivals = RivalColumns {
                compute: Some("flops_1e21"),
                ..RivalColumns::new(vec!["log10_tokens".into(), "log10_flops".into()])
            };
            // Before the training of a large model, its loss is also unknown.
            Task::new(task, &bare.clone().emptied(&loss, &above(cut)), &target, &above(cut), rivals)
        };
        two.push(by_size(5.0)?);
        three.push(by_size(2.0)?);
        let is_score = |name: &String| name.starts_with("acc_") || name.starts_with("bpb_");
        let others = ladder.names().into_iter().filter(|name| is_score(name) && *name != target).collect();
        let rivals = RivalColumns { compute: Some("flops_1e21"), ..RivalColumns::new(others) };
        known.push(Task::new(task, &ladder, &target, &above(5.0), rivals)?);
    }
    Ok(vec![
        Problem::new("olmo_a", "OLMo ladder, 190M to 3B -> 7B, 13B; size and tokens", Half::Judging, two),
        Problem::new(
            "olmo_b",
            "OLMo ladder, up to 1.3B -> 3B, 7B, 13B; size and tokens",
            Half::Judging,
            three,
        ),
        Problem::new("olmo_c", "OLMo ladder -> 7B, 13B; losses and other tasks known", Half::Judging, known),
    ])
}

/// The last checkpoint of every run.
fn ladder(folder: &Path) -> Result<Frame> {
    let (mut models, mut params, mut tokens, mut last) = (vec![], vec![], vec![], Vec::<Record>::new());
    let mut add = |name: String, file: &str, n: f64, d: f64| -> Result<()> {
        last.extend(records(&folder.join(file), &["eval/c4_en-validation/CrossEntropyLoss"])?.pop());
        models.push(name);
        params.push(n / 1e9);
        tokens.push(d / 1e9);
        Ok(())
    };
    for (size, n) in SIZES {
        for length in CHINCHILLA {
            let run = format!("{size}-{length}xC");
            add(run.clone(), &format!("{run}.csv"), n, 20.0 * n * number(length))?;
        }
    }
    for (name, file, n, d) in TARGETS {
        add(name.into(), file, n, d)?;
    }
    let mean = |names: &[&str], head: &str, tail: &str| -> Vec<f64> {
        let of = |record: &Record| {
            let cells = names.iter().map(|name| number(cell(record, &format!("eval/{head}/{name}_{tail}"))));
            cells.sum::<f64>() / names.len() as f64
        };
        last.iter().map(of).collect()
    };
    let families = vec!["ladder".to_owned(); models.len()];
    let mut frame = Frame::default()
        .text("model", models)
        .text("family", families)
        .numbers("params_b", params)
        .numbers("tokens_b", tokens);
    for (task, names) in TASKS {
        frame = frame
            .numbers(&format!("acc_{task}"), mean(names, "downstream", "rc_5shot_len_norm"))
            .numbers(&format!("bpb_{task}"), mean(names, "downstream_bpb", "rc_5shot_bpb"));
    }
    for loss in LOSSES {
        let column = format!("eval/{loss}-validation/CrossEntropyLoss");
        frame = frame.numbers(
            &format!("ce_{loss}"),
            last.iter().map(|record| number(cell(record, &column))).collect(),
        );
    }
    with_compute(frame)
}
