//! Tests kinds of samples that fool estimators, with known information: each estimate must be right within
//! .05 nats or have a flag. `tests/golden/make_mi_sets.py` makes more samples of each kind.

use ndarray::{Array2, Axis, concatenate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};
use surmise::mi::permutation_test::{Pairing, permutation_test};
use surmise::mi::row_order::RowDependence;
use surmise::mi::{Estimate, Flag, Pairs, find};

use super::rows::EstimateRows;
use crate::support::truth::{gaussian, generator};

const WITHIN: f64 = 0.05;

fn of(name: &str, x: &Array2<f32>, y: &Array2<f32>) -> Estimate {
    find(name).expect("in the table").estimate_rows(x.view(), y.view(), 7).expect("suited samples").remove(0)
}

/// Whether the estimate is right, or has a flag that marks it as doubtful.
fn is_right_or_flagged(found: &Estimate, exact: f64) -> bool {
    (found.mi_nats - exact).abs() < WITHIN || found.flags.iter().any(|flag| !flag.is_descriptive())
}

/// An autoregressive series in one column.
fn series(n: usize, phi: f32, seed: u64) -> Array2<f32> {
    let noise = gaussian(n + 1000, 1, seed);
    let mut state = 0.0;
    let mut values = vec![];
    for value in &noise {
        state = phi * state + value;
        values.push(state);
    }
    Array2::from_shape_vec((n, 1), values.split_off(1000)).expect("a column")
}

/// Rows of a random rotation, by Gram-Schmidt.
fn rotation(d: usize, seed: u64) -> Array2<f32> {
    let mut rows = gaussian(d, d, seed);
    for at in 0..d {
        for before in 0..at {
            let along = rows.row(at).dot(&rows.row(before));
            let before = rows.row(before).to_owned();
            rows.row_mut(at).scaled_add(-along, &before);
        }
        let norm = rows.row(at).dot(&rows.row(at)).sqrt();
        rows.row_mut(at).mapv_inplace(|value| value / norm);
    }
    rows
}

#[test]
fn independent_series_are_flagged_and_circular_shifts_find_no_dependence() {
    let ksg = find("ksg").expect("in the table");
    let (mut by_shifts, mut by_shuffling) = (0, 0);
    for seed in 0..20 {
        let (x, y) = (series(600, 0.95, 300 + seed), series(600, 0.95, 400 + seed));
        let pairs = Pairs::new(x.view(), y.view()).expect("pairs");
        let rows = RowDependence::of(&pairs).expect("dependent rows");
        assert!(rows.lag == 1 && rows.autocorrelation > 0.8 && rows.effective_rows < 60.0, "{rows:?}");
        let observed = ksg.estimate(&pairs, 1).expect("suited")[0].mi_nats;
        let p = |pairing| {
            permutation_test(ksg, &pairs, observed, 39, pairing, seed, &|| ()).expect("a p value").p_value
        };
        by_shifts += usize::from(p(Pairing::of(Some(&rows))) <= 0.05);
        by_shuffling += usize::from(p(Pairing::Shuffled) <= 0.05);
    }
    // If 20 tests at the 5 % level are made under independence, four or more reject with a probability of
    // .016.
    assert!(by_shifts < 4 && by_shuffling > 8, "{by_shifts} {by_shuffling}");
    // A dependence between the two series is still detected.
    let (x, noise) = (series(600, 0.8, 500), gaussian(600, 1, 501));
    let y = &x + &noise;
    let pairs = Pairs::new(x.view(), y.view()).expect("pairs");
    let observed = ksg.estimate(&pairs, 1).expect("suited")[0].mi_nats;
    let test = permutation_test(ksg, &pairs, observed, 99, Pairing::CircularShifts, 1, &|| ());
    assert!(test.expect("a p value").p_value <= 0.05);
}

#[test]
fn rounded_values_have_nearly_the_same_information() {
    for (d, step, rows) in [(1, 0.01, 2000), (3, 0.1, 2000), (2, 0.05, 1500)] {
        let (x, noise) = (gaussian(rows, d, 600), gaussian(rows, d, 601));
        let y = 0.8 * &x + 0.6 * &noise;
        let round = |a: &Array2<f32>| a.mapv(|value| (value / step).round() * step);
        // Rounding to .1 removes .0016 nats of information from each pair of columns.
        let exact = -0.5 * d as f64 * (1.0_f64 - 0.64).ln();
        for name in ["hybrid", "t-copula"] {
            let found = of(name, &round(&x), &round(&y));
            assert!((found.mi_nats - exact).abs() < WITHIN + 0.03 * (d - 1) as f64, "{name}: {found:?}");
            assert!(found.flags.contains(&Flag::Jittered), "{found:?}");
        }
    }
}

