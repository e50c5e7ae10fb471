//! Tests samples that look more dependent than they are: heavy tails, sparse tables, and copied rows. They
//! are independent, or share only a few values.

use ndarray::{Array2, Axis, s};
use rand::Rng;
use surmise::mi::{Estimate, Flag, find};

use super::rows::EstimateRows;
use crate::support::truth::{gaussian, generator};

/// Rows of a multivariate t distribution with `d` columns and `nu` degrees of freedom, up to a common scale.
/// Two calls with different seeds give independent sides.
fn heavy(n: usize, d: usize, nu: usize, seed: u64) -> Array2<f32> {
    let (mut values, squares) = (gaussian(n, d, seed), gaussian(n, nu, seed + 1));
    for (mut row, squares) in values.rows_mut().into_iter().zip(squares.rows()) {
        let scale = squares.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.mapv_inplace(|value| value / scale);
    }
    values
}

fn of(name: &str, x: &Array2<f32>, y: &Array2<f32>) -> Estimate {
    find(name).expect("in the table").estimate_rows(x.view(), y.view(), 7).expect("suited samples").remove(0)
}

#[test]
fn the_default_finds_no_dependence_between_independent_heavy_tails() {
    let (n, d) = (600, 6);
    let sides = [
        (heavy(n, d, 1, 70), heavy(n, d, 1, 80)),
        (heavy(n, d, 2, 90), heavy(n, d, 2, 100)),
        (heavy(n, d, 1, 110), gaussian(n, d, 120)),
    ];
    for (case, (x, y)) in sides.iter().enumerate() {
        // `hybrid` adds an estimate of the residual information, which is only sampling noise here, so its
        // tolerance is larger.
        for (name, most) in [("ensemble", 0.03), ("hybrid", 0.1), ("t-copula", 0.03)] {
            let found = of(name, x, y);
            assert!(found.mi_nats.abs() < most, "{name}, case {case}: {found:?}");
        }
    }
    // If tails are large on both sides at once, the sides share information: 2 h(3, 1) - h(6, 1), where h(d,
    // nu) is the entropy of a t vector with d columns and nu degrees of freedom.
    let both = heavy(2000, 6, 1, 130);
    let (x, y) = (both.slice(s![.., ..3]).to_owned(), both.slice(s![.., 3..]).to_owned());
    let found = of("t-copula", &x, &y);
    assert!((found.mi_nats - 0.585_182_656).abs() < 0.06, "{found:?}");
}

#[test]
fn many_discrete_values_in_few_rows_do_not_inflate_the_information() {
    let n = 1000;
    let side =
        |d: usize, size: f32, seed: u64| gaussian(n, d, seed).mapv(|value| (size * value.abs()).floor());
    for (d, size, is_told) in [(1, 9.0, true), (2, 2.0, true), (1, 1.0, false)] {
        let (x, y) = (side(d, size, 140), side(d, size, 150));
        for name in ["ensemble", "plugin"] {
            let found = of(name, &x, &y);
            assert!(found.mi_nats.abs() < 0.06, "{name}, {d} of size {size}: {found:?}");
            assert_eq!(
                found.flags.contains(&Flag::Undersampled),
                is_told,
                "{name}, {d} of size {size}: {found:?}"
            );
        }
        // If x and y are equal, their information is their entropy, for any number of values.
        let found = of("plugin", &x, &x);
        assert!((found.mi_nats - found.ceiling_nats).abs() < 1e-9, "{found:?}");
    }
}

#[test]
fn rows_drawn_with_replacement_have_the_information_of_the_distinct_rows() {
    let n = 800;
    let (x, y) = (gaussian(n, 3, 180), gaussian(n, 3, 190));
    let choice: Vec<usize> =
        gaussian(n, 1, 200).iter().map(|value| (value.abs() * 1e4) as usize % n).collect();
    let (x, y) = (x.select(Axis(0), &choice), y.select(Axis(0), &choice));
    for name in ["ensemble", "hybrid"] {
        let found = of(name, &x, &y);
        assert!(found.flags.contains(&Flag::Copies) && found.n < n, "{name}: {found:?}");
        assert!(found.mi_nats.abs() < 0.1, "{name}: {found:?}");
    }
}

#[test]
fn a_shared_column_of_few_values_gives_its_entropy() {
    let n = 400;
    let (mut x, mut y) = (gaussian(n, 2, 210), gaussian(n, 2, 220));
    for row in 0..n {
        (x[[row, 0]], y[[row, 0]]) = ((row % 2) as f32, (row % 2) as f32);
    }
    for name in ["ensemble", "hybrid", "t-copula", "ksg"] {
        let found = of(name, &x, &y);
        assert!(found.flags.contains(&Flag::SharedValues), "{name}: {found:?}");
        assert!((found.mi_nats - 2.0_f64.ln()).abs() < 0.01, "{name}: {found:?}");
    }
}

#[test]
fn the_default_stays_below_the_ceiling_and_infinity_is_not_near_it() {
    let z = gaussian(400, 3, 230);
    let turned =
        Array2::from_shape_fn((400, 3), |(row, k)| (z[[row, k]] + 0.5 * z[[row, (k + 1) % 3]]).powi(3));
    for name in ["ensemble", "hybrid"] {
        let found = of(name, &z, &turned);
        assert!(found.mi_nats <= found.ceiling_nats + 1e-9, "{name}: {found:?}");
        assert!(found.flags.contains(&Flag::NearCeiling), "{name}: {found:?}");
        assert_eq!(of(name, &z, &z).flags, [Flag::Infinite], "{name}");
    }
}

