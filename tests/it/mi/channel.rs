//! Tests `channel` on samples with known information.
//!
//! Tolerances are four standard errors, which one comparison in 16 000 exceeds by chance. Seeds are fixed.

use ndarray::{Array2, Axis, concatenate};
use rand_distr::{Distribution, StandardNormal};
use surmise::mi::{Channel, Estimate, Estimator, Flag, Pairs, Scale};

use super::rows::{EstimateRows, scale_of};
use crate::support::truth::{
    codes, gaussian, generator, mean_and_error, mixture_in_space, mixture_on_a_line, moments, row_numbers,
};

fn estimate(x: &Array2<f32>, y: &Array2<f32>, precisions: &[f64], seed: u64) -> Vec<Estimate> {
    let channel = Channel::new(Scale::Spread, precisions.to_vec()).expect("precisions in range");
    channel.estimate_rows(x.view(), y.view(), seed).expect("samples that can be used")
}

fn stderr(estimate: &Estimate) -> f64 {
    estimate.stderr_nats.expect("channel gives a standard error")
}

/// Asserts that the bounds enclose the exact value and that the estimate is within `4 stderr + slack` of it.
fn encloses(estimate: &Estimate, exact: f64, slack: f64) {
    println!(
        "b {} exact {exact:.4} {:.4} [{:.4}, {:.4}] stderr {:.4}",
        scale_of(estimate),
        estimate.mi_nats,
        estimate.lower_nats.expect("two bounds"),
        estimate.upper_nats.expect("two bounds"),
        stderr(estimate)
    );
    let tolerance = 4.0 * stderr(estimate) + slack;
    assert!(estimate.lower_nats.expect("two bounds") <= exact + tolerance, "{exact}: {estimate:?}");
    assert!(estimate.upper_nats.expect("two bounds") >= exact - tolerance, "{exact}: {estimate:?}");
    assert!((estimate.mi_nats - exact).abs() <= tolerance, "{exact}: {estimate:?}");
}

#[test]
fn two_points_on_a_line_have_the_information_of_the_integral() {
    let y = Array2::from_shape_fn((2000, 1), |(row, _)| if row % 10 < 3 { -1.0 } else { 1.0 });
    // P(-1) = .3, so the mean is .4 and the standard deviation is sqrt(.84).
    let points = [-1.4 / 0.84_f64.sqrt(), 0.6 / 0.84_f64.sqrt()];
    for found in estimate(&y, &y, &[0.4, 1.0, 2.0], 1) {
        let exact = mixture_on_a_line(&points, &[0.3, 0.7], scale_of(&found));
        encloses(&found, exact, 1.0 / 2000.0);
        assert_eq!(found.n_distinct, 2);
    }
}

#[test]
fn states_that_are_told_apart_perfectly_have_the_information_of_their_entropy() {
    // Four states occur 25 times each and are so far apart that noise cannot confuse them. The lower bound is
    // log 4, the upper bound is log(99 / 24), and their midpoint is the Miller-Madow entropy log 4 + 3 / 200
    // to first order.
    let x = codes(100, 4);
    let found = &estimate(&x, &x, &[0.01], 1)[0];
    assert!((found.lower_nats.expect("two bounds") - 4.0_f64.ln()).abs() < 1e-6);
    assert!((found.upper_nats.expect("two bounds") - (99.0_f64 / 24.0).ln()).abs() < 1e-6);
    assert!((found.mi_nats - (4.0_f64.ln() + 3.0 / 200.0)).abs() < 5e-4);
    assert!(stderr(found) < 1e-6);
}

#[test]
fn orthogonal_codewords_have_the_information_of_their_mixture() {
    let (count, n) = (16, 3200);
    let x = codes(n, count);
    let y = Array2::from_shape_fn((n, count), |(row, k)| f32::from(row % count == k));
    let share = 1.0 / count as f64;
    let sd = (share * (1.0 - share)).sqrt();
    let points: Vec<Vec<f64>> =
        (0..count).map(|code| (0..count).map(|k| (f64::from(code == k) - share) / sd).collect()).collect();
    for found in estimate(&x, &y, &[0.25, 0.5, 1.0], 2) {
        let sigma = scale_of(&found) * (count as f64).sqrt();
        let (exact, error) = mixture_in_space(&points, &vec![sigma; count], 3);
        encloses(&found, exact, 4.0 * error + count as f64 / n as f64);
    }
}

