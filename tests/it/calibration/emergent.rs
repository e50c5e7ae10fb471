//! Tests a task that only stronger models solve: the targets of all training rows are near 0, but the targets
//! of the queries are not.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::support::tidy::{folder, rows, surmise};

/// 32 weak and 24 strong models: four benchmarks rise with the ability of a model, and the target is a
/// sigmoid of the ability, measured on 500 items. The second value contains the true target of each strong
/// model.
fn models() -> (String, Vec<(String, f64)>) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let sigmoid = |eta: f64| 1.0 / (1.0 + (-eta).exp());
    let (mut csv, mut truth) = (String::from("model,family,params_b,b0,b1,b2,b3,task\n"), vec![]);
    for i in 0..56 {
        let is_weak = i < 32;
        let ability = if is_weak { random.random_range(-2.0..0.6) } else { random.random_range(0.8..2.4) };
        let cells: Vec<String> = (0..4)
            .map(|j| 0.8 * ability - 0.2 * f64::from(j) + random.random_range(-0.25..0.25))
            .map(|eta| format!("{:.4}", sigmoid(eta)))
            .collect();
        let share = sigmoid(3.0 * (ability - 1.0));
        let solved = (0..500).filter(|_| random.random_range(0.0..1.0) < share).count() as f64 / 500.0;
        let size = 10f64.powf(0.5 * ability + random.random_range(-0.3..0.3));
        let target = if is_weak { format!("{solved:.4}") } else { String::new() };
        csv += &format!("m{i},f{},{size:.3},{},{target}\n", i % 7, cells.join(","));
        if !is_weak {
            truth.push((format!("m{i}"), share));
        }
    }
    (csv, truth)
}

#[test]
fn a_task_that_all_training_models_fail_is_predicted_for_models_that_solve_it() {
    let (_keep, at) = folder();
    let (csv, truth) = models();
    std::fs::write(at("t.csv"), csv).expect("a table");
    let card = at("card.json");
    let run = surmise(&["calibrate", &at("t.csv"), "--target", "task", "-o", &card]);
    assert!(run.status.success(), "{run:?}");
    let run = surmise(&["predict", "--calibration", &card, &at("t.csv"), "-o", &at("p.csv")]);
    assert!(run.status.success(), "{run:?}");
    let predicted = rows(&at("p.csv"));
    let of = |model: &str| predicted.iter().find(|row| row["target_model"] == model).expect("a row");
    let number = |row: &std::collections::BTreeMap<String, String>, name: &str| -> f64 {
        row[name].parse().unwrap_or_else(|_| panic!("{name} of {row:?}"))
    };
    let n = truth.len() as f64;
    let (mut error, mut mean, mut inside) = (0.0, 0.0, 0.0);
    for (model, share) in &truth {
        let row = of(model);
        error += (number(row, "y_hat") - share).abs() / n;
        mean += (number(row, "baseline_mean") - share).abs() / n;
        inside += f64::from((number(row, "low")..=number(row, "high")).contains(share)) / n;
    }
    assert!(mean > 0.5, "the strong models do not solve the task: {mean}");
    assert!(error < 0.15 && inside > 0.75, "error {error}, inside {inside}");
}
