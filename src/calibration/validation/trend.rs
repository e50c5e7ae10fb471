//! Tests whether the training rows show a trend that predictions beyond their range can continue.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::calibration::candidates::basis::Basis;
use crate::calibration::table::sample::{Sample, distinct};
use crate::numeric::statistics::{complete_pairs, spearman};

/// Maximum p-value of a trend.
const SIGNIFICANCE: f64 = 0.01;

/// Scores of the rows on the first component, in standard deviations.
pub(super) fn strengths(sample: &Sample, basis: &Basis) -> Vec<f64> {
    let sd = basis.variances.first().map_or(1.0, |variance| variance.sqrt());
    let of = |row: usize| basis.scores(&basis.complete(&sample.predictors(row))).first().copied();
    (0..sample.len()).map(|row| of(row).map_or(f64::NAN, |score| score / sd)).collect()
}

/// Whether the response rises or falls with the log10 size or with the first component of the features. The
/// rank correlation with one of them must differ from 0 in a two-sided t test at 0.5 %, in which each model
/// counts as one observation. A back-test cannot replace this test: if all weak rows lie near a bound,
/// forward folds may show no skill although there is a trend.
pub(super) fn has_trend(sample: &Sample, basis: &Basis) -> bool {
    [strengths(sample, basis), sample.log10_sizes.clone()].iter().any(|values| {
        let (values, y) = complete_pairs(values, &sample.y);
        let known = sample.log10_sizes.len();
        let models = (distinct(&sample.models).len() * values.len()).checked_div(known).unwrap_or(0);
        p_value(spearman(&values, &y), models) < SIGNIFICANCE / 2.0
    })
}

/// Two-sided p-value of a rank correlation of `n` pairs; 1 for fewer than four pairs.
fn p_value(correlation: f64, n: usize) -> f64 {
    let degrees = n.saturating_sub(2) as f64;
    let Ok(distribution) = StudentsT::new(0.0, 1.0, degrees) else { return 1.0 };
    if n < 4 || !correlation.is_finite() {
        return 1.0;
    }
    let t = correlation.abs() * (degrees / (1.0 - correlation * correlation).max(1e-12)).sqrt();
    2.0 * (1.0 - distribution.cdf(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_p_value_is_that_of_a_t_test() {
        // t = .6 sqrt(18 / .64) = 3.182 with 18 degrees of freedom.
        assert!((p_value(0.6, 20) - 0.005_153).abs() < 1e-5, "{}", p_value(0.6, 20));
        assert!((p_value(-0.6, 20) - p_value(0.6, 20)).abs() < 1e-15);
        assert_eq!((p_value(1.0, 3), p_value(f64::NAN, 30)), (1.0, 1.0));
        assert!(p_value(1.0, 30) < 1e-12);
    }
}