#[test]
fn a_gaussian_variable_has_the_capacity_of_the_gaussian_channel() {
    for d in [1, 3] {
        let y = gaussian(3000, d, 4);
        for found in estimate(&row_numbers(3000), &y, &[0.4, 1.0], 5) {
            let variance = scale_of(&found).powi(2) * d as f64;
            let exact = 0.5 * d as f64 * (1.0 / variance).ln_1p();
            encloses(&found, exact, 0.005);
            // By chance, the coordinates of a sample have correlations of about 1/sqrt(n), which change the
            // determinant by about 1/n.
            assert!((found.ceilings.gaussian_nats.expect("a channel") - exact).abs() < 0.005);
        }
    }
}

#[test]
fn groups_with_different_spreads_have_the_information_of_their_mixture() {
    for (count, n) in [(8, 1600), (64, 1280)] {
        let d = 4;
        let x = codes(n, count);
        let means = gaussian(count, d, 6);
        let within = 0.6 * gaussian(n, d, 7);
        let y = Array2::from_shape_fn((n, d), |(row, k)| means[[row % count, k]] + within[[row, k]]);
        let moments = moments(&y);
        let points: Vec<Vec<f64>> = means
            .rows()
            .into_iter()
            .map(|row| row.iter().zip(&moments).map(|(&v, (mean, sd))| (f64::from(v) - mean) / sd).collect())
            .collect();
        for found in estimate(&x, &y, &[0.1, 0.25], 8) {
            let variance = scale_of(&found).powi(2) * d as f64;
            let sd: Vec<f64> = moments.iter().map(|(_, sd)| ((0.6 / sd).powi(2) + variance).sqrt()).collect();
            let (exact, error) = mixture_in_space(&points, &sd, 9);
            let tolerance = 4.0 * (stderr(&found) + error);
            let naive = naive_grouped(&y, count, &moments, variance.sqrt());
            println!(
                "groups {count} b {} exact {exact:.3} [{:.3}, {:.3}] mi {:.3} naive {naive:.3}",
                scale_of(&found),
                found.lower_nats.expect("two bounds"),
                found.upper_nats.expect("two bounds"),
                found.mi_nats
            );
            assert!(found.lower_nats.expect("two bounds") <= exact + tolerance, "{exact}: {found:?}");
            assert!(found.upper_nats.expect("two bounds") >= exact - tolerance, "{exact}: {found:?}");
            assert!(found.flags.contains(&Flag::Grouped));
            // The naive estimate, in which both means include the pair itself, is not a lower bound: at fine
            // precision it exceeds the exact value by more than the sampling error.
            assert!(scale_of(&found) > 0.1 || naive > exact + tolerance, "{naive} {exact}");
        }
    }
}

#[test]
fn labels_replace_the_bits_of_x() {
    // The states of sixteen contexts are rounded to the same x. Compared by its bits, x has no information;
    // compared by its labels, it has all of the information.
    let y = codes(800, 16).mapv(|code| code * 3.0);
    let labels: Vec<u32> = (0..800).map(|row| row % 16).collect();
    let channel = Channel::new(Scale::Spread, vec![0.25]).expect("a precision in range");
    let rounded = Array2::<f32>::ones((800, 1));
    let pairs = Pairs::new(rounded.view(), y.view()).expect("pairs");
    let labelled = pairs.with_labels(&labels).expect("a label for each row");
    let by_label = channel.estimate(&labelled, 5).expect("usable");
    assert_eq!(by_label, channel.estimate_rows(y.view(), y.view(), 5).expect("usable"));
    assert!(by_label[0].flags.is_empty() && by_label[0].mi_nats > 1.0);
    let one = channel.estimate(&pairs, 5).expect("usable");
    assert_eq!(one[0].mi_nats, 0.0);
    assert!(pairs.with_labels(&labels[1..]).is_err());
}

/// A naive estimate, computed directly: the mean over pairs of the log ratio of the mean density over the
/// group to the mean density over all rows. Both means include the pair itself.
fn naive_grouped(y: &Array2<f32>, count: usize, moments: &[(f64, f64)], sigma: f64) -> f64 {
    let (n, d) = y.dim();
    let value = |row: usize, k: usize| (f64::from(y[[row, k]]) - moments[k].0) / moments[k].1;
    let mut generator = generator(10);
    let mut sum = 0.0;
    for i in 0..n {
        let seen: Vec<f64> = (0..d)
            .map(|k| {
                let noise: f64 = StandardNormal.sample(&mut generator);
                value(i, k) + sigma * noise
            })
            .collect();
        let (mut own, mut all) = (0.0, 0.0);
        for j in 0..n {
            let square: f64 = (0..d).map(|k| (seen[k] - value(j, k)).powi(2)).sum();
            let density = (-square / (2.0 * sigma * sigma)).exp();
            all += density / n as f64;
            if j % count == i % count {
                own += density / (n / count) as f64;
            }
        }
        sum += (own / all).ln();
    }
    sum / n as f64
}

