//! Tests every estimator of the registry on edge cases of samples: which samples give an error, which samples
//! give a flag, and that every wrong number has a flag.

use ndarray::{Array2, s};
use surmise::Error;
use surmise::mi::{ALL, Estimate, Estimator, Flag, Kind, find};

use crate::mi::rows::EstimateRows;
use crate::support::truth::gaussian;

/// Correlated Gaussian pairs with `d` columns on each side. The first coordinates share `-0.5 log(1 - .64) =
/// .511` nats.
pub(crate) fn pairs(n: usize, d: usize, seed: u64) -> (Array2<f32>, Array2<f32>) {
    let x = gaussian(n, d, seed);
    let mut y = gaussian(n, d, seed + 1000);
    for row in 0..n {
        y[[row, 0]] = 0.8 * x[[row, 0]] + 0.6 * y[[row, 0]];
    }
    (x, y)
}

/// The pairs rounded to multiples of .5, so that values repeat, for estimators of discrete values.
pub(crate) fn coarse((x, y): (Array2<f32>, Array2<f32>)) -> (Array2<f32>, Array2<f32>) {
    let round = |value: f32| (2.0 * value.clamp(-1.5, 1.5)).round() / 2.0;
    (x.mapv(round), y.mapv(round))
}

/// Samples that suit this estimator.
pub(crate) fn suited(estimator: &dyn Estimator, n: usize) -> (Array2<f32>, Array2<f32>) {
    match estimator.name() {
        "plugin" => coarse(pairs(n, 1, 3)),
        // Each row costs this estimator half a million multiplications per epoch, so use few rows.
        "mine-paper" => pairs(n.min(60), 2, 3),
        // Below 400 rows, `ensemble` uses only the copula and the neighbours, like `hybrid`.
        "ensemble" if n >= 200 => pairs(n.max(400), 2, 3),
        _ => pairs(n, 2, 3),
    }
}

pub(crate) fn run(
    estimator: &dyn Estimator,
    x: &Array2<f32>,
    y: &Array2<f32>,
) -> Result<Vec<Estimate>, Error> {
    estimator.estimate_rows(x.view(), y.view(), 7)
}

/// Asserts that an estimate is finite, or has a flag that explains why it is not.
fn sane(name: &str, estimates: &[Estimate]) {
    assert!(!estimates.is_empty(), "{name}");
    for estimate in estimates {
        let infinite = estimate.flags.contains(&Flag::Infinite);
        assert!(
            estimate.mi_nats.is_finite() || infinite || estimate.flags.contains(&Flag::Failed),
            "{name}: {estimate:?}"
        );
        assert!(!estimate.mi_nats.is_nan(), "{name}: {estimate:?}");
        assert!(estimate.stderr_nats.is_none_or(|stderr| stderr >= 0.0), "{name}: {estimate:?}");
        assert!(estimate.ceiling_nats >= 0.0, "{name}: {estimate:?}");
    }
}

fn refused(name: &str, found: Result<Vec<Estimate>, Error>) -> String {
    match found {
        Err(Error::Samples { estimator, reason }) => {
            assert_eq!(estimator, name);
            reason
        }
        Err(Error::Pairs { reason }) => reason,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn nan_and_infinity_are_refused_with_row_column_and_count() {
    for estimator in ALL {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut x, y) = suited(*estimator, 80);
            let column = x.ncols() - 1;
            (x[[5, column]], x[[9, 0]]) = (value, value);
            for (found, what) in [(run(*estimator, &x, &y), "x"), (run(*estimator, &y, &x), "y")] {
                match found {
                    Err(Error::NonFinite { what: named, row, column: at, count }) => {
                        assert_eq!(
                            (named.as_str(), row, at, count),
                            (what, 5, column, 2),
                            "{}",
                            estimator.name()
                        );
                    }
                    other => panic!("{}: {other:?}", estimator.name()),
                }
            }
        }
    }
}

#[test]
fn rows_that_cannot_be_paired_and_sides_without_columns_are_refused() {
    for estimator in ALL {
        let name = estimator.name();
        let (x, y) = suited(*estimator, 80);
        let short = y.slice(s![1.., ..]).to_owned();
        assert!(refused(name, run(*estimator, &x, &short)).contains(&format!(
            "{} rows and y has {}",
            x.nrows(),
            short.nrows()
        )));
        refused(name, run(*estimator, &x, &Array2::zeros((x.nrows(), 0))));
        refused(name, run(*estimator, &Array2::zeros((x.nrows(), 0)), &y));
        refused(name, run(*estimator, &x.slice(s![..1, ..]).to_owned(), &y.slice(s![..1, ..]).to_owned()));
        refused(name, run(*estimator, &Array2::zeros((0, 1)), &Array2::zeros((0, 1))));
    }
}

