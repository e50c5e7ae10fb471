//! Predicts strong models from weak models on public scores. Every target of a table of base models is
//! calibrated on the weak models (training compute up to a limit) and predicted for all stronger models. The
//! comparison contains the mean, a line in log size, and the observational scaling law with one to three
//! components (Ruan, Maddison and Hashimoto 2024, arXiv 2405.10938).
//!
//! `cargo run --release --example weak_to_strong` prints mean absolute error, skill, and coverage of 90 %
//! intervals. With one of these arguments after `--`, it prints another table:
//!
//! * `coverage`: back-tested coverage of 90 % intervals on the whole table
//! * `candidates`: every candidate, leaving out models, families, and stronger models
//! * `law`: mean squared and absolute errors of the law with one to four components, and of the same sigmoid
//!   on log size and log FLOPs
//! * `noise`: how many kinds of queries get a prediction from pure noise

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise::Result;
use surmise::calibration::candidates::{Candidate, registry};
use surmise::calibration::{
    Backtest, CalibrationSpec, Card, CrossValidation, FittedCandidates, Link, Regime, Sample, Split, Table,
    calibrate,
};

/// Target, limit in 1e21 FLOPs, unit of the scores, and whether GSM8K is left out of the features.
const TARGETS: [(&str, f64, f64, bool); 7] = [
    ("em_arithmetic_3ds_acc", 22.0, 1.0, true),
    ("em_arithmetic_3da_acc", 22.0, 1.0, true),
    ("em_arithmetic_2dm_acc", 22.0, 1.0, true),
    ("em_ipa_transliterate_exact_match", 84.0, 1.0, false),
    ("em_ipa_transliterate_bleu", 84.0, 100.0, false),
    ("pt_gsm8k_5shot", 84.0, 1.0, true),
    ("pt_bbh_fewshot", 84.0, 1.0, false),
];
const FEATURES: [&str; 8] = [
    "bench_mmlu",
    "bench_arc_c",
    "bench_hellaswag",
    "bench_winograd",
    "bench_truthfulqa",
    "bench_gsm8k",
    "bench_xwinograd",
    "bench_humaneval",
];
const LEVEL: f64 = 0.9;

fn main() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/obs_tidy.csv");
    let table = Table::read(path.as_ref())?;
    match std::env::args().nth(1).as_deref() {
        Some("candidates") => candidates(&table),
        Some("coverage") => coverage(&table),
        Some("law") => scaling_law(&table),
        Some("noise") => noise(),
        _ => strong(&table),
    }
}

fn plan(target: &str, without_gsm8k: bool, link: Option<Link>) -> CalibrationSpec {
    let features = FEATURES.iter().filter(|name| !(without_gsm8k && **name == "bench_gsm8k"));
    let features = features.map(|name| (*name).to_owned()).collect();
    CalibrationSpec { target: target.into(), features, level: LEVEL, link, ..CalibrationSpec::default() }
}

/// Rows with a known target: weak models (training compute known and at most the limit), and all others.
fn split(table: &Table, target: &str, cut: f64) -> Result<(Table, Table)> {
    let (known, flops) = (table.numbers(target)?, table.numbers("flops_1e21")?);
    let weak = |row: &usize| flops[*row].is_some_and(|flops| flops <= cut);
    let (train, test): (Vec<_>, Vec<_>) =
        (0..table.len()).filter(|&row| known[row].is_some()).partition(weak);
    Ok((table.select(&train), table.select(&test)))
}

fn strong(table: &Table) -> Result<()> {
    println!(
        "target,link,n_train,n_test,mean,size,osl_1,osl_2,osl_3,surmise,chosen_within,chosen_beyond,\
         n_refused,skill_size,inside_90,width_90"
    );
    let (mut rows, mut totals) = (0.0, [0.0; 6]);
    for (target, cut, unit, without_gsm8k) in TARGETS {
        let (train, test) = split(table, target, cut)?;
        let bounded = Some(Link::Logit { low: 0.0, high: unit });
        let links = if unit == 1.0 { vec![None] } else { vec![None, bounded] };
        for link in links {
            let card = calibrate(&train, &plan(target, without_gsm8k, link))?;
            let ours = card.predict(&test, LEVEL)?;
            let truth: Vec<f64> = test.numbers(target)?.into_iter().flatten().collect();
            let answered: Vec<usize> = (0..truth.len()).filter(|&row| ours[row].y_hat.is_some()).collect();
            // If the calibration refuses all rows, the errors of the other methods are computed on all rows.
            let asked = if answered.is_empty() { test.clone() } else { test.select(&answered) };
            let law = |name: &str| law(&train, &asked, &plan(target, without_gsm8k, bounded), name, unit);
            let n = answered.len() as f64;
            let mean = |value: &dyn Fn(usize) -> f64| answered.iter().map(|&row| value(row)).sum::<f64>() / n;
            let error = mean(&|row| (ours[row].y_hat.unwrap_or(f64::NAN) - truth[row]).abs() / unit);
            let (low, high) = (
                |row: usize| ours[row].low.unwrap_or(f64::NAN),
                |row: usize| ours[row].high.unwrap_or(f64::NAN),
            );
            let inside = mean(&|row| f64::from((low(row)..=high(row)).contains(&truth[row])));
            let width = mean(&|row| (high(row) - low(row)) / unit);
            let errors =
                [law("mean")?, law("size")?, law("sigmoid-1")?, law("sigmoid-2")?, law("sigmoid-3")?, error];
            let cells: Vec<String> = errors.iter().map(|error| format!("{error:.4}")).collect();
            println!(
                "{target},{},{},{},{},{},{},{},{:.2},{inside:.2},{width:.2}",
                card.link.name(),
                train.len(),
                test.len(),
                cells.join(","),
                name(&card, false),
                name(&card, true),
                truth.len() - answered.len(),
                1.0 - error / errors[1],
            );
            if card.link.is_bounded() {
                rows += 1.0;
                totals.iter_mut().zip(errors).for_each(|(total, error)| *total += error);
            }
        }
    }
    let cells: Vec<String> = totals.iter().map(|total| format!("{:.4}", total / rows)).collect();
    println!("mean of the targets,logit,,,{},,,,,,", cells.join(","));
    Ok(())
}

