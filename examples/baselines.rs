//! Measures the errors of plain regressions on public scores: mean absolute error and skill (1 minus the
//! squared error divided by the squared error of the mean), averaged over targets. There are three splits:
//! models are left out, families are left out, or the models with the least training compute or size predict
//! all others.
//!
//! `cargo run --release --example baselines` reads scores of base models of many families, with log size and
//! benchmarks as features. With `-- FILE` it reads zero-shot scores of the last checkpoints of three families
//! from a CSV file with the columns model,family,params_b,step,shots,task,metric,value.
//!
//! The families are read from the column `family` of FILE. The evaluations of Pythia, OPT and BLOOM
//! (github.com/EleutherAI/pythia, folder `evals`, Apache-2.0) are not part of this repository.

use std::collections::{BTreeMap, BTreeSet};

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linalg::cholesky::{Cholesky, SolveC};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, Axis};
use surmise::calibration::candidates::{Candidate, registry};
use surmise::calibration::{CalibrationSpec, FittedCandidates, Fold, Link, Sample, Split, Table, calibrate};
use surmise::{Error, Result};

/// Column, unit of its scores, and whether GSM8K is left out of the features.
const TARGETS: [(&str, f64, bool); 7] = [
    ("em_arithmetic_3ds_acc", 1.0, true),
    ("em_arithmetic_3da_acc", 1.0, true),
    ("em_arithmetic_2dm_acc", 1.0, true),
    ("em_ipa_transliterate_exact_match", 1.0, false),
    ("em_ipa_transliterate_bleu", 100.0, false),
    ("pt_gsm8k_5shot", 1.0, true),
    ("pt_bbh_fewshot", 1.0, false),
];
/// Training compute, in 1e21 FLOPs, up to which a model counts as weak.
const CUT: f64 = 84.0;
/// Fraction of the models of FILE that count as small.
const SMALL: f64 = 0.7;
const LEVEL: f64 = 0.9;

/// The title of a method, the name of its candidate, and whether it is fitted on the logit. Methods without a
/// candidate are defined in this file.
const METHODS: [(&str, &str, bool); 12] = [
    ("mean", "mean", false),
    ("nearest in size", "", false),
    ("line in log size", "size", false),
    ("OLS", "", false),
    ("ridge", "ridge", false),
    ("logit ridge", "ridge", true),
    ("elastic net", "elastic_net", false),
    ("isotonic on PC-1", "", false),
    ("GP, RBF and linear", "", false),
    ("sigmoid PC-1", "sigmoid-1", true),
    ("sigmoid PC-2", "sigmoid-2", true),
    ("sigmoid PC-3", "sigmoid-3", true),
];

/// A target with its features and its strong models.
struct Problem {
    table: Table,
    plan: CalibrationSpec,
    unit: f64,
    strong: BTreeSet<String>,
}

fn main() -> Result<()> {
    let problems = match std::env::args().nth(1) {
        Some(path) => checkpoints(&Table::read(path.as_ref())?)?,
        None => {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/obs_tidy.csv");
            models(&Table::read(path.as_ref())?)?
        }
    };
    println!(
        "method,models_mae,models_skill,families_mae,families_skill,largest_mae,largest_skill,\
         largest_refused"
    );
    let n = problems.len() as f64;
    let mut totals = [[[0.0; 2]; 3]; METHODS.len()];
    let (mut chosen, mut refused) = ([0.0; 2], 0);
    for problem in &problems {
        let sample = problem.plan.prepare(&problem.table)?.sample;
        let (train, test): (Vec<_>, Vec<_>) =
            (0..sample.len()).partition(|&row| !problem.strong.contains(&sample.models[row]));
        let most = usize::MAX;
        let splits =
            [Split::LeaveModelOut.folds(&sample, most)?, Split::LeaveFamilyOut.folds(&sample, most)?];
        let mut of_mean = 0.0;
        for (split, folds) in splits.into_iter().chain([vec![Fold { train, test }]]).enumerate() {
            let errors = errors(&sample, &folds, problem.plan.link.unwrap_or(Link::Identity))?;
            let [mut mae, mut mse] = [[0.0; METHODS.len()]; 2];
            for (at, errors) in errors.iter().enumerate() {
                mae[at] =
                    errors.iter().map(|error| error.abs()).sum::<f64>() / errors.len() as f64 / problem.unit;
                mse[at] = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
                totals[at][split][0] += mae[at] / n;
                totals[at][split][1] += (1.0 - mse[at] / mse[0]) / n;
            }
            of_mean = mse[0];
        }
        let (mae, mse, none) = automatic(problem)?;
        refused += none;
        chosen[0] += mae / n;
        chosen[1] += (1.0 - mse / of_mean) / n;
    }
    for ((name, ..), splits) in METHODS.iter().zip(totals) {
        let cells: Vec<String> = splits.iter().map(|[mae, skill]| format!("{mae:.3},{skill:.2}")).collect();
        println!("{name},{},", cells.join(","));
    }
    println!("surmise,,,,,{:.3},{:.2},{refused}", chosen[0], chosen[1]);
    Ok(())
}

