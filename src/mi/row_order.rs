//! Tests whether rows depend on earlier rows, as in a time series.
//!
//! Every estimator assumes that rows are independent. Two unrelated but slowly changing series look similar
//! by chance, and an estimator counts this similarity as information: for two independent autoregressive
//! series with coefficient .99 and 2000 rows, the estimate is .3 nats.
//!
//! The test computes the normal scores of each column and their absolute values, which show changing
//! volatility. For each of these sequences, it sums the products of values `k` rows apart, for `k` = 1 to 24.
//! If rows are independent, each sum is a martingale of variance `n`. Freedman's inequality bounds its tail
//! for every marginal distribution, including ties and rare values:
//!
//! ```text
//! P( |sum_i z_i z_{i+k}| >= s ) <= 2 exp( -s^2 / 2 (n + M s / 3) ),   M = max z^2
//! ```
//!
//! Rows are flagged if the bound times the number of sums is at most .001. So at most one in a thousand
//! tables with independent rows is flagged, for any number of columns.
//!
//! # References
//! Freedman 1975 (the bound); Sokal 1997 (autocorrelation time and its window); Bartlett 1946 (effective
//! number of rows of two series).

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Pairs;
use crate::numeric::normal_scores::{normal_quantiles, write_scores};

/// Maximum lag in rows; a quarter of the rows if that is smaller.
const LAGS: usize = 24;
/// Maximum false-positive rate: the share of tables with independent rows that are flagged.
const FALSE_ALARMS: f64 = 1e-3;
/// The sum of autocorrelations stops at a lag of this many autocorrelation times.
const WINDOW: f64 = 5.0;

/// How rows depend on earlier rows, at the column and lag with the strongest evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowDependence {
    /// The side of the column: `x` or `y`.
    pub side: String,
    /// The index of the column within its side, from 0.
    pub column: usize,
    /// Distance in rows between the values that are compared.
    pub lag: usize,
    /// Correlation of values at this lag.
    pub autocorrelation: f64,
    /// Whether the correlation is between absolute values, which shows changing volatility, rather than
    /// between the values themselves.
    pub of_sizes: bool,
    /// Upper bound on the probability that any column has an autocorrelation this strong at any lag if rows
    /// are independent.
    pub p_value: f64,
    /// The largest autocorrelation time, in rows, among the columns whose rows are dependent.
    pub autocorrelation_rows: f64,
    /// Effective number of independent rows: `n` divided by the autocorrelation time.
    pub effective_rows: f64,
}

/// The strongest autocorrelation of a sequence with unit variance.
struct Column {
    side: &'static str,
    column: usize,
    of_sizes: bool,
    lag: usize,
    autocorrelation: f64,
    log_p: f64,
}

impl RowDependence {
    /// Tests the rows of both sides. Returns `None` if the rows may be independent.
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

/// The normal scores of a column, or their absolute values, scaled to mean 0 and variance 1. `None` if the
/// scores do not vary.
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

/// Compares two values; -0 and +0 are equal.
fn order(a: f32, b: f32) -> std::cmp::Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

fn lagged_sum(z: &[f64], lag: usize) -> f64 {
    let n = z.len();
    ArrayView1::from(&z[..n - lag]).dot(&ArrayView1::from(&z[lag..]))
}

/// The autocorrelation time `1 + 2 sum_k r_k`, between 1 and the number of rows. The sum stops at the first
/// lag that is at least [`WINDOW`] times the autocorrelation time up to this lag.
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
        // The tables contain normal values, Cauchy values, few distinct values, and a rare value. With a
        // false-positive rate of one in a thousand, the probability of two or more false positives in 400
        // tables is .06.
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
        // The autocorrelation time is 1 + 2 sum phi^k for the values and 1 + 2 sum phi^2k for their squares;
        // the test expects the larger one.
        for (phi, time) in [(0.5, 3.0), (0.9, 19.0), (-0.6, 2.125)] {
            let found = of(&independent, &series(2000, 2, phi, 2)).expect("dependent rows");
            assert_eq!((found.side.as_str(), found.lag), ("y", 1), "{found:?}");
            assert!((found.autocorrelation - phi).abs() < 0.07 && !found.of_sizes, "{found:?}");
            assert!((found.autocorrelation_rows / time).ln().abs() < 0.5, "{found:?}");
            assert!((found.effective_rows * found.autocorrelation_rows - 2000.0).abs() < 1e-6);
        }
        // The values are uncorrelated, but their volatility changes slowly.
        let (slow, signs) = (series(2000, 1, 0.98, 3), series(2000, 1, 0.0, 4));
        let changing = Array2::from_shape_fn((2000, 1), |at| signs[at] * (0.3 * slow[at]).exp());
        let found = of(&changing, &independent).expect("dependent rows");
        assert!(found.of_sizes && found.side == "x", "{found:?}");
    }
}
