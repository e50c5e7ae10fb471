//! Measures the seconds to calibrate on 1,000 rows with 30 features, and to predict 1,000 rows. Card and
//! table are read from memory.
//!
//! Run with `cargo bench --bench calibration`. Each figure is the better of two calls. In the first tables
//! the columns are independent, and 0, 1 or 40 % of the cells are missing. In the other tables the columns
//! have rank 5 plus noise: noise of .001 without missing cells, or noise of .1 with 5 % of the cells missing.
//! The rows belong to 40 or to 5 families. The target is bounded or not.

use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use surmise::calibration::{CalibrationSpec, Table, calibrate};

const ROWS: usize = 1000;
const FEATURES: usize = 30;
const RANK: usize = 5;

fn main() {
    println!("{:<26} families  link      calibrate s  predict s", "columns");
    for (name, noise, missing) in [
        ("independent", None, 0.0),
        ("independent, 1 % missing", None, 0.01),
        ("independent, 40 % missing", None, 0.4),
        ("rank 5, noise .001", Some(1e-3), 0.0),
        ("rank 5, 5 % missing", Some(0.1), 0.05),
    ] {
        for families in [40, 5] {
            for bounded in [false, true] {
                let table =
                    Table::from_bytes("bench".as_ref(), rows(noise, missing, families, bounded).as_bytes())
                        .expect("a table");
                let plan = CalibrationSpec { target: "y".into(), level: 0.9, ..CalibrationSpec::default() };
                let card = calibrate(&table, &plan).expect("a card");
                let calibrated = fastest(|| drop(calibrate(&table, &plan).expect("a card")));
                let predicted = fastest(|| drop(card.predict(&table, 0.9).expect("predictions")));
                println!(
                    "{name:<26} {families:>8}  {:<8} {calibrated:>12.2} {predicted:>10.3}",
                    card.link.name()
                );
            }
        }
    }
}

fn fastest(call: impl Fn()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64()
    };
    (0..2).map(time).fold(f64::INFINITY, f64::min)
}

fn rows(noise: Option<f64>, missing: f64, families: usize, bounded: bool) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut normals = |n: usize| -> Vec<f64> { (0..n).map(|_| StandardNormal.sample(&mut rng)).collect() };
    let (loadings, slopes, offsets) = (normals(RANK * FEATURES), normals(FEATURES), normals(families));
    let names: Vec<String> = (0..FEATURES).map(|j| format!("f{j}")).collect();
    let mut text = format!("model,family,params_b,{},y\n", names.join(","));
    for i in 0..ROWS {
        let (own, mut factors, error) = (normals(FEATURES), normals(RANK), normals(1)[0]);
        let log10_size = 3.0 * i as f64 / ROWS as f64 - 1.0;
        factors[0] += log10_size;
        let x: Vec<f64> = (0..FEATURES)
            .map(|j| match noise {
                None => own[j] + 0.5 * log10_size,
                Some(noise) => {
                    (0..RANK).map(|k| factors[k] * loadings[k * FEATURES + j]).sum::<f64>() + noise * own[j]
                }
            })
            .collect();
        let along = x.iter().zip(&slopes).map(|(x, slope)| x * slope).sum::<f64>() / (FEATURES as f64).sqrt();
        let eta = 0.5 * along + 0.3 * offsets[i % families] + 0.3 * error;
        let y = if bounded { 1.0 / (1.0 + (-eta).exp()) } else { eta };
        let mut blank = ChaCha8Rng::seed_from_u64(i as u64);
        let cells: Vec<String> = x
            .iter()
            .map(|x| if blank.random_bool(missing) { String::new() } else { x.to_string() })
            .collect();
        text.push_str(&format!(
            "m{i},f{},{},{},{y}\n",
            i % families,
            10f64.powf(log10_size),
            cells.join(",")
        ));
    }
    text
}