/// Base models with scores of eight benchmarks, one problem per target.
fn models(table: &Table) -> Result<Vec<Problem>> {
    let (names, flops) = (table.text("model")?, table.numbers("flops_1e21")?);
    let weak = |row: usize| flops[row].is_some_and(|flops| flops <= CUT);
    let strong: BTreeSet<String> =
        (0..table.len()).filter(|&row| !weak(row)).map(|row| names[row].into()).collect();
    let of = |(target, unit, without_gsm8k): (&str, f64, bool)| {
        let benchmarks =
            ["mmlu", "arc_c", "hellaswag", "winograd", "truthfulqa", "gsm8k", "xwinograd", "humaneval"];
        let kept = benchmarks.into_iter().filter(|name| !(without_gsm8k && *name == "gsm8k"));
        let features = kept.map(|name| format!("bench_{name}"));
        let plan = plan(target, features.collect(), unit);
        Problem { table: table.clone(), plan, unit, strong: strong.clone() }
    };
    Ok(TARGETS.map(of).into())
}

fn plan(target: &str, features: Vec<String>, unit: f64) -> CalibrationSpec {
    let link = Some(Link::Logit { low: 0.0, high: unit });
    CalibrationSpec { target: target.into(), features, link, level: LEVEL, ..CalibrationSpec::default() }
}

/// Last checkpoints, with a row per model and a column per task and metric. Each accuracy is a target in
/// turn, and the others are its features.
fn checkpoints(table: &Table) -> Result<Vec<Problem>> {
    let [models, families, tasks, metrics, shots] =
        ["model", "family", "task", "metric", "shots"].map(|name| table.text(name));
    let (models, families, tasks, metrics, shots) = (models?, families?, tasks?, metrics?, shots?);
    let (sizes, steps, values) =
        (table.numbers("params_b")?, table.numbers("step")?, table.numbers("value")?);
    let mut last: BTreeMap<&str, f64> = BTreeMap::new();
    for (model, step) in models.iter().zip(&steps) {
        let latest = last.entry(model).or_insert(f64::NEG_INFINITY);
        *latest = latest.max(step.unwrap_or(f64::NEG_INFINITY));
    }
    let (mut rows, mut columns) = (BTreeMap::new(), BTreeSet::new());
    for row in 0..table.len() {
        let accuracy = metrics[row].starts_with("acc");
        let (Some(size), Some(value), true) = (sizes[row], values[row], accuracy && shots[row] == "0") else {
            continue;
        };
        if steps[row] == Some(last[models[row]]) {
            // Suites that differ only in their data are one family.
            let family = families[row].split('-').next().unwrap_or_default();
            let cells = rows.entry(models[row]).or_insert_with(|| (family, size, BTreeMap::new()));
            let column = format!("{}_{}", tasks[row], metrics[row]);
            cells.2.insert(column.clone(), value);
            columns.insert(column);
        }
    }
    let mut sizes: Vec<f64> = rows.values().map(|(_, size, _)| *size).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let edge = sizes[(SMALL * sizes.len() as f64) as usize - 1];
    let header: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut text = format!("model,family,params_b,{}\n", header.join(","));
    let mut strong = BTreeSet::new();
    for (model, (family, size, cells)) in rows {
        let values: Vec<String> =
            header.iter().map(|name| cells.get(*name).map_or(String::new(), f64::to_string)).collect();
        text.push_str(&format!("{model},{family},{size},{}\n", values.join(",")));
        if size > edge {
            strong.insert(model.to_owned());
        }
    }
    let wide = Table::from_bytes("checkpoints".as_ref(), text.as_bytes())?;
    let targets = header.iter().filter(|name| name.ends_with("_acc"));
    let of = |target: &&str| {
        // Another metric of the same task would reveal the target.
        let others = header.iter().filter(|name| !name.starts_with(*target)).map(|name| (*name).to_owned());
        Problem {
            table: wide.clone(),
            plan: plan(target, others.collect(), 1.0),
            unit: 1.0,
            strong: strong.clone(),
        }
    };
    Ok(targets.map(of).collect())
}

