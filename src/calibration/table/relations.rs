//! Finds exact relations of a column with the target and other columns, up to the rounding of the table.
//!
//! A relation counts if it holds in every row and is too exact to be chance. Its exactness is measured in
//! bits per row. The bits are summed over the rows; one row for each fitted weight is not counted. The sum
//! must exceed, by a margin, the number of bits that describe the choice of the columns.

use ndarray::{Array1, Array2, Axis};

use super::numeric_columns::NumericColumn;
use crate::numeric::nonnegative::nonnegative_least_squares;

/// Minimum number of rows of a relation.
pub(super) const LEAST_ROWS: usize = 6;
/// Margin, in bits, by which the exactness must exceed the bits for the choice of the columns.
const LEAST_EVIDENCE: f64 = 20.0;
/// Share of a column's standard deviation that other columns are assumed not to explain.
const OWN_SHARE: f64 = 0.1;
/// Maximum number of rows that the search for relations uses.
const MOST_ROWS: usize = 256;
/// Maximum number of columns with a weight.
const MOST_PARTS: usize = 40;
/// The root mean square of the target's contribution to a weighted mean must exceed the root mean square of
/// the residuals by this factor.
const LEAST_PART: f64 = 3.0;
/// Factors from a mean to the unit of the column: the same unit, percent, or shares.
const UNITS: [f64; 3] = [1.0, 100.0, 0.01];

/// The residuals of a relation, row by row: the sum of its terms minus the column's value, with the largest
/// difference that rounding can cause.
pub(super) struct Residuals {
    pub residuals: Vec<f64>,
    pub tolerances: Vec<f64>,
    /// Number of fitted weights.
    pub fitted: usize,
    /// Bits that are needed to choose the columns.
    pub choice: f64,
}

/// The columns that are searched for relations.
#[derive(Clone, Copy)]
pub(super) struct Relations<'a> {
    pub columns: &'a [NumericColumn],
    pub target: usize,
}

