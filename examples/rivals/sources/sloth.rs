//! Both Open LLM leaderboards joined with sizes and tokens (felipemaiapolo/sloth).

use std::path::Path;

use surmise::Result;
use surmise::calibration::CalibrationSpec;

use crate::frame::Frame;
use crate::problem::{Half, Problem, RivalColumns, Task, distinct, is};
use crate::raw::{cell, number, records};

/// The benchmarks of a leaderboard, and the benchmarks that are predicted family by family.
const LEADERBOARDS: [([&str; 6], &[&str]); 2] = [
    (["MMLU", "ARC", "HellaSwag", "Winogrande", "TruthfulQA", "GSM8K"], &["MMLU", "GSM8K", "ARC"]),
    (["IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"], &["MMLU-PRO", "BBH"]),
];
/// The largest size, in billions of parameters, of the models that are fitted to predict larger models.
const LARGE: f64 = 14.5;

pub fn problems(folder: &Path) -> Result<Vec<Problem>> {
    let all = models(&folder.join("data/data_v2.csv"))?;
    let (mut families, mut larger, mut instruct, mut own) = (vec![], vec![], vec![], vec![]);
    for (benchmarks, predicted) in LEADERBOARDS {
        let rows = all.complete(&[&benchmarks[..], &["params_b"]].concat())?;
        let names = ["model", "family", "params_b", "tokens_t", "flops_1e21", "instruct01"];
        let table = rows.columns(&[&names[..], &benchmarks].concat())?;
        let others = |target: &str| {
            benchmarks.iter().filter(|name| **name != target).map(|name| (*name).to_owned()).collect()
        };
        let of = table.words("family")?;
        for target in predicted {
            for family in distinct(of) {
                let asked = is(of, &family);
                if asked.iter().filter(|asked| **asked).count() >= 3 {
                    let rivals = RivalColumns::new(others(target));
                    families.push(Task::new(format!("{target}-{family}"), &table, target, &asked, rivals)?);
                }
            }
        }
        let is_large: Vec<bool> = table.get("params_b")?.iter().map(|size| *size > LARGE).collect();
        let is_instruct: Vec<bool> = table.get("instruct01")?.iter().map(|flag| *flag == 1.0).collect();
        for target in benchmarks {
            let rivals = RivalColumns::new(others(target));
            larger.push(Task::new(target, &table, target, &is_large, rivals.clone())?);
            instruct.push(Task::new(target, &table, target, &is_instruct, rivals)?);
        }
        own.extend(smallest_known(&all, &benchmarks, predicted)?);
    }
    let half = Half::Development;
    Ok(vec![
        Problem::new("sloth_a", "Sloth's table, a family left out, a benchmark from 5", half, families),
        Problem::new("sloth_b", "Sloth's own problem, the smallest member as `--proxy`", half, own),
        Problem::new("sloth_c", "Sloth's table, up to 14B -> larger", half, larger),
        Problem::new("sloth_d", "Sloth's table, base -> instruct", half, instruct),
    ])
}

/// Tasks with a held-out family. Only the scores, the size and the tokens of the family's smallest member are
/// known.
fn smallest_known(all: &Frame, benchmarks: &[&str], predicted: &[&str]) -> Result<Vec<Task>> {
    let rows = all.complete(&[benchmarks, &["tokens_t", "params_b"]].concat())?;
    let (families, sizes) = (rows.words("family")?, rows.get("params_b")?);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| families[a].cmp(&families[b]).then(sizes[a].total_cmp(&sizes[b])));
    let rows = rows.rows(&order);
    let (families, sizes) = (rows.words("family")?, rows.get("params_b")?);
    let smallest: Vec<usize> = families
        .iter()
        .map(|of| families.iter().position(|family| family == of).unwrap_or_default())
        .collect();
    let larger: Vec<usize> = (0..rows.len()).filter(|&row| sizes[row] > sizes[smallest[row]]).collect();
    let of_smallest = |name: &str| -> Result<Vec<f64>> {
        let cells = rows.get(name)?;
        Ok(smallest.iter().map(|&row| cells[row]).collect())
    };
    let mut tasks = vec![];
    for target in predicted {
        let names = ["model", "family", "params_b", "log10_tokens", "log10_flops", "instruct01", target];
        let mut table = rows
            .columns(&names)?
            .numbers("proxy", of_smallest(target)?)
            .numbers("proxy_b", of_smallest("params_b")?)
            .numbers("proxy_tokens", of_smallest("log10_tokens")?);
        for other in benchmarks.iter().filter(|other| *other != target) {
            table = table.numbers(&format!("small_{}", other.replace(' ', "_")), of_smallest(other)?);
        }
        let table = table.rows(&larger);
        let unused = ["model", "family", "params_b", "log10_flops", target];
        let features: Vec<String> =
            table.names().into_iter().filter(|name| !unused.contains(&name.as_str())).collect();
        let families = table.words("family")?;
        for family in distinct(families) {
            let asked = is(families, &family);
            if asked.iter().filter(|asked| **asked).count() < 2 {
                continue;
            }
            let rivals = RivalColumns::new(features.clone());
            let mut task = Task::new(format!("{target}-{family}"), &table, target, &asked, rivals)?;
            task.flags = CalibrationSpec {
                proxy: Some("proxy".into()),
                proxy_size: Some("proxy_b".into()),
                ..task.flags
            };
            tasks.push(task);
        }
    }
    Ok(tasks)
}

fn models(path: &Path) -> Result<Frame> {
    let rows = records(path, &["Model", "Family", "Instruct", "#Params (B)"])?;
    let text = |column: &str| rows.iter().map(|row| cell(row, column).to_owned()).collect::<Vec<_>>();
    let numbers = |column: &str| rows.iter().map(|row| number(cell(row, column))).collect::<Vec<_>>();
    let log10 = |column: &str| numbers(column).into_iter().map(f64::log10).collect::<Vec<_>>();
    let instruct = text("Instruct").iter().map(|cell| f64::from(cell == "True")).collect();
    let mut frame = Frame::default()
        .text("model", text("Model"))
        .text("family", text("Family"))
        .numbers("params_b", numbers("#Params (B)"))
        .numbers("tokens_t", numbers("Pretraining Data Size (T)"))
        .numbers("flops_1e21", numbers("FLOPs (1E21)"))
        .numbers("instruct01", instruct)
        .numbers("log10_tokens", log10("Pretraining Data Size (T)"))
        .numbers("log10_flops", log10("FLOPs (1E21)"));
    for benchmark in LEADERBOARDS.iter().flat_map(|(benchmarks, _)| benchmarks) {
        frame = frame.numbers(benchmark, numbers(benchmark));
    }
    Ok(frame)
}