/// Errors of every method on the held-out rows of some folds; log size is one of the features.
fn errors(sample: &Sample, folds: &[Fold], link: Link) -> Result<Vec<Vec<f64>>> {
    let mut with_size = sample.clone();
    let sizes = Array2::from_shape_fn((sample.len(), 1), |(i, _)| sample.log10_sizes[i]);
    with_size.x = ndarray::concatenate(Axis(1), &[sample.x.view(), sizes.view()]).map_err(fault)?;
    let mut errors = vec![vec![]; METHODS.len()];
    for fold in folds {
        let train = with_size.subset(&fold.train);
        let wanted = |logit: bool| -> Vec<&'static dyn Candidate> {
            let named = |known: &&&dyn Candidate| METHODS.iter().any(|m| m.1 == known.name() && m.2 == logit);
            registry::ALL.iter().filter(named).copied().collect()
        };
        let fitted = |logit: bool| {
            FittedCandidates::of(&wanted(logit), &train, if logit { link } else { Link::Identity })
        };
        let (plain, bounded) = (fitted(false)?, fitted(true)?);
        let basis = &plain.basis;
        let filled = |sample: &Sample, row: usize| basis.complete(&sample.predictors(row));
        let standard = |sample: &Sample, rows: usize| {
            let rows: Vec<Vec<f64>> = (0..rows).map(|row| filled(sample, row)).collect();
            Array2::from_shape_fn((rows.len(), basis.mean.len()), |(i, j)| {
                (rows[i][j] - basis.centre[j]) / basis.sd[j]
            })
        };
        let test = with_size.subset(&fold.test);
        let (near, far) = (standard(&train, train.len()), standard(&test, test.len()));
        let first = |sample: &Sample, row: usize| basis.scores(&filled(sample, row))[0];
        let component = |sample: &Sample| (0..sample.len()).map(|row| first(sample, row)).collect::<Vec<_>>();
        for ((name, of, logit), errors) in METHODS.iter().zip(&mut errors) {
            let said: Vec<f64> = match *name {
                "nearest in size" => nearest(&train, &test),
                "OLS" => least_squares(&near, &train.y, &far)?,
                "isotonic on PC-1" => isotonic(&component(&train), &train.y, &component(&test)),
                "GP, RBF and linear" => process(&near, &train.y, &far)?,
                _ => {
                    let (fits, link) = if *logit { (&bounded, link) } else { (&plain, Link::Identity) };
                    let fitted = fits.get(of);
                    let predict = |row: usize| {
                        let asked = test.predictors(row);
                        fitted.map_or(f64::NAN, |f| f.predict(&basis.complete(&asked), &asked, basis, link))
                    };
                    (0..test.len()).map(predict).collect()
                }
            };
            errors.extend(said.iter().zip(&test.y).map(|(said, y)| said - y));
        }
    }
    Ok(errors)
}

fn fault(source: impl std::fmt::Display) -> Error {
    Error::Calibration { reason: source.to_string() }
}

/// The target of the training row that is nearest in log size. If several rows are equally near, the mean of
/// their targets.
fn nearest(train: &Sample, test: &Sample) -> Vec<f64> {
    let say = |size: &f64| {
        let gaps: Vec<f64> = train.log10_sizes.iter().map(|other| (other - size).abs()).collect();
        let least = gaps.iter().copied().fold(f64::INFINITY, f64::min);
        let tied: Vec<f64> =
            train.y.iter().zip(&gaps).filter(|(_, gap)| **gap == least).map(|(y, _)| *y).collect();
        tied.iter().sum::<f64>() / tied.len() as f64
    };
    test.log10_sizes.iter().map(say).collect()
}

fn least_squares(near: &Array2<f64>, y: &[f64], far: &Array2<f64>) -> Result<Vec<f64>> {
    let fitted =
        LinearRegression::new().fit(&Dataset::new(near.clone(), Array1::from(y.to_vec()))).map_err(fault)?;
    Ok(far.outer_iter().map(|row| row.dot(fitted.params()) + fitted.intercept()).collect())
}

