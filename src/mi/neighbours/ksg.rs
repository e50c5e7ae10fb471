//! Computes the terms of the first estimator of Kraskov, Stögbauer and Grassberger (KSG). Every estimator
//! that uses nearest neighbours is based on these terms.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), estimator 1; Holmes & Nemenman, Phys.
//! Rev. E 100, 022404 (2019), the standard error.

use ndarray::{Array2, Axis};
use statrs::function::gamma::digamma;

use super::counts::counts;
use crate::mi::samples::paired::{LEAST_DISTINCT, Samples};
use crate::numeric::statistics::mean_and_stderr;
use crate::{Error, Result};

/// Number of neighbours.
const K: usize = 3;

/// Returns an error if there are too few rows for a third neighbour.
fn need_rows(samples: &Samples) -> Result<()> {
    if samples.n < K + 2 {
        let reason = format!(
            "{} rows are too few for {K} nearest neighbours; give at least {} \
                              rows",
            samples.n,
            K + 2
        );
        return Err(Error::Samples { estimator: samples.estimator, reason });
    }
    Ok(())
}

/// Checks that there are enough rows for a third neighbour and that at least half of the pairs are distinct.
/// This is enough for estimators that use ranks, because they put equal values in random order.
///
/// # Errors
/// [`Error::Samples`] if there are fewer rows or fewer distinct pairs.
pub(crate) fn need_ranked_neighbours(samples: &Samples) -> Result<()> {
    need_rows(samples)?;
    let pairs = samples.pair_counts().len();
    if pairs < samples.n / 2 {
        let reason = format!(
            "of {} pairs, only {pairs} are distinct, so the values are discrete; choose the default \
             estimator or plugin",
            samples.n
        );
        return Err(Error::Samples { estimator: samples.estimator, reason });
    }
    Ok(())
}

/// Checks that there are enough rows for a third neighbour and that at most 1 % of the rows of a side are
/// repeated.
///
/// # Errors
/// [`Error::Samples`] if there are fewer rows or more repeated rows.
pub(crate) fn need_neighbours(samples: &Samples) -> Result<()> {
    let refuse = |reason| Err(Error::Samples { estimator: samples.estimator, reason });
    need_rows(samples)?;
    let distinct = samples.x.n_distinct.min(samples.y.n_distinct);
    if (distinct as f64) < LEAST_DISTINCT * samples.n as f64 {
        return refuse(format!(
            "of {} rows, only {distinct} are distinct on one side, so many neighbours are at distance zero; \
             choose the default estimator, or plugin for discrete values",
            samples.n
        ));
    }
    Ok(())
}

/// The term of each pair, in nats. The mean of the terms is the estimate.
///
/// # Shapes
/// `x` is `(n, d_x)`, `y` is `(n, d_y)`; all coordinates must have a similar scale.
pub(crate) fn pointwise_nats(x: &Array2<f64>, y: &Array2<f64>) -> Vec<f64> {
    pointwise_nats_at(x, y, K)
}

/// Like [`pointwise_nats`], but with `k` neighbours.
pub(crate) fn pointwise_nats_at(x: &Array2<f64>, y: &Array2<f64>, k: usize) -> Vec<f64> {
    let n = x.nrows();
    // Tabulate the digamma function at every possible count, because each point needs it twice.
    let mut psi = vec![digamma(1.0); n.max(k) + 1];
    for count in 2..psi.len() {
        psi[count] = psi[count - 1] + 1.0 / (count as f64 - 1.0);
    }
    let base = psi[k] + psi[n];
    let found = counts(x.view(), y.view(), k);
    found.iter().map(|(nx, ny)| base - psi[*nx as usize] - psi[*ny as usize]).collect()
}

/// Returns a factor of at least 1 that corrects the standard error for the correlation between the terms of
/// neighbouring points. The variance of estimates on disjoint blocks of rows includes this correlation
/// (Holmes & Nemenman 2019).
pub(crate) fn dependence_inflation(x: &Array2<f64>, y: &Array2<f64>, stderr: f64) -> f64 {
    const BLOCKS: usize = 20;
    const ROWS: [usize; 2] = [25, 100];
    let n = x.nrows();
    let blocks = BLOCKS.min(n / ROWS[0]);
    if blocks < 5 || stderr <= 0.0 {
        return 1.0;
    }
    let size = (n / blocks).min(ROWS[1]);
    let of_block = |block: usize| {
        let rows: Vec<usize> = (block..n).step_by(blocks).take(size).collect();
        mean_and_stderr(&pointwise_nats(&x.select(Axis(0), &rows), &y.select(Axis(0), &rows))).0
    };
    let found: Vec<f64> = (0..blocks).map(of_block).collect();
    let (_, of_mean) = mean_and_stderr(&found);
    // Convert the standard error from the rows in the blocks to all `n` rows: the variance is inversely
    // proportional to the number of rows.
    (of_mean * ((blocks * size) as f64 / n as f64).sqrt() / stderr).max(1.0)
}