#[test]
fn an_outlier_in_two_columns_makes_neither_a_function_of_the_other() {
    let (n, r) = (1000, 0.9_f32);
    let x = gaussian(n, 2, 250);
    let last = x.slice(s![.., 1..]).to_owned();
    let y = r * &last + (1.0 - r * r).sqrt() * &gaussian(n, 1, 251);
    let exact = -0.5 * (1.0 - f64::from(r).powi(2)).ln();
    // In the first sample, x has an outlier. In the second sample, x and y have outliers in the same rows.
    let mut far = x.clone();
    far.row_mut(7).fill(1e8);
    let (mut far_last, mut far_y) = (last.clone(), y.clone());
    for row in [3, 400, 800] {
        (far_last[[row, 0]], far_y[[row, 0]]) = (1e20, 1e20);
    }
    for (x, y) in [(&far, &y), (&far_last, &far_y)] {
        for name in ["ensemble", "hybrid", "t-copula"] {
            let found = of(name, x, y);
            assert!(
                (found.mi_nats - exact).abs() < 0.1 && !found.flags.contains(&Flag::Collinear),
                "{name}: {found:?}"
            );
        }
        assert!(find("ksg").expect("in the table").estimate_rows(x.view(), y.view(), 7).is_err());
    }
    // A column that is a linear function of the other columns is still detected.
    let mut sum = far.clone();
    sum.column_mut(1).assign(&(&far.column(0) + &far.column(1)));
    assert_eq!(of("gaussian", &far, &sum).flags, [Flag::Infinite]);
}

#[test]
fn the_information_of_dependent_tables_is_not_inflated() {
    // y equals x with probability q; otherwise it is drawn from all K values.
    for (k, q, n, least) in [(60, 0.7, 3000, 0.07), (40, 0.5, 1000, 0.15), (20, 0.7, 1000, 0.1)] {
        let mut random = generator(260);
        let mut error = 0.0;
        for _ in 0..3 {
            let x = Array2::from_shape_simple_fn((n, 1), || random.random_range(0..k) as f32);
            let y = x.mapv(|x| if random.random::<f64>() < q { x } else { random.random_range(0..k) as f32 });
            let (same, other) = (q + (1.0 - q) / k as f64, (1.0 - q) / k as f64);
            let exact = same * (same * k as f64).ln() + (k - 1) as f64 * other * (other * k as f64).ln();
            error += (of("plugin", &x, &y).mi_nats - exact) / 3.0;
        }
        assert!(error.abs() < least, "{k} values, {q}, {n} rows: {error}");
    }
}

#[test]
fn no_bound_exceeds_what_the_number_of_samples_supports() {
    let (n, d, r) = (400, 20, 0.999_f32);
    let x = gaussian(n, d, 240);
    let y = r * &x + (1.0 - r * r).sqrt() * &gaussian(n, d, 241);
    for name in ["dv", "infonce", "ensemble"] {
        let found = of(name, &x, &y);
        assert!(
            found.mi_nats <= found.ceiling_nats && found.lower_nats <= Some(found.ceiling_nats),
            "{name}: {found:?}"
        );
    }
    assert!(of("dv", &x, &y).flags.contains(&Flag::AboveCeiling));
    // The estimate of a parametric estimator may exceed the ceiling, but then it has a flag.
    let exact = -0.5 * f64::from(d as u32) * (1.0 - f64::from(r).powi(2)).ln();
    let found = of("gaussian", &x, &y);
    assert!(
        (found.mi_nats - exact).abs() < 1.0 && found.flags.contains(&Flag::AboveCeiling),
        "{exact} {found:?}"
    );
}

#[test]
fn dependence_of_ranks_is_found_despite_outliers_and_many_orders_of_magnitude() {
    let (n, r) = (1000, 0.9_f32);
    let x = gaussian(n, 1, 210);
    let y = r * &x + (1.0 - r * r).sqrt() * &gaussian(n, 1, 220);
    let exact = -0.5 * (1.0 - f64::from(r).powi(2)).ln();
    // One value is far from all others, and two rows are equal. The added noise must separate the equal rows
    // without changing any other order.
    let mut far = x.clone();
    (far[[5, 0]], far[[7, 0]]) = (1e8, far[[6, 0]]);
    // These values span forty orders of magnitude.
    let wide = |a: &Array2<f32>| a.mapv(|value| (10.0 * value).exp());
    for (x, y) in [(&far, &y), (&wide(&x), &wide(&y))] {
        for name in ["ensemble", "hybrid", "t-copula", "cca-ksg", "dv", "infonce"] {
            let found = of(name, x, y);
            // `dv` and `infonce` are lower bounds, so their tolerance is larger.
            let least = if matches!(name, "dv" | "infonce") { 0.25 } else { 0.1 };
            assert!((found.mi_nats - exact).abs() < least, "{name}: {found:?}");
        }
        // In units of the standard deviation, most values coincide, so distances carry no information.
        let refused = find("ksg").expect("in the table").estimate_rows(x.view(), y.view(), 7);
        assert!(refused.is_err_and(|error| error.to_string().contains("take logarithms or ranks first")));
    }
}

#[test]
fn positive_and_negative_zero_are_one_value() {
    let n = 1000;
    let (x, signs) = (gaussian(n, 1, 230).mapv(|value| value.abs().round()), gaussian(n, 1, 240));
    let half = Array2::from_shape_fn((n, 1), |at| if x[at] == 0.0 && signs[at] > 0.0 { -0.0 } else { x[at] });
    let y = gaussian(n, 1, 250).mapv(|value| value.abs().round());
    for name in ["plugin", "ensemble"] {
        assert_eq!(of(name, &x, &y).mi_nats.to_bits(), of(name, &half, &y).mi_nats.to_bits(), "{name}");
        assert_eq!(of(name, &y, &x).mi_nats.to_bits(), of(name, &y, &half).mi_nats.to_bits(), "{name}");
    }
}
