//! Whether rows depend on the rows before them, as those of a time series do.
//!
//! Every estimator takes rows for independent draws. Two series that have nothing to do with each other share
//! their slow changes by chance, and an estimate takes that for information: independent autoregressive
//! series of coefficient .99 and 2000 rows read .3 nats.
//!
//! For the normal scores of each column, and for their distances from 0, which show changing volatility, the
//! products of values `k` rows apart are summed, `k` = 1 to 24. For independent rows a sum is a martingale of
//! variance `n`, whose tail Freedman's inequality bounds for every marginal distribution, ties and rare
//! values included:
//!
//! ```text
//! P( |sum_i z_i z_{i+k}| >= s ) <= 2 exp( -s^2 / 2 (n + M s / 3) ),   M = max z^2
//! ```
//!
//! The bound times the number of sums is held below one in a thousand, so that of a thousand tables of
//! independent rows at most one is flagged, however many columns they have.
//!
//! # References
//! Freedman 1975 (the bound); Sokal 1997 (autocorrelation time and its window); Bartlett 1946 (the rows that
//! two series are worth).

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Pairs;
use crate::numeric::normal_scores::{normal_quantiles, write_scores};

/// Distances between rows, at most; a quarter of the rows where they are few.
const LAGS: usize = 24;
/// Share of tables of independent rows that may be flagged.
const FALSE_ALARMS: f64 = 1e-3;
/// The sum of autocorrelations ends at this many autocorrelation times.
const WINDOW: f64 = 5.0;

/// How rows depend on earlier rows: the column and distance at which that is clearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowDependence {
    /// `x` or `y`.
    pub side: String,
    /// The column of that side, from 0.
    pub column: usize,
    /// Rows between the values that are compared.
    pub lag: usize,
    /// Their correlation.
    pub autocorrelation: f64,
    /// Whether the sizes of the values correlate and not the values: changing volatility.
    pub of_sizes: bool,
    /// Bound of the probability of such a correlation, in any column and at any lag, where rows are
    /// independent.
    pub p_value: f64,
    /// Rows after which a column has forgotten its value: the largest autocorrelation time of a column whose
    /// rows are dependent.
    pub autocorrelation_rows: f64,
    /// How many independent rows these are worth: `n` divided by the autocorrelation time.
    pub effective_rows: f64,
}

/// A sequence of unit variance, and the clearest of its autocorrelations.
struct Column {
    side: &'static str,
    column: usize,
    of_sizes: bool,
    lag: usize,
    autocorrelation: f64,
    log_p: f64,
}

