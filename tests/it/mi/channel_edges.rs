//! Tests that `channel` returns an error or a flag for samples at its limits.

use ndarray::{Array2, array};
use surmise::Error;
use surmise::mi::{ALL, Channel, Estimate, Flag, Scale};

use super::rows::{EstimateRows, scale_of};
use crate::support::truth::{codes, gaussian, row_numbers};

fn estimate(x: &Array2<f32>, y: &Array2<f32>) -> Result<Vec<Estimate>, Error> {
    Channel::DEFAULT.estimate_rows(x.view(), y.view(), 1)
}

fn usable(x: &Array2<f32>, y: &Array2<f32>) -> Vec<Estimate> {
    estimate(x, y).expect("samples that can be used")
}

#[test]
fn nan_and_infinity_are_refused_with_their_place_and_number() {
    let x = gaussian(60, 3, 1);
    let mut y = gaussian(60, 4, 2);
    y[[7, 2]] = f32::NAN;
    y[[9, 0]] = f32::NEG_INFINITY;
    let message = |result: Result<Vec<Estimate>, Error>| result.expect_err("must be refused").to_string();
    let place = |what: &str, row, column, count| {
        Error::NonFinite { what: what.to_owned(), row, column, count }.to_string()
    };
    assert_eq!(message(estimate(&x, &y)), place("y", 7, 2, 2));
    assert_eq!(message(estimate(&y, &x)), place("x", 7, 2, 2));
    // A transposed view is not contiguous; the error gives the position in the view.
    let transposed = Channel::DEFAULT.estimate_rows(y.t(), gaussian(4, 1, 3).view(), 1);
    assert_eq!(message(transposed), place("x", 0, 9, 2));
}

#[test]
fn shapes_that_cannot_be_paired_are_refused() {
    let refused = |x: &Array2<f32>, y: &Array2<f32>| matches!(estimate(x, y), Err(Error::Pairs { .. }));
    assert!(refused(&gaussian(10, 2, 1), &gaussian(11, 2, 1)));
    assert!(refused(&gaussian(1, 2, 1), &gaussian(1, 2, 1)));
    assert!(refused(&gaussian(0, 2, 1), &gaussian(0, 2, 1)));
    assert!(refused(&gaussian(10, 0, 1), &gaussian(10, 2, 1)));
    assert!(refused(&gaussian(10, 2, 1), &gaussian(10, 0, 1)));
    assert!(!refused(&gaussian(2, 2, 1), &gaussian(2, 2, 1)));
}

#[test]
fn a_precision_that_is_not_a_positive_number_is_refused() {
    for b in [0.0, -0.1, f64::NAN, f64::INFINITY, 1e-4, 1e4] {
        let refused = Channel::new(Scale::Spread, vec![0.1, b]);
        assert!(matches!(refused, Err(Error::Parameter { name: "b", .. })), "{b}");
    }
    assert!(Channel::new(Scale::Spread, Vec::new()).is_err());
    let channel = Channel::new(Scale::Norm, vec![0.4, 1e-3, 1e3]).expect("in range");
    assert_eq!((channel.scale(), channel.precisions()), (Scale::Norm, &[0.4, 1e-3, 1e3][..]));
}

#[test]
fn a_constant_x_has_exactly_zero_information() {
    let found = usable(&Array2::zeros((80, 5)), &gaussian(80, 3, 4));
    assert_eq!(found.len(), 4);
    for found in found {
        assert_eq!(
            (found.mi_nats, found.lower_nats.expect("two bounds"), found.upper_nats.expect("two bounds")),
            (0.0, 0.0, 0.0)
        );
        assert_eq!((found.n_distinct, found.flags.as_slice()), (1, &[Flag::Constant][..]));
    }
}

#[test]
fn a_constant_y_has_exactly_zero_information_at_any_scale() {
    for value in [0.0, 0.1, -1e20, 1e-38] {
        for scale in [Scale::Spread, Scale::Norm] {
            let y = Array2::from_elem((80, 3), value);
            let channel = Channel::with_scale(scale);
            for found in channel.estimate_rows(gaussian(80, 2, 5).view(), y.view(), 1).expect("usable") {
                assert_eq!((found.mi_nats, found.ceiling_nats), (0.0, 0.0));
                assert_eq!(found.flags, [Flag::Constant]);
                assert_eq!(found.constant_y.len(), 3);
            }
        }
    }
}

#[test]
fn scales_at_the_limits_of_f32_give_the_same_estimate() {
    let x = row_numbers(200);
    let y = gaussian(200, 3, 6);
    let reference = usable(&x, &y);
    for size in [1e20, 1e-20, 1e37, 1e-30] {
        for (found, reference) in usable(&x, &(size * &y)).iter().zip(&reference) {
            assert!((found.mi_nats - reference.mi_nats).abs() < 1e-4, "{size}: {found:?}");
        }
    }
}

#[test]
fn few_rows_and_diverging_bounds_are_flagged() {
    let found = usable(&row_numbers(49), &gaussian(49, 2, 7));
    assert!(found.iter().all(|found| found.flags.contains(&Flag::SmallSample)));

    // In 64 dimensions no two of 300 rows are close to each other, so the estimate reaches its maximum, log
    // n.
    let found = &usable(&row_numbers(300), &gaussian(300, 64, 8))[0];
    assert!(found.flags.contains(&Flag::Saturated) && found.flags.contains(&Flag::NearCeiling));
    assert!(!found.flags.contains(&Flag::SmallSample));
    assert!((found.lower_nats.expect("two bounds") - 300.0_f64.ln()).abs() < 1e-3);
    assert!(
        found.upper_nats.expect("two bounds") > 20.0 && found.upper_nats.expect("two bounds").is_finite()
    );
    assert_eq!(found.mi_nats, found.ceilings.log_n_nats);

    let found = &usable(&row_numbers(300), &gaussian(300, 1, 9))[3];
    assert_eq!(found.flags, []);
}