fn name(card: &Card, beyond: bool) -> String {
    let selected = if beyond { &card.fit.beyond_range } else { &card.fit.within_range };
    selected.as_ref().map_or("none".into(), |selected| selected.name().to_owned())
}

/// Mean absolute error, in shares, of one candidate that is fitted on the weak models and predicts the strong
/// models.
fn law(train: &Table, test: &Table, plan: &CalibrationSpec, name: &str, unit: f64) -> Result<f64> {
    let (weak, strong) = (plan.prepare(train)?, plan.prepare(test)?);
    let fits = FittedCandidates::all(&weak.sample, weak.link)?;
    let Some(fitted) = fits.get(name) else { return Ok(f64::NAN) };
    let errors = (0..strong.sample.len()).map(|row| {
        let asked = strong.sample.predictors(row);
        let y_hat = fitted.predict(&fits.basis.complete(&asked), &asked, &fits.basis, weak.link);
        (y_hat - strong.sample.y[row]).abs() / unit
    });
    Ok(errors.sum::<f64>() / strong.sample.len() as f64)
}

/// Prints mean squared | mean absolute error on the strong models, in shares, of methods that are fitted on
/// the weak models: the mean, and a sigmoid with a floor on log size, on log training compute (for the strong
/// models with known compute), and on one to four components.
fn scaling_law(table: &Table) -> Result<()> {
    println!("target,n_train,n_test,mean,log size,log FLOPs,pc-1,pc-2,pc-3,pc-4");
    for (target, cut, unit, without_gsm8k) in TARGETS {
        let (train, test) = split(table, target, cut)?;
        let plan = plan(target, without_gsm8k, Some(Link::Logit { low: 0.0, high: unit }));
        let link = Link::Logit { low: 0.0, high: unit };
        let errors = |weak: &Sample, strong: &Sample, candidate: &'static dyn Candidate| -> Result<String> {
            let fits = FittedCandidates::of(&[candidate], weak, link)?;
            let Some(fitted) = &fits.models[0] else { return Ok(String::new()) };
            let errors = (0..strong.len()).map(|row| {
                let asked = strong.predictors(row);
                (fitted.predict(&fits.basis.complete(&asked), &asked, &fits.basis, link) - strong.y[row])
                    / unit
            });
            let (squares, sum) =
                errors.fold((0.0, 0.0), |(squares, sum), e| (squares + e * e, sum + e.abs()));
            let n = strong.len() as f64;
            Ok(format!("{:.4} | {:.4}", squares / n, sum / n))
        };
        // A single feature is its own first component.
        let by = |column: &str| -> Result<(Sample, Sample)> {
            let plan = CalibrationSpec { size: Some(column.into()), ..plan.clone() };
            let alone = |table: &Table| -> Result<Sample> {
                let sample = plan.prepare(table)?.sample;
                let known: Vec<usize> =
                    (0..sample.len()).filter(|&row| sample.log10_sizes[row].is_finite()).collect();
                let mut sample = sample.subset(&known);
                sample.x = Array2::from_shape_fn((sample.len(), 1), |(i, _)| sample.log10_sizes[i]);
                Ok(sample)
            };
            Ok((alone(&train)?, alone(&test)?))
        };
        let (size, flops) = (by("params_b")?, by("flops_1e21")?);
        let (weak, strong) = (plan.prepare(&train)?.sample, plan.prepare(&test)?.sample);
        let mut cells = vec![errors(&weak, &strong, registry::ALL[0])?];
        for (weak, strong) in [size, flops] {
            cells.push(errors(&weak, &strong, registry::SCALING_LAW[0])?);
        }
        for law in registry::SCALING_LAW {
            cells.push(errors(&weak, &strong, law)?);
        }
        println!("{target},{},{},{}", train.len(), test.len(), cells.join(","));
    }
    Ok(())
}