impl RowDependence {
    /// `None` where the rows may be independent.
    #[must_use]
    pub fn of(pairs: &Pairs<'_>) -> Option<Self> {
        let n = pairs.n();
        let lags = LAGS.min(n / 4);
        if lags == 0 {
            return None;
        }
        let quantiles = normal_quantiles(n);
        let sides = [("x", pairs.x()), ("y", pairs.y())];
        let columns: Vec<(&'static str, usize, bool)> = sides
            .iter()
            .flat_map(|(side, values)| (0..values.ncols()).map(|column| (*side, column)))
            .flat_map(|(side, column)| [(side, column, false), (side, column, true)])
            .collect();
        let sequence = |side: &str, column: usize, of_sizes: bool| {
            let [(_, x), (_, y)] = &sides;
            standardised(if side == "x" { x } else { y }, column, of_sizes, &quantiles)
        };
        let found: Vec<Column> = columns
            .par_iter()
            .filter_map(|&(side, column, of_sizes)| {
                let z = sequence(side, column, of_sizes)?;
                let most = z.iter().fold(0.0_f64, |most, value| most.max(value * value));
                let (lag, sum) = (1..=lags)
                    .map(|lag| (lag, lagged_sum(&z, lag)))
                    .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
                let (n, size) = (n as f64, sum.abs());
                let log_p = 2.0_f64.ln() - size * size / (2.0 * (n + most * size / 3.0));
                Some(Column { side, column, of_sizes, lag, autocorrelation: sum / n, log_p })
            })
            .collect();
        let sums = ((columns.len() * lags) as f64).ln();
        let clearest = found.iter().min_by(|a, b| a.log_p.total_cmp(&b.log_p))?;
        let p_value = (clearest.log_p + sums).exp().min(1.0);
        if p_value > FALSE_ALARMS {
            return None;
        }
        let dependent = found.par_iter().filter(|column| column.log_p + sums <= FALSE_ALARMS.ln());
        let time = |column: &Column| {
            sequence(column.side, column.column, column.of_sizes).map_or(1.0, |z| autocorrelation_rows(&z))
        };
        let rows = dependent.map(time).reduce(|| 1.0, f64::max);
        Some(Self {
            side: clearest.side.to_owned(),
            column: clearest.column,
            lag: clearest.lag,
            autocorrelation: clearest.autocorrelation,
            of_sizes: clearest.of_sizes,
            p_value,
            autocorrelation_rows: rows,
            effective_rows: n as f64 / rows,
        })
    }
}

/// The normal scores of a column, or their distances from 0, with mean 0 and variance 1; `None` where they do
/// not vary.
fn standardised(
    values: &ArrayView2<'_, f32>,
    column: usize,
    of_sizes: bool,
    quantiles: &[f64],
) -> Option<Vec<f64>> {
    let values = values.column(column).to_vec();
    let mut scores = ndarray::Array1::zeros(values.len());
    write_scores(scores.view_mut(), |a, b| order(values[a], values[b]), quantiles);
    if of_sizes {
        scores.mapv_inplace(f64::abs);
    }
    let mean = scores.mean()?;
    let variance = scores.fold(0.0, |sum, value| sum + (value - mean).powi(2)) / scores.len() as f64;
    (variance > 1e-12).then(|| scores.iter().map(|value| (value - mean) / variance.sqrt()).collect())
}

/// Zeros of either sign are the same value.
fn order(a: f32, b: f32) -> std::cmp::Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

fn lagged_sum(z: &[f64], lag: usize) -> f64 {
    let n = z.len();
    ArrayView1::from(&z[..n - lag]).dot(&ArrayView1::from(&z[lag..]))
}

/// `1 + 2 sum_k r_k` up to a few times itself, at least 1 and at most the rows.
fn autocorrelation_rows(z: &[f64]) -> f64 {
    let n = z.len();
    let mut rows = 1.0_f64;
    for lag in 1..n / 2 {
        rows += 2.0 * lagged_sum(z, lag) / n as f64;
        if lag as f64 >= WINDOW * rows.max(1.0) {
            break;
        }
    }
    rows.clamp(1.0, n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use ndarray::Array2;
    use rand::Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// `d` autoregressive columns.
    fn series(n: usize, d: usize, phi: f64, seed: u64) -> Array2<f32> {
        let mut generator = stream("test", "series", seed);
        let mut state = vec![0.0; d];
        let mut values = Array2::zeros((n, d));
        for row in 0..n + 1000 {
            for (column, state) in state.iter_mut().enumerate() {
                let noise: f64 = StandardNormal.sample(&mut generator);
                *state = phi * *state + noise;
                if row >= 1000 {
                    values[[row - 1000, column]] = *state as f32;
                }
            }
        }
        values
    }

    fn of(x: &Array2<f32>, y: &Array2<f32>) -> Option<RowDependence> {
        RowDependence::of(&Pairs::new(x.view(), y.view()).expect("pairs"))
    }

    #[test]
    fn independent_rows_of_any_marginal_are_hardly_ever_flagged() {
        // Normal and Cauchy values, few values, and one that is rare; at one in a thousand, two of 400 have a
        // probability of .06.
        let mut flagged = 0;
        for seed in 0..100 {
            let z = series(300, 4, 0.0, seed);
            let mut generator = stream("test", "rare", seed);
            let rare = Array2::from_shape_simple_fn((300, 2), || f32::from(generator.random::<f32>() < 0.01));
            let tails = Array2::from_shape_fn((300, 2), |(row, k)| z[[row, k]] / z[[row, k + 2]]);
            let few = z.mapv(f32::round);
            for (x, y) in [(&z, &z), (&tails, &z), (&few, &rare), (&rare, &rare)] {
                flagged += usize::from(of(x, y).is_some());
            }
        }
        assert!(flagged <= 2, "{flagged}");
    }

    #[test]
    fn series_are_flagged_with_the_rows_that_they_are_worth() {
        let independent = series(2000, 3, 0.0, 1);
        // Of the values 1 + 2 sum phi^k rows are worth one, of their squares 1 + 2 sum phi^2k: the larger
        // counts.
        for (phi, time) in [(0.5, 3.0), (0.9, 19.0), (-0.6, 2.125)] {
            let found = of(&independent, &series(2000, 2, phi, 2)).expect("dependent rows");
            assert_eq!((found.side.as_str(), found.lag), ("y", 1), "{found:?}");
            assert!((found.autocorrelation - phi).abs() < 0.07 && !found.of_sizes, "{found:?}");
            assert!((found.autocorrelation_rows / time).ln().abs() < 0.5, "{found:?}");
            assert!((found.effective_rows * found.autocorrelation_rows - 2000.0).abs() < 1e-6);
        }
        // Values without correlation, the size of which changes slowly.
        let (slow, signs) = (series(2000, 1, 0.98, 3), series(2000, 1, 0.0, 4));
        let changing = Array2::from_shape_fn((2000, 1), |at| signs[at] * (0.3 * slow[at]).exp());
        let found = of(&changing, &independent).expect("dependent rows");
        assert!(found.of_sizes && found.side == "x", "{found:?}");
    }
}