#[test]
fn the_finest_precision_gives_finite_bounds_for_single_rows_and_groups() {
    let channel = Channel::new(Scale::Spread, vec![1e-3]).expect("in range");
    for x in [row_numbers(100), codes(100, 33)] {
        let mut y = gaussian(100, 30, 10);
        y[[0, 0]] = 1e6;
        let found = &channel.estimate_rows(x.view(), y.view(), 1).expect("usable")[0];
        assert!(
            found.lower_nats.expect("two bounds").is_finite()
                && found.upper_nats.expect("two bounds").is_finite(),
            "{found:?}"
        );
        assert!(found.flags.contains(&Flag::Saturated));
    }
}

#[test]
fn a_single_row_in_a_group_adds_nothing_to_the_lower_bound() {
    // Two pairs share x and differ in y, so the other row of a group is the only row in the mean over the
    // group.
    let x = array![[0.0], [0.0], [1.0], [2.0]];
    let y = array![[0.0], [1.0], [2.0], [3.0]];
    let found = &Channel::new(Scale::Spread, vec![1e3])
        .and_then(|channel| channel.estimate_rows(x.view(), y.view(), 1))
        .expect("usable")[0];
    // If the noise hides all differences, every term and both bounds are zero.
    assert!(
        found.lower_nats.expect("two bounds").abs() < 1e-3
            && found.upper_nats.expect("two bounds").abs() < 1e-3,
        "{found:?}"
    );
    assert_eq!(found.flags, [Flag::Grouped, Flag::SmallSample]);
    assert_eq!(found.n_distinct, 3);
}

#[test]
fn a_collision_of_two_rows_changes_the_bounds_in_proportion_to_its_rows() {
    for (n, d) in [(200, 3), (1000, 8), (2000, 40)] {
        let (x, y) = (gaussian(n, 2, 1), gaussian(n, d, 2));
        let channel = Channel::new(Scale::Spread, vec![0.1, 0.4]).expect("precisions in range");
        let apart = channel.estimate_rows(x.view(), y.view(), 1).expect("usable");
        let mut collided = x.clone();
        let other = x.row(n / 2).to_owned();
        collided.row_mut(7).assign(&other);
        let found = channel.estimate_rows(collided.view(), y.view(), 1).expect("usable");
        let most = 2.0 * 2.0_f64.ln() / n as f64 + 1e-12;
        for (found, apart) in found.iter().zip(&apart) {
            assert!((found.mi_nats - apart.mi_nats).abs() <= most, "{found:?} {apart:?}");
            let (lower, upper) = (found.lower_nats.expect("a bound"), found.upper_nats.expect("a bound"));
            assert!(
                (lower - apart.lower_nats.expect("a bound")).abs() <= most
                    && lower < apart.lower_nats.expect("a bound")
            );
            assert!((upper - apart.upper_nats.expect("a bound")).abs() <= most);
            assert!(
                found.flags.contains(&Flag::Collisions) && !found.flags.contains(&Flag::Grouped),
                "{found:?}"
            );
            assert_eq!(found.n_distinct, n - 1);
        }
    }
}

#[test]
fn ceilings_equal_hand_computed_values() {
    // x has two values with probability one half each, so its ceiling is log 2 + (2 - 1) / 2n. y is +-1 on a
    // line, so the Gaussian ceiling is 0.5 log(1 + 1 / b^2).
    let y = Array2::from_shape_fn((100, 1), |(row, _)| if row % 2 == 0 { 3.0 } else { 5.0 });
    for found in usable(&y, &y) {
        let ceilings = found.ceilings;
        assert_eq!(ceilings.log_n_nats, 100.0_f64.ln());
        assert!((ceilings.input_entropy_nats - (2.0_f64.ln() + 0.005)).abs() < 1e-12);
        let gaussian = 0.5 * (1.0 + scale_of(&found).powi(-2)).ln();
        assert!((ceilings.gaussian_nats.expect("a channel") - gaussian).abs() < 1e-6);
        assert_eq!(found.ceiling_nats, ceilings.least_nats());
    }
}

#[test]
fn an_estimate_is_written_and_read_with_flags_in_snake_case() {
    let found = usable(&row_numbers(40), &gaussian(40, 20, 11));
    let text = serde_json::to_string(&found).expect("finite numbers");
    assert!(text.contains(r#""flags":["saturated","near_ceiling","small_sample"]"#), "{text}");
    let read: Vec<Estimate> = serde_json::from_str(&text).expect("what was written");
    for (read, found) in read.iter().zip(&found) {
        // Numbers read from decimal text may differ in the last digit.
        assert!((read.mi_nats - found.mi_nats).abs() < 1e-12);
        assert_eq!((read.n, &read.flags), (found.n, &found.flags));
    }
}

#[test]
fn the_table_of_estimators_has_distinct_names_and_starts_with_the_default() {
    let names: Vec<&str> = ALL.iter().map(|estimator| estimator.name()).collect();
    assert_eq!(names.first(), Some(&"channel"));
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len());
}