#[test]
fn constant_columns_are_dropped_and_listed_and_change_nothing() {
    for estimator in ALL {
        let (x, y) = suited(*estimator, 300);
        let with = |a: &Array2<f32>, value: f32| {
            let mut wide = Array2::from_elem((a.nrows(), a.ncols() + 1), value);
            wide.slice_mut(s![.., 1..]).assign(a);
            wide
        };
        let plain = run(*estimator, &x, &y).expect("suited samples");
        let padded = run(*estimator, &with(&x, 3.5), &with(&y, -1e20)).expect("suited samples");
        for (plain, padded) in plain.iter().zip(&padded) {
            assert!(
                (plain.mi_nats - padded.mi_nats).abs() < 1e-6,
                "{}: {plain:?} {padded:?}",
                estimator.name()
            );
            assert_eq!(padded.constant_y, [0], "{}", estimator.name());
            // `channel` uses only the distinct rows of x, so it does not report constant columns of x.
            assert!(padded.kind == Kind::TwoSided || padded.constant_x == [0], "{}", estimator.name());
        }
    }
}

#[test]
fn a_constant_side_gives_exactly_zero_with_a_flag() {
    for estimator in ALL {
        let (x, y) = suited(*estimator, 120);
        for value in [0.0, 7.25, -1e20, 1e-38] {
            for (x, y) in [
                (Array2::from_elem((x.nrows(), 2), value), y.clone()),
                (x.clone(), Array2::from_elem((x.nrows(), 3), value)),
            ] {
                for found in run(*estimator, &x, &y).expect("constant samples") {
                    assert_eq!(found.mi_nats, 0.0, "{}", estimator.name());
                    assert!(found.flags.contains(&Flag::Constant), "{}", estimator.name());
                }
            }
        }
    }
}

#[test]
fn values_at_the_limits_of_f32_give_the_estimate_of_values_near_one() {
    for estimator in ALL {
        let (x, y) = suited(*estimator, 300);
        let plain = run(*estimator, &x, &y).expect("suited samples");
        // The factors are powers of two near 1e20 and 1e-20, so that scaling causes no rounding.
        for (a, b) in [(2.0_f32.powi(66), 2.0_f32.powi(-66)), (2.0_f32.powi(-66), 2.0_f32.powi(66))] {
            let scaled = run(*estimator, &(a * &x), &(b * &y)).expect("suited samples");
            for (plain, scaled) in plain.iter().zip(&scaled) {
                assert!(
                    (plain.mi_nats - scaled.mi_nats).abs() < 1e-4,
                    "{}: {plain:?} {scaled:?}",
                    estimator.name()
                );
            }
        }
    }
}

#[test]
fn few_rows_are_flagged_and_too_few_for_a_covariance_refused() {
    for estimator in ALL {
        let name = estimator.name();
        let (x, y) = suited(*estimator, 49);
        if let Ok(found) = run(*estimator, &x, &y) {
            assert!(found.iter().all(|found| found.flags.contains(&Flag::SmallSample)), "{name}");
        }
        // 13 rows are one too few for a covariance of 6 + 6 columns.
        let (x, y) = pairs(13, 6, 9);
        match run(*estimator, &x, &y) {
            Ok(found) => {
                sane(name, &found);
                assert!(matches!(name, "channel" | "ksg"), "{name} must refuse");
            }
            Err(error) => assert!(matches!(error, Error::Samples { .. }), "{name}: {error}"),
        }
    }
    for name in ["gaussian", "t-copula"] {
        let (x, y) = pairs(80, 30, 9);
        let found = run(find(name).expect("in the table"), &x, &y).expect("more rows than columns");
        assert!(found[0].flags.contains(&Flag::FewRows), "{name}: {found:?}");
    }
}

#[test]
fn y_equal_to_x_is_infinite_or_the_entropy_ceiling_and_never_a_number() {
    for estimator in ALL {
        let name = estimator.name();
        let n = if name == "ensemble" { 400 } else { 200 };
        let (x, _) = pairs(n, 2, 4);
        let (values, _) = coarse(pairs(n, 1, 4));
        for x in [&x, &values] {
            let Ok(found) = run(*estimator, x, x) else { continue };
            sane(name, &found);
            for found in found.iter().filter(|found| found.kind != Kind::TwoSided) {
                let ceiling = (found.mi_nats - found.ceiling_nats).abs() < 1e-9;
                assert!(found.mi_nats == f64::INFINITY || ceiling, "{name}: {found:?}");
            }
        }
    }
}