/// Mean absolute error of every candidate on held-out rows, averaged over the targets.
fn candidates(table: &Table) -> Result<()> {
    println!(
        "split,{}",
        registry::ALL.iter().map(|candidate| candidate.name()).collect::<Vec<_>>().join(",")
    );
    for split in Split::ALL {
        let mut totals = vec![0.0; registry::ALL.len()];
        for (target, _, unit, without_gsm8k) in TARGETS {
            let ready =
                plan(target, without_gsm8k, Some(Link::Logit { low: 0.0, high: unit })).prepare(table)?;
            let validation = CrossValidation::run(
                &ready.sample,
                ready.link,
                split.folds(&ready.sample, usize::MAX)?,
                None,
            )?;
            let weight: f64 = validation.predictions.iter().map(|held_out| held_out.weight).sum();
            for (at, total) in totals.iter_mut().enumerate() {
                let error = |y_hat: f64, row: usize| (y_hat - ready.sample.y[row]).abs() / unit;
                let errors = validation
                    .predictions
                    .iter()
                    .map(|a| a.weight * a.y_hat[at].map_or(f64::NAN, |y| error(y, a.row)));
                *total += errors.sum::<f64>() / weight / TARGETS.len() as f64;
            }
        }
        let cells: Vec<String> =
            totals.iter().map(|t| if t.is_nan() { String::new() } else { format!("{t:.4}") }).collect();
        println!("{},{}", split.name(), cells.join(","));
    }
    Ok(())
}

/// Prints the coverage of 90 % intervals if the whole procedure is repeated on parts of the table, for a new
/// model, a new family, stronger models, and stronger models of a new family. Also prints the lowest coverage
/// in one fold.
fn coverage(table: &Table) -> Result<()> {
    println!("target,regime,candidate,skill_size,held_90,width_90,n,worst_fold,worst_n");
    for (target, _, _, without_gsm8k) in TARGETS {
        let card = calibrate(table, &plan(target, without_gsm8k, None))?;
        let Backtest { leave_model_out, leave_family_out, forward, forward_new_family, .. } = &card.backtest;
        let names = ["interpolation", "new_family", "extrapolation", "extrapolation of a new family"];
        let regimes = Regime::ALL.into_iter().chain([Regime::Extrapolation]);
        for ((regime, name), coverages) in
            regimes.zip(names).zip([leave_model_out, leave_family_out, forward, forward_new_family])
        {
            let Some(selected) = regime.selected(&card.fit) else { continue };
            let score = regime.score_of(selected.name(), &card.scores);
            for coverage in
                coverages.iter().filter(|coverage| coverage.interval_method == regime.interval_method())
            {
                let (held, width, n) = (coverage.at(LEVEL), coverage.width, coverage.levels.len());
                let skill = score.map_or(f64::NAN, |score| score.skill());
                let (worst, of) = coverage.worst_fold(LEVEL).unwrap_or((f64::NAN, 0));
                let candidate = selected.name();
                println!("{target},{name},{candidate},{skill:.2},{held:.3},{width:.3},{n},{worst:.2},{of}");
            }
        }
    }
    Ok(())
}

/// Calibrates twenty tables of 40 models and 25 columns of pure noise. Counts the kinds of queries that still
/// get a prediction, and the kinds whose notes state that the skill may be chance.
fn noise() -> Result<()> {
    println!("regime,tables,supported,flagged");
    let mut counts = [[0; 2]; 3];
    for seed in 0..20 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let columns: Vec<String> = (0..25).map(|column| format!("x{column}")).collect();
        let mut text = format!("model,family,params_b,{},y\n", columns.join(","));
        for model in 0..40 {
            let cells: Vec<String> = (0..26).map(|_| random.random_range(-1.0..1.0f64).to_string()).collect();
            text.push_str(&format!(
                "m{model},f{},{},{}\n",
                model % 8,
                1.0 + f64::from(model),
                cells.join(",")
            ));
        }
        let table = Table::from_bytes("noise".as_ref(), text.as_bytes())?;
        let card = calibrate(
            &table,
            &CalibrationSpec { target: "y".into(), level: LEVEL, ..CalibrationSpec::default() },
        )?;
        for (regime, count) in Regime::ALL.into_iter().zip(&mut counts) {
            let is_supported = card.support.iter().any(|s| s.regime == regime && s.unsupported.is_none());
            let Some(selected) = regime.selected(&card.fit).filter(|_| is_supported) else { continue };
            let score = regime.score_of(selected.name(), &card.scores);
            let is_flagged =
                score.is_some_and(|score| score.skill_interval[0] <= 0.0 || score.skill_mean <= 0.0);
            *count = [count[0] + 1, count[1] + i32::from(is_flagged)];
        }
    }
    for (regime, [supported, flagged]) in Regime::ALL.into_iter().zip(counts) {
        println!("{},20,{supported},{flagged}", regime.name());
    }
    Ok(())
}