/// A gamma variable with shape 2, and a zero-inflated count. The count is 0 with probability `zero`, and
/// otherwise Poisson with a mean of `scale` times the variable.
fn counts(n: usize, zero: f64, scale: f64, generator: &mut ChaCha8Rng) -> (Array2<f32>, Array2<f32>) {
    let mut rows = vec![];
    for _ in 0..n {
        let own = -(1.0 - generator.random::<f64>()).ln() - (1.0 - generator.random::<f64>()).ln();
        let count: f64 = Poisson::new(scale * own).expect("a mean").sample(generator);
        let count = if generator.random::<f64>() < zero { 0.0 } else { count };
        rows.push([own as f32, count as f32]);
    }
    let z = Array2::from(rows);
    (z.slice(ndarray::s![.., ..1]).to_owned(), z.slice(ndarray::s![.., 1..]).to_owned())
}

/// The information between the variable and the count, summed over counts and over small steps of the
/// variable.
fn counts_nats(zero: f64, scale: f64) -> f64 {
    let (step, most) = (0.002, 200);
    let mut marginal = vec![0.0; most];
    let mut given = 0.0;
    for at in 0..15_000 {
        let own = (f64::from(at) + 0.5) * step;
        let weight = own * (-own).exp() * step;
        let mut term = (-scale * own).exp();
        for (k, marginal) in marginal.iter_mut().enumerate() {
            let p = (1.0 - zero) * term + if k == 0 { zero } else { 0.0 };
            *marginal += weight * p;
            given += if p > 0.0 { weight * p * p.ln() } else { 0.0 };
            term *= scale * own / (k + 1) as f64;
        }
    }
    given - marginal.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

#[test]
fn zero_inflated_counts_and_their_mean_have_the_information_of_the_sums() {
    let mut random = generator(610);
    for (zero, scale) in [(0.3, 1.5), (0.5, 3.0), (0.2, 6.0)] {
        let (x, y) = counts(2000, zero, scale, &mut random);
        let exact = counts_nats(zero, scale);
        for name in ["hybrid", "ensemble"] {
            let found = of(name, &x, &y);
            assert!((found.mi_nats - exact).abs() < WITHIN, "{name}, {zero} {scale}: {exact} {found:?}");
        }
    }
}

#[test]
fn the_information_of_rotated_uniform_pairs_is_found() {
    let mut random = generator(620);
    for (d, width) in [(2, 0.25_f64), (3, 0.4)] {
        let n = 3000;
        let mut uniform = |from: f64, to: f64| {
            Array2::from_shape_simple_fn((n, d), || random.random_range(from..to) as f32)
        };
        let (x, noise) = (uniform(0.0, 1.0), uniform(-width, width));
        let y = &x + &noise;
        let (x, y) = (x.dot(&rotation(d, 630)), y.dot(&rotation(d, 631)));
        // The information between a uniform value and its sum with uniform noise of half width e is e - log
        // 2e.
        let exact = d as f64 * (width - (2.0 * width).ln());
        let found = of("ensemble", &x, &y);
        assert!((found.mi_nats - exact).abs() < WITHIN, "{d}, {width}: {exact} {found:?}");
        assert!(is_right_or_flagged(&of("hybrid", &x, &y), exact));
    }
}

#[test]
fn images_of_few_latent_values_give_a_right_estimate_or_a_flag() {
    // Each image has spots at fixed places on 10 x 10 pixels. The brightness of a spot is the exponential of
    // a latent value.
    for (rank, seed) in [(2, 640), (4, 650)] {
        let n = 2000;
        let r = (1.0 - (-2.0 * 1.5 / f64::from(rank)).exp()).sqrt() as f32;
        let (z, noise) = (gaussian(n, rank as usize, seed), gaussian(n, rank as usize, seed + 1));
        let other = r * &z + (1.0 - r * r).sqrt() * &noise;
        let image = |z: &Array2<f32>, seed: u64| {
            let places = gaussian(rank as usize, 2, seed).mapv(|value| 4.5 + 2.0 * value.clamp(-1.5, 1.5));
            let spot = |pixel: usize, place: usize| {
                let (row, column) = ((pixel / 10) as f32, (pixel % 10) as f32);
                let far = (row - places[[place, 0]]).powi(2) + (column - places[[place, 1]]).powi(2);
                (-far / 8.0).exp()
            };
            let spots = Array2::from_shape_fn((rank as usize, 100), |(place, pixel)| spot(pixel, place));
            z.mapv(|value| (0.5 * value).exp()).dot(&spots) + 1e-3 * &gaussian(n, 100, seed + 1)
        };
        let (x, y) = (image(&z, seed + 2), image(&other, seed + 4));
        let found = of("hybrid", &x, &y);
        assert!(is_right_or_flagged(&found, 1.5), "{rank}: {found:?}");
    }
    // If the copula describes the samples, no flag is set.
    let (x, noise) = (gaussian(2000, 50, 660), gaussian(2000, 50, 661));
    let y =
        concatenate![Axis(1), (0.6 * &x + 0.8 * &noise).slice(ndarray::s![.., ..4]), gaussian(2000, 46, 662)];
    assert_eq!(of("hybrid", &x, &y).flags, []);
}