#[test]
fn a_monotone_function_of_x_is_infinite_for_rank_based_estimators() {
    for name in ["ensemble", "hybrid", "t-copula", "cca-ksg", "dv", "infonce"] {
        let estimator = find(name).expect("in the table");
        let (x, y) = pairs(400, 2, 5);
        let mut bent = y.clone();
        bent.column_mut(1).assign(&x.column(0).mapv(|value| value.exp()));
        let found = &run(estimator, &x, &bent).expect("suited samples")[0];
        assert!(found.mi_nats == f64::INFINITY && found.flags.contains(&Flag::Infinite), "{name}: {found:?}");
        // If the function is an additional column of the same side, it adds no information.
        let mut wide = Array2::zeros((400, 3));
        wide.slice_mut(s![.., ..2]).assign(&x);
        wide.column_mut(2).assign(&x.column(1).mapv(|value| value.powi(3)));
        let (plain, found) = (run(estimator, &x, &y), run(estimator, &wide, &y));
        let (plain, found) = (&plain.expect("suited samples")[0], &found.expect("suited samples")[0]);
        assert!(found.flags.contains(&Flag::Collinear), "{name}: {found:?}");
        assert!((plain.mi_nats - found.mi_nats).abs() < 1e-6, "{name}: {plain:?} {found:?}");
    }
}

#[test]
fn repeated_and_dependent_columns_add_no_information() {
    for estimator in ALL.iter().filter(|estimator| !matches!(estimator.name(), "channel" | "plugin")) {
        let (x, y) = suited(*estimator, 300);
        let mut twice = Array2::zeros((x.nrows(), 4));
        twice.slice_mut(s![.., ..2]).assign(&x);
        twice.slice_mut(s![.., 2..]).assign(&(-3.0 * &x));
        let plain = run(*estimator, &x, &y).expect("suited samples");
        let found = run(*estimator, &twice, &y).expect("suited samples");
        assert!(found[0].flags.contains(&Flag::Collinear), "{}", estimator.name());
        assert!(
            (plain[0].mi_nats - found[0].mi_nats).abs() < 1e-6,
            "{}: {plain:?} {found:?}",
            estimator.name()
        );
    }
}

#[test]
fn repeated_rows_are_refused_jittered_or_counted_with_a_flag() {
    for estimator in ALL {
        let name = estimator.name();
        // One row occurs twice. An estimator may separate the two rows by noise of a millionth.
        let n = match name {
            "mine-paper" => 60,
            "ensemble" => 400,
            _ => 300,
        };
        let (mut x, y) = pairs(n, 2, 6);
        let first = x.row(0).to_owned();
        x.row_mut(1).assign(&first);
        if let Ok(found) = run(*estimator, &x, &y) {
            sane(name, &found);
        }
        // Every row occurs six times, so nearest neighbours have distance zero.
        let (x, y) = (
            Array2::from_shape_fn((n, 2), |(r, c)| x[[r / 6, c]]),
            Array2::from_shape_fn((n, 2), |(r, c)| y[[r / 6, c]]),
        );
        match run(*estimator, &x, &y) {
            Ok(found) => {
                sane(name, &found);
                let told = |flag| found.iter().all(|found| found.flags.contains(&flag));
                assert!(
                    name == "channel"
                        || told(Flag::Repeated)
                        || told(Flag::Discrete)
                        || told(Flag::Jittered)
                        || told(Flag::Copies),
                    "{name}: {found:?}"
                );
            }
            Err(error) => assert!(matches!(error, Error::Samples { .. }), "{name}: {error}"),
        }
    }
    let (x, y) = (Array2::from_shape_fn((300, 1), |(r, _)| (r / 6) as f32), gaussian(300, 1, 2));
    let reason = refused("ksg", run(find("ksg").expect("in the table"), &x, &y));
    assert!(reason.contains("only 50 are distinct") && reason.contains("plugin"), "{reason}");
}

#[test]
fn the_same_samples_and_seed_give_the_same_bits_on_one_thread_and_on_two() {
    for estimator in ALL {
        let (x, y) = suited(*estimator, 260);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| run(*estimator, &x, &y)).expect("suited samples")
        };
        let one = on(1);
        assert_eq!(one, on(2), "{}", estimator.name());
        assert_eq!(one, on(1), "{}", estimator.name());
        sane(estimator.name(), &one);
    }
}

