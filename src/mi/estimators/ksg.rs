//! `ksg`: information from distances to the third nearest neighbour, without a model of the distribution.
//!
//! ```text
//! I = psi(k) + psi(n) - mean_i [ psi(n_x(i) + 1) + psi(n_y(i) + 1) ],   k = 3
//! ```
//!
//! `n_x(i)` counts the points that are nearer to point `i` in `x` than its `k`-th neighbour is in the larger
//! of the distances in `x` and `y` (Chebyshev, coordinates at unit variance). Nearly unbiased in few
//! dimensions; in many the neighbours are far and the number is too small, so more than 6 + 6 columns are
//! refused. Rows that repeat spoil it: up to one in a hundred is told apart by noise of 1e-6 standard
//! deviations, more are refused.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), estimator 1; Holmes & Nemenman, Phys.
//! Rev. E 100, 022404 (2019), the standard error.

use ndarray::{Array2, ArrayView2, Axis};
use statrs::function::gamma::digamma;

use crate::mi::neighbours::counts::counts;
use crate::mi::samples::paired::{Found, LEAST_DISTINCT, Samples};
use crate::mi::{About, Estimate, Estimator, Kind};
use crate::{Error, Result};

/// Neighbours.
pub(crate) const K: usize = 3;
/// Where values of a column typically lie nearer together than this, in standard deviations, distances say
/// nothing of them.
const LEAST_DISTANCE: f64 = 1e-3;
/// Columns of a side.
const MOST_COLUMNS: usize = 6;

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ksg;

impl Estimator for Ksg {
    fn name(&self) -> &'static str {
        "ksg"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "distances to the third neighbour, without a model",
            reference: "Kraskov, Stoegbauer, Grassberger 2004, estimator 1",
            cost: "a k-d tree: 5 ms at n = 5000 in 1 + 1 columns, .1 s in 6 + 6",
            limits: "at most 6 + 6 columns; too small in many dimensions and at high information; rows must \
                     differ",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        need_neighbours(&samples)?;
        let (dx, dy) = (samples.dx(), samples.dy());
        if dx.max(dy) > MOST_COLUMNS {
            let reason = format!(
                "{dx} + {dy} columns are too many, of {MOST_COLUMNS} + {MOST_COLUMNS}: neighbours are far \
                 apart there and the number is too small; choose cca-ksg or the default"
            );
            return Err(Error::Samples { estimator: self.name(), reason });
        }
        if let Some(infinite) = samples.need_independence(kind) {
            return Ok(vec![infinite]);
        }
        samples.jitter(seed);
        let distance = samples.x.least_distance().min(samples.y.least_distance());
        if distance < LEAST_DISTANCE {
            let reason = format!(
                "of a column most values lie within {distance:.0e} of its standard deviation and a few far \
                 beyond, so that neighbours see the other columns alone; take logarithms or ranks first, or \
                 choose the default, which looks at ranks"
            );
            return Err(Error::Samples { estimator: self.name(), reason });
        }
        let (x, y) = (samples.x.values(), samples.y.values());
        let terms = terms_nats(&x, &y);
        let (mi_nats, stderr) = mean_and_stderr(&terms);
        let stderr = stderr * together(&x, &y, stderr);
        Ok(vec![samples.report(kind, Found { mi_nats, stderr_nats: Some(stderr), ..Found::default() })])
    }
}

/// Refuses samples that have too few rows for a third neighbour, or too many that are equal.
///
/// # Errors
/// [`Error::Samples`]
pub(crate) fn need_neighbours(samples: &Samples) -> Result<()> {
    let refuse = |reason| Err(Error::Samples { estimator: samples.estimator, reason });
    if samples.n < K + 2 {
        return refuse(format!("{} rows are too few for {K} neighbours; give at least {}", samples.n, K + 2));
    }
    let distinct = samples.x.n_distinct.min(samples.y.n_distinct);
    if (distinct as f64) < LEAST_DISTINCT * samples.n as f64 {
        return refuse(format!(
            "of {} rows only {distinct} differ on one side, so that neighbours are at distance zero; choose \
             plugin for discrete values",
            samples.n
        ));
    }
    Ok(())
}

/// The information of each pair, whose mean is the estimate.
///
/// # Shapes
/// `x` is `(n, d_x)`, `y` is `(n, d_y)`; coordinates of like size.
pub(crate) fn terms_nats(x: &Array2<f64>, y: &Array2<f64>) -> Vec<f64> {
    let n = x.nrows();
    // psi at every count there can be, by its recurrence, since each is asked for twice for each point.
    let mut psi = vec![digamma(1.0); n.max(K) + 1];
    for count in 2..psi.len() {
        psi[count] = psi[count - 1] + 1.0 / (count as f64 - 1.0);
    }
    let base = psi[K] + psi[n];
    let found = counts(x.view(), y.view(), K);
    found.iter().map(|(nx, ny)| base - psi[*nx as usize] - psi[*ny as usize]).collect()
}

/// What the standard error of independent terms is to be multiplied by, at least 1: points that are
/// neighbours have terms that vary together, which shows in estimates from disjoint blocks of rows (Holmes &
/// Nemenman 2019).
pub(crate) fn together(x: &Array2<f64>, y: &Array2<f64>, stderr: f64) -> f64 {
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
        mean_and_stderr(&terms_nats(&x.select(Axis(0), &rows), &y.select(Axis(0), &rows))).0
    };
    let found: Vec<f64> = (0..blocks).map(of_block).collect();
    let (_, of_mean) = mean_and_stderr(&found);
    // The variance goes with one over the rows.
    (of_mean * ((blocks * size) as f64 / n as f64).sqrt() / stderr).max(1.0)
}

/// The mean and its standard error.
pub(crate) fn mean_and_stderr(terms: &[f64]) -> (f64, f64) {
    let n = terms.len() as f64;
    let mean = terms.iter().sum::<f64>() / n;
    let variance = terms.iter().map(|term| (term - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}