#[test]
fn collapsing_equal_pairs_keeps_the_expectation() {
    // The sample has twelve states with unequal counts. Numbering the rows prevents the collapse of equal
    // pairs and does not change the information.
    let n = 300;
    let state = |row: usize| (row * row) % 23;
    let x = Array2::from_shape_fn((n, 1), |(row, _)| state(row) as f32);
    let states = gaussian(23, 3, 11);
    let y = Array2::from_shape_fn((n, 3), |(row, k)| states[[state(row), k]]);
    let (mut lower, mut upper) = (Vec::new(), Vec::new());
    for seed in 0..60 {
        let collapsed = &estimate(&x, &y, &[0.25], seed)[0];
        let raw = &estimate(&row_numbers(n), &y, &[0.25], seed + 1000)[0];
        assert_eq!((collapsed.n_distinct, raw.n_distinct), (12, n));
        lower.push(collapsed.lower_nats.expect("two bounds") - raw.lower_nats.expect("two bounds"));
        upper.push(collapsed.upper_nats.expect("two bounds") - raw.upper_nats.expect("two bounds"));
    }
    for differences in [lower, upper] {
        let (mean, error) = mean_and_error(&differences);
        assert!(mean.abs() < 4.0 * error && error < 0.01, "{mean} +- {error}");
    }
}

#[test]
fn many_pairs_of_few_points_need_few_draws_and_have_the_standard_error_of_the_draws() {
    // The noise of 60 000 pairs is drawn only 4096 times, so the standard error must be computed from the
    // 4096 draws, not from the 60 000 pairs.
    let n = 60_000;
    let y = Array2::from_shape_fn((n, 1), |(row, _)| (row % 3) as f32);
    let points = [-1.5_f64.sqrt(), 0.0, 1.5_f64.sqrt()];
    let exact = mixture_on_a_line(&points, &[1.0 / 3.0; 3], 1.0);
    let scores: Vec<f64> = (0..40)
        .map(|seed| {
            let found = &estimate(&y, &y, &[1.0], seed)[0];
            (found.mi_nats - exact) / stderr(found)
        })
        .collect();
    // The mean of 40 standard scores is 0 +- .16, and their mean square is 1 +- .22.
    let mean = scores.iter().sum::<f64>() / 40.0;
    let square = scores.iter().map(|score| score * score).sum::<f64>() / 40.0;
    assert!(mean.abs() < 0.64 && (0.35..2.0).contains(&square), "{mean} {square}");
}

#[test]
fn the_standard_error_is_the_spread_over_fresh_samples() {
    // A standard deviation from 40 values has an error of 11 %.
    let states = gaussian(200, 16, 12);
    let state_of = |n: usize, seed: u64| {
        // States with smaller numbers occur more often.
        let rank = move |v: f32| (25.0 * v * v).min(199.0).floor();
        gaussian(n, 1, seed).mapv(rank)
    };
    let discrete = |seed: u64| {
        let x = state_of(800, seed);
        let y = Array2::from_shape_fn((800, 16), |(row, k)| states[[x[[row, 0]] as usize, k]]);
        (x, y)
    };
    let continuous = |seed: u64| {
        let (_, y) = discrete(seed);
        (row_numbers(800), y + 0.2 * gaussian(800, 16, seed + 500))
    };
    for sample in [&discrete as &dyn Fn(u64) -> (Array2<f32>, Array2<f32>), &continuous] {
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for seed in 0..40 {
            let (x, y) = sample(seed + 100);
            let found = &estimate(&x, &y, &[0.4], seed)[0];
            values.push(found.mi_nats);
            errors.push(stderr(found));
        }
        let spread = mean_and_error(&values).1 * 40.0_f64.sqrt();
        let claimed = mean_and_error(&errors).0;
        println!("spread {spread} claimed {claimed}");
        assert!((claimed / spread - 1.0).abs() < 0.35, "{claimed} for {spread}");
    }
}