impl Relations<'_> {
    /// Tests whether column `of` is the mean or the sum of adjacent columns among `parts`. In each row, only
    /// known cells count.
    pub(super) fn block(&self, of: usize, parts: &[usize]) -> Option<String> {
        let own = &self.columns[of];
        let rows: Vec<usize> = (0..own.values.len()).filter(|&i| own.values[i].is_finite()).collect();
        let rows = spread(&rows);
        if rows.len() < LEAST_ROWS {
            return None;
        }
        let middle = parts.iter().position(|&at| at == self.target)?;
        // For every row, prefix sums over the columns `parts`: the sum and the number of the known cells to
        // the left of each column.
        let sums: Vec<Vec<(f64, f64)>> = rows.iter().map(|&i| self.running(i, parts)).collect();
        let rounding: Vec<f64> = std::iter::once(0.0)
            .chain(parts.iter().scan(0.0, |sum, &at| {
                *sum += self.columns[at].rounding;
                Some(*sum)
            }))
            .collect();
        let choice = 2.0 * (parts.len() as f64).log2() + (2.0 * UNITS.len() as f64).log2();
        for first in (0..=middle).rev() {
            for last in (middle + 1).max(first + 2)..=parts.len() {
                for (is_mean, unit) in UNITS.map(|unit| (true, unit)).into_iter().chain([(false, 1.0)]) {
                    let of_row = |at: usize| {
                        let (sum, n) =
                            (sums[at][last].0 - sums[at][first].0, sums[at][last].1 - sums[at][first].1);
                        let slack = rounding[last] - rounding[first];
                        let n = if is_mean { n } else { 1.0 };
                        let residual = unit * sum / n - own.values[rows[at]];
                        (residual, unit * slack / n + own.rounding)
                    };
                    let holds = |at: usize| {
                        let (residual, tolerance) = of_row(at);
                        residual.abs() <= 1.01 * tolerance
                    };
                    if !(0..rows.len()).all(holds) {
                        continue;
                    }
                    let (residuals, tolerances) = (0..rows.len()).map(of_row).unzip();
                    let members = &parts[first..last];
                    if self.is_evident(of, &Residuals { residuals, tolerances, fitted: 0, choice }) {
                        return Some(self.words(if is_mean { "the average" } else { "the sum" }, members));
                    }
                }
            }
        }
        None
    }

    /// For one row and each column of `parts`, the sum and the number of the known cells to its left in
    /// `parts`. The last entry is the sum and number of all known cells.
    fn running(&self, row: usize, parts: &[usize]) -> Vec<(f64, f64)> {
        let mut sums = vec![(0.0, 0.0)];
        let (mut sum, mut n) = (0.0, 0.0);
        for &at in parts {
            let value = self.columns[at].values[row];
            if value.is_finite() {
                (sum, n) = (sum + value, n + 1.0);
            }
            sums.push((sum, n));
        }
        sums
    }

    /// Tests whether the column is a weighted mean `f = sum s x / sum s` over the known cells. The weights
    /// solve `sum s (x - f) = 0`, with weight 1 for the target.
    pub(super) fn weighted_mean(&self, of: usize, parts: &[usize]) -> Option<String> {
        let own = &self.columns[of];
        let others: Vec<usize> = parts.iter().copied().filter(|&at| at != self.target).collect();
        let distance = |i: usize, at: usize| {
            let value = self.columns[at].values[i] - own.values[i];
            if value.is_finite() { value } else { 0.0 }
        };
        let rows: Vec<usize> = (0..own.values.len()).filter(|&i| own.values[i].is_finite()).collect();
        let picked = spread(&rows);
        let a = Array2::from_shape_fn((picked.len(), others.len()), |(i, j)| distance(picked[i], others[j]));
        let b: Array1<f64> = picked.iter().map(|&i| -distance(i, self.target)).collect();
        let weights =
            nonnegative_least_squares(&a.t().dot(&a), &a.t().dot(&b), (picked.len() / 2).min(MOST_PARTS));
        let rounded: Vec<f64> = weights.iter().map(|weight| weight.round().min(1.0)).collect();
        let is_plain = weights.iter().zip(&rounded).all(|(weight, rounded)| (weight - rounded).abs() < 0.3);
        let judge = |weights: &[f64], fitted: usize| {
            let of_row = |&i: &usize| {
                let (mut sum, mut total) = (distance(i, self.target), 1.0);
                let mut slack = self.columns[self.target].rounding;
                for (&at, weight) in others.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
                    if self.columns[at].values[i].is_finite() {
                        sum += weight * distance(i, at);
                        total += weight;
                        slack += weight * self.columns[at].rounding;
                    }
                }
                (sum / total, slack / total + own.rounding)
            };
            let (residuals, tolerances): (Vec<f64>, Vec<f64>) = rows.iter().map(of_row).unzip();
            // If a copy of the column has a large weight, the target contributes almost nothing, so the
            // relation does not show that the column was computed from the target.
            let share = 1.0 / (1.0 + weights.iter().sum::<f64>());
            let of_target: Vec<f64> = rows.iter().map(|&i| share * distance(i, self.target)).collect();
            let matters = root_mean_square(&of_target) > LEAST_PART * root_mean_square(&residuals);
            let choice = others.len() as f64;
            matters && self.is_evident(of, &Residuals { residuals, tolerances, fitted, choice })
        };
        let members = |weights: &[f64]| {
            let mut members: Vec<usize> =
                others.iter().zip(weights).filter(|(_, weight)| **weight > 1e-6).map(|(at, _)| *at).collect();
            members.push(self.target);
            members.sort_unstable();
            members
        };
        if is_plain && rounded.iter().any(|weight| *weight > 0.0) && judge(&rounded, 0) {
            return Some(self.words("the average", &members(&rounded)));
        }
        let support = weights.iter().filter(|weight| **weight > 1e-6).count();
        (support > 0 && judge(&weights, support)).then(|| self.words("a weighted mean", &members(&weights)))
    }

    /// Tests whether the column or its negative is a weighted sum plus a constant, over the known cells.
    pub(super) fn sum(&self, of: usize, parts: &[usize]) -> Option<String> {
        let own = &self.columns[of];
        let rows: Vec<usize> = (0..own.values.len()).filter(|&i| own.values[i].is_finite()).collect();
        let value = |i: usize, at: usize| {
            let value = self.columns[at].values[i];
            if value.is_finite() { value } else { 0.0 }
        };
        let picked = spread(&rows);
        for sign in [1.0, -1.0] {
            let fit = |parts: &[usize]| {
                let mut a =
                    Array2::from_shape_fn((picked.len(), parts.len()), |(i, j)| value(picked[i], parts[j]));
                let centre = a.sum_axis(Axis(0)) / picked.len() as f64;
                a -= &centre;
                let b: Array1<f64> = picked.iter().map(|&i| sign * own.values[i]).collect();
                let middle = b.sum() / picked.len() as f64;
                let b = b - middle;
                let weights = nonnegative_least_squares(
                    &a.t().dot(&a),
                    &a.t().dot(&b),
                    (picked.len() / 2).min(MOST_PARTS),
                );
                let constant =
                    middle - weights.iter().zip(&centre).map(|(weight, mean)| weight * mean).sum::<f64>();
                let of_row = |&i: &usize| {
                    let terms = parts.iter().zip(&weights);
                    let sum: f64 = terms.map(|(&at, weight)| weight * value(i, at)).sum();
                    let slack: f64 = parts
                        .iter()
                        .zip(&weights)
                        .map(|(&at, weight)| weight * self.columns[at].rounding)
                        .sum();
                    (constant + sum - sign * own.values[i], slack + own.rounding)
                };
                let (residuals, tolerances) = rows.iter().map(of_row).unzip();
                let fitted = 1 + weights.iter().filter(|weight| **weight > 1e-9).count();
                let choice = parts.len() as f64;
                (weights, self.is_evident(of, &Residuals { residuals, tolerances, fitted, choice }))
            };
            let (weights, is_evident) = fit(parts);
            let of_target =
                parts.iter().zip(&weights).find(|(at, _)| **at == self.target).map_or(0.0, |(_, w)| *w);
            if !is_evident || of_target <= 1e-9 {
                continue;
            }
            let without: Vec<usize> = parts.iter().copied().filter(|&at| at != self.target).collect();
            if !without.is_empty() && fit(&without).1 {
                continue;
            }
            let members: Vec<usize> =
                parts.iter().zip(&weights).filter(|(_, weight)| **weight > 1e-9).map(|(at, _)| *at).collect();
            return Some(self.words("a weighted sum", &members));
        }
        None
    }

    /// Whether a relation holds in all rows, and is too exact to be chance.
    pub(super) fn is_evident(&self, of: usize, relation: &Residuals) -> bool {
        let Residuals { residuals, tolerances, fitted, choice } = relation;
        let n = residuals.len();
        if n < LEAST_ROWS.max(2 * fitted) {
            return false;
        }
        if residuals.iter().zip(tolerances).any(|(residual, tolerance)| residual.abs() > 1.01 * tolerance) {
            return false;
        }
        let own = &self.columns[of];
        let largest = own.values.iter().filter(|v| v.is_finite()).fold(0.0f64, |a, v| a.max(v.abs()));
        let error = root_mean_square(residuals).max(1e-10 * largest).max(f64::MIN_POSITIVE);
        let bits = (OWN_SHARE * own.deviation() / error).log2();
        (n - fitted) as f64 * bits > choice + LEAST_EVIDENCE
    }

    /// `the average of a, b and c`. If there are more than six columns, only the first three and the last are
    /// named.
    pub(super) fn words(&self, how: &str, members: &[usize]) -> String {
        let names: Vec<&str> = members.iter().map(|&at| self.columns[at].name.as_str()).collect();
        match names.as_slice() {
            [first, second, third, _, .., last] if names.len() > 6 => {
                format!("{how} of {} columns ({first}, {second}, {third}, ... {last})", names.len())
            }
            [others @ .., last] if !others.is_empty() => format!("{how} of {} and {last}", others.join(", ")),
            names => format!("{how} of {}", names.join(", ")),
        }
    }
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}

/// At most [`MOST_ROWS`] of the rows, evenly spaced.
pub(super) fn spread(rows: &[usize]) -> Vec<usize> {
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    rows.iter().copied().step_by(step).collect()
}