/// Isotonic regression by pooling adjacent violators. Predictions are interpolated between the pools, and are
/// constant beyond the first and the last pool.
fn isotonic(near: &[f64], y: &[f64], far: &[f64]) -> Vec<f64> {
    let middle = near.iter().sum::<f64>() / near.len() as f64;
    let sign = near.iter().zip(y).map(|(x, y)| (x - middle) * y).sum::<f64>().signum();
    let mut points: Vec<(f64, f64)> = near.iter().map(|x| sign * x).zip(y.iter().copied()).collect();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut pools: Vec<(f64, Vec<f64>)> = vec![];
    for (x, y) in points {
        pools.push((y, vec![x]));
        while pools.len() > 1 && pools[pools.len() - 2].0 >= pools[pools.len() - 1].0 {
            let (Some(last), Some(before)) = (pools.pop(), pools.last_mut()) else { break };
            let (a, b) = (before.1.len() as f64, last.1.len() as f64);
            before.0 = (a * before.0 + b * last.0) / (a + b);
            before.1.extend(last.1);
        }
    }
    let knots: Vec<(f64, f64)> = pools.iter().flat_map(|(y, xs)| xs.iter().map(|x| (*x, *y))).collect();
    let say = |x: f64| {
        let after = knots.partition_point(|knot| knot.0 <= x);
        match (after.checked_sub(1).map(|at| knots[at]), knots.get(after)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
            (Some((_, y)), None) => y,
            (None, first) => first.map_or(f64::NAN, |knot| knot.1),
        }
    };
    far.iter().map(|x| say(sign * x)).collect()
}

/// A Gaussian process with a linear and a squared exponential kernel. Length, mixture and noise maximise the
/// marginal likelihood on a grid; the variance has a closed form (Rasmussen and Williams 2006, sections 4.2
/// and 5.4.1).
fn process(near: &Array2<f64>, y: &[f64], far: &Array2<f64>) -> Result<Vec<f64>> {
    let (n, p) = near.dim();
    let middle = y.iter().sum::<f64>() / n as f64;
    let answer = Array1::from_iter(y.iter().map(|y| y - middle)).insert_axis(Axis(1));
    let kernel = |a: &Array2<f64>, b: &Array2<f64>, length: f64, linear: f64| {
        Array2::from_shape_fn((a.nrows(), b.nrows()), |(i, j)| {
            let (a, b) = (a.row(i), b.row(j));
            let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
            linear * a.dot(&b) / p as f64 + (-square / (2.0 * length * length * p as f64)).exp()
        })
    };
    let mut best = (f64::NEG_INFINITY, vec![]);
    for length in [0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0] {
        for linear in [0.0, 0.1, 1.0, 10.0] {
            let (inside, across) = (kernel(near, near, length, linear), kernel(far, near, length, linear));
            for noise in [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0] {
                let mut whole = &inside + &(Array2::<f64>::eye(n) * noise);
                let root = whole.cholesky().map_err(fault)?;
                let weights = whole.solvec(&answer).map_err(fault)?;
                let variance = (&answer * &weights).sum() / n as f64;
                let likelihood = -(n as f64) / 2.0 * variance.ln()
                    - root.diag().iter().map(|value| value.ln()).sum::<f64>();
                if likelihood > best.0 {
                    best = (
                        likelihood,
                        across.dot(&weights).column(0).iter().map(|value| value + middle).collect(),
                    );
                }
            }
        }
    }
    Ok(best.1)
}

/// Errors of the full calibration, which is fitted on the weak models and predicts the strong models: mean
/// absolute error, mean squared error, and the number of refused rows. For a refused row, the mean counts as
/// the prediction.
fn automatic(problem: &Problem) -> Result<(f64, f64, usize)> {
    let (table, target) = (&problem.table, &problem.plan.target);
    let (names, known) = (table.text("model")?, table.numbers(target)?);
    let rows = (0..table.len()).filter(|&row| known[row].is_some());
    let (strong, weak): (Vec<_>, Vec<_>) = rows.partition(|&row| problem.strong.contains(names[row]));
    let said = calibrate(&table.select(&weak), &problem.plan)?.predict(&table.select(&strong), LEVEL)?;
    let weak = weak.iter().filter_map(|&row| known[row]);
    let (sum, n) = weak.fold((0.0, 0.0), |(sum, n), y| (sum + y, n + 1.0));
    let refused = said.iter().filter(|said| said.y_hat.is_none()).count();
    let errors: Vec<f64> = strong
        .iter()
        .zip(&said)
        .filter_map(|(&row, said)| Some(said.y_hat.unwrap_or(sum / n) - known[row]?))
        .collect();
    let n = errors.len() as f64;
    let mae = errors.iter().map(|error| error.abs()).sum::<f64>() / n / problem.unit;
    Ok((mae, errors.iter().map(|error| error * error).sum::<f64>() / n, refused))
}