#[test]
fn duplicated_coordinates_change_nothing_but_the_noise() {
    let x = row_numbers(600);
    let y = gaussian(600, 4, 13);
    let twice = concatenate(Axis(1), &[y.view(), y.view()]).expect("same number of rows");
    for (once, twice) in estimate(&x, &y, &[0.25, 0.4], 14).iter().zip(estimate(&x, &twice, &[0.25, 0.4], 15))
    {
        let tolerance = 4.0 * (stderr(once).powi(2) + stderr(&twice).powi(2)).sqrt();
        assert!((once.mi_nats - twice.mi_nats).abs() < tolerance, "{once:?} {twice:?}");
        assert!(
            (once.ceilings.gaussian_nats.expect("a channel")
                - twice.ceilings.gaussian_nats.expect("a channel"))
            .abs()
                < 1e-4
        );
    }
}

#[test]
fn scaled_and_shifted_coordinates_and_constant_ones_change_nothing() {
    let x = row_numbers(400);
    let y = gaussian(400, 3, 16);
    let reference = estimate(&x, &y, &[0.1, 0.4], 17);
    // Scaling by a power of two is exact in every step.
    assert_eq!(estimate(&x, &(64.0 * &y), &[0.1, 0.4], 17), reference);

    let changed = Array2::from_shape_fn((400, 5), |(row, k)| match k {
        0 => 3.7e-20 * y[[row, 0]],
        1 => 1e-20 * (4.0 - y[[row, 1]]),
        2 => 5e-21 * y[[row, 2]],
        _ => 1e-20 * k as f32,
    });
    // Column 1 of `changed` has the opposite sign, which standardising does not remove. The reference gets
    // the opposite sign, too, because otherwise the same noise would have another effect.
    let mut mirrored = y.clone();
    mirrored.column_mut(1).mapv_inplace(|value| -value);
    let mirrored = estimate(&x, &mirrored, &[0.1, 0.4], 17);
    for (found, reference) in estimate(&x, &changed, &[0.1, 0.4], 17).iter().zip(mirrored) {
        assert_eq!(found.constant_y.len(), 2);
        // The relative rounding error of the inputs is 6e-8, which is small compared with sigma = .17.
        assert!((found.mi_nats - reference.mi_nats).abs() < 1e-4, "{found:?} {reference:?}");
    }
}

#[test]
fn the_norm_scale_depends_on_directions_and_not_on_lengths() {
    let lengths = gaussian(1000, 1, 18);
    let y = Array2::from_shape_fn((1000, 2), |(row, k)| {
        let sign = if (row % 2 == 0) == (k == 0) { 1.0 } else { -1.0 };
        5.0 + sign * lengths[[row, 0]].exp()
    });
    let channel = Channel::new(Scale::Norm, vec![0.3, 1.0]).expect("precisions in range");
    let found = channel.estimate_rows(row_numbers(1000).view(), y.view(), 19).expect("usable");
    for found in found {
        // The directions are (1, -1) and (-1, 1), at distance 2 sqrt(2) on a line whose noise is b sqrt(2).
        let exact = mixture_on_a_line(&[-1.0, 1.0], &[0.5, 0.5], scale_of(&found));
        encloses(&found, exact, 1.0 / 1000.0);
    }
}

#[test]
fn one_thread_and_several_give_the_same_bits() {
    let x = row_numbers(700);
    let y = gaussian(700, 40, 20);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| Channel::DEFAULT.estimate_rows(x.view(), y.view(), 21).expect("usable"))
    };
    let one = with(1);
    assert_eq!(with(2), one);
    assert_eq!(with(3), one);
}

#[test]
fn the_lower_bound_stays_below_the_ceilings() {
    for (x, y) in [
        (row_numbers(300), gaussian(300, 2, 22)),
        (row_numbers(300), gaussian(300, 100, 23)),
        (row_numbers(60), gaussian(60, 200, 24)),
        (
            codes(300, 7),
            Array2::from_shape_fn((300, 2), |(row, k)| ((row % 7) as f32 * (k as f32 + 1.3)).sin()),
        ),
    ] {
        for found in estimate(&x, &y, &[0.05, 0.1, 0.4, 1.0], 25) {
            let tolerance = 4.0 * stderr(&found) + 1e-4;
            assert!(found.lower_nats.expect("two bounds") <= found.ceiling_nats + tolerance, "{found:?}");
            assert!(
                found.mi_nats <= found.ceiling_nats.max(found.lower_nats.expect("two bounds")),
                "{found:?}"
            );
            assert!(
                found.mi_nats
                    >= found.lower_nats.expect("two bounds").min(found.upper_nats.expect("two bounds")),
                "{found:?}"
            );
        }
    }
}