#[test]
fn the_ensemble_finds_dependence_beyond_a_copula_on_one_thread_and_on_two() {
    // Eight clusters: |x| and |y| are both near 1 or both near 3, and their signs are independent.
    let (n, noise) = (600, gaussian(600, 2, 21));
    let corner = |row: usize| [1.0_f32, 3.0][row % 2];
    let x = Array2::from_shape_fn(
        (n, 1),
        |(r, _)| if r % 4 < 2 { corner(r) } else { -corner(r) } + 0.1 * noise[[r, 0]],
    );
    let y = Array2::from_shape_fn(
        (n, 1),
        |(r, _)| if r % 8 < 4 { corner(r) } else { -corner(r) } + 0.1 * noise[[r, 1]],
    );
    let estimator = find("ensemble").expect("in the table");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| run(estimator, &x, &y)).expect("suited samples")
    };
    let found = on(1);
    assert_eq!(found, on(2));
    // The two sides share only the choice between 1 and 3, which differ by twenty standard deviations of the
    // noise.
    assert!((found[0].mi_nats - 2.0_f64.ln()).abs() < 0.06, "{found:?}");
    assert!(found[0].lower_nats.is_none_or(|lower| lower < 2.0_f64.ln() + 0.01), "{found:?}");
    let parametric = run(find("t-copula").expect("in the table"), &x, &y).expect("suited samples");
    assert!(parametric[0].mi_nats < 0.4, "{parametric:?}");
}

/// Six smooth functions of one latent value on each side, without noise. The densities are singular, and the
/// density of a mixture diverges.
fn curves(n: usize, rho: f32) -> (Array2<f32>, Array2<f32>) {
    let latent = gaussian(n, 2, 33);
    let curve = |k: usize, value: f32| ((0.4 + 0.3 * k as f32) * value + 0.7 * k as f32).sin();
    let x = Array2::from_shape_fn((n, 6), |(row, k)| curve(k, latent[[row, 0]]));
    let y = Array2::from_shape_fn((n, 6), |(row, k)| {
        curve(k, rho * latent[[row, 0]] + (1.0 - rho * rho).sqrt() * latent[[row, 1]])
    });
    (x, y)
}

#[test]
fn the_default_is_right_on_singular_densities() {
    for rho in [0.0_f32, 0.8] {
        let (x, y) = curves(1000, rho);
        let exact = -0.5 * (1.0 - f64::from(rho).powi(2)).ln();
        let found = &run(find("ensemble").expect("in the table"), &x, &y).expect("suited samples")[0];
        assert!((found.mi_nats - exact).abs() < if rho == 0.0 { 0.03 } else { 0.1 }, "{rho}: {found:?}");
        assert!(found.lower_nats.expect("a bound") < exact + 0.03, "{rho}: {found:?}");
    }
}

#[test]
fn the_default_finds_no_dependence_between_independent_clusters() {
    let (n, d) = (2000, 8);
    let side = |seed: u64, clusters: usize| {
        let (centres, noise) = (gaussian(clusters, d, seed), gaussian(n, d, seed + 1));
        let choice = gaussian(n, 1, seed + 2);
        Array2::from_shape_fn((n, d), |(row, k)| {
            let cluster = (choice[[row, 0]].abs() * 1000.0) as usize % clusters;
            4.0 * centres[[cluster, k]] + noise[[row, k]]
        })
    };
    let found =
        &run(find("ensemble").expect("in the table"), &side(50, 6), &side(60, 9)).expect("suited samples")[0];
    assert!(found.mi_nats.abs() < 0.03, "{found:?}");
}

#[test]
fn every_estimator_has_a_description_and_is_found_by_its_name() {
    for estimator in ALL {
        let about = estimator.about();
        for text in [about.what, about.reference, about.cost, about.limits] {
            assert!(text.len() > 8 && !text.contains('\t'), "{}", estimator.name());
        }
        let found = find(estimator.name()).expect("in the table");
        assert_eq!(found.name(), estimator.name());
        let (x, y) = suited(*estimator, 260);
        for estimate in run(*estimator, &x, &y).expect("suited samples") {
            assert_eq!(
                (estimate.kind, estimate.n, estimate.dims),
                (about.kind, x.nrows(), [x.ncols(), y.ncols()])
            );
        }
    }
    assert!(matches!(find("mime"), Err(Error::Unknown { kind: "estimator", .. })));
}
