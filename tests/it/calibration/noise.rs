//! Tests that predictions of targets that are unrelated to all features are refused, within the training
//! range and beyond it. If the distribution of the target is skewed, a constant near the median has a smaller
//! absolute error than the mean, so one of two dozen candidates may beat the mean by chance.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::support::tidy::{folder, rows, surmise};
use crate::support::truth::generator;

/// 24 models of 6 families with three benchmarks that rise with size, and a target that does not. Another 6
/// models have no target: 2 have sizes of the 24 models, and 4 are larger.
fn table(random: &mut ChaCha8Rng, target: fn(&mut ChaCha8Rng) -> f64) -> String {
    let mut csv = String::from("model,family,params_b,b0,b1,b2,task\n");
    for i in 0..30 {
        let is_inside = i < 26;
        let log10_size =
            if is_inside { f64::from(i % 24 / 6) * 0.5 - 0.5 } else { 1.1 + 0.1 * f64::from(i - 26) };
        let cells: Vec<String> = (0..3)
            .map(|j| 1.2 * log10_size - 0.3 * f64::from(j) + random.random_range(-0.4..0.4))
            .map(|eta| format!("{:.4}", 1.0 / (1.0 + (-eta).exp())))
            .collect();
        let task = if i < 24 { format!("{:.4}", target(random)) } else { String::new() };
        csv += &format!("m{i},f{},{:.3},{},{task}\n", i % 6, 10f64.powf(log10_size), cells.join(","));
    }
    csv
}

#[test]
fn targets_that_nothing_explains_are_refused() {
    let (_keep, at) = folder();
    let targets: [fn(&mut ChaCha8Rng) -> f64; 3] = [
        |random| random.random_range(0.1..0.9),
        // Most values are near 0, and a few are large. The median then has a smaller mean absolute error than
        // the mean.
        |random| random.random_range(0.0..1.0f64).powi(4),
        // Eight of ten models guess between four choices; the others score 0.6.
        |random| if random.random_range(0..10) < 2 { 0.6 } else { random.random_range(0.24..0.26) },
    ];
    let (mut answered, mut n) = (vec![], 0);
    for (kind, target) in targets.into_iter().enumerate() {
        for seed in 0..6 {
            let csv = table(&mut generator(100 + seed), target);
            std::fs::write(at("t.csv"), csv).expect("a table");
            let run = surmise(&["calibrate", &at("t.csv"), "--target", "task", "-o", &at("card.json")]);
            // `calibrate` ends with code 3 if the card supports no prediction.
            assert!(matches!(run.status.code(), Some(0 | 3)), "{run:?}");
            surmise(&["predict", "--calibration", &at("card.json"), &at("t.csv"), "-o", &at("p.csv")]);
            for row in rows(&at("p.csv")).iter().filter(|row| row["measured"].is_empty()) {
                n += 1;
                if row["status"] == "ok" {
                    answered.push(format!("{kind} {seed} {}", row["regime"]));
                }
            }
        }
    }
    assert_eq!(n, 3 * 6 * 6);
    assert!(answered.len() * 10 <= n, "{} of {n} rows: {answered:?}", answered.len());
}
