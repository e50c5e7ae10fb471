//! `ksg`: estimates information from distances to the third nearest neighbour, without a model of the
//! distribution.
//!
//! ```text
//! I = psi(k) + psi(n) - mean_i [ psi(n_x(i) + 1) + psi(n_y(i) + 1) ],   k = 3
//! ```
//!
//! The joint distance of two points is the larger of their distances in `x` and in `y` (Chebyshev distance,
//! coordinates at unit variance). `n_x(i)` is the number of points whose distance to point `i` in `x` is
//! smaller than the joint distance of its `k`-th neighbour. The estimate is nearly unbiased in few
//! dimensions. In many dimensions the neighbours are far away and the estimate is too small, so more than 6 +
//! 6 columns are an error. Repeated rows cause a bias. If at most one row in a hundred is repeated, noise of
//! 1e-6 standard deviations separates equal rows; otherwise the estimator returns an error.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger, Phys. Rev. E 69, 066138 (2004), estimator 1; Holmes & Nemenman, Phys.
//! Rev. E 100, 022404 (2019), the standard error.

use crate::mi::neighbours::ksg::{dependence_inflation, need_neighbours, pointwise_nats};
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{About, Estimate, Estimator, Kind, Pairs};
use crate::numeric::statistics::mean_and_stderr;
use crate::{Error, Result};

/// If the typical distance of the values of a column from their median is below this, in standard deviations,
/// distances do not resolve the values.
const LEAST_DISTANCE: f64 = 1e-3;
/// Maximum number of columns of a side.
const MOST_COLUMNS: usize = 6;

/// The `ksg` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ksg;

impl Estimator for Ksg {
    fn name(&self) -> &'static str {
        "ksg"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "information from distances to the third nearest neighbour, without a density model",
            reference: "Kraskov, Stoegbauer, Grassberger 2004, estimator 1",
            cost: "a k-d tree: 5 ms at n = 5000 in 1 + 1 columns, .1 s in 6 + 6 columns",
            limits: "needs at most 6 + 6 columns and at most 1 % of repeated rows; the estimate is too small \
                in many dimensions and at high information",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), pairs)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        need_neighbours(&samples)?;
        let (dx, dy) = (samples.dx(), samples.dy());
        if dx.max(dy) > MOST_COLUMNS {
            let reason = format!(
                "{dx} + {dy} columns are more than {MOST_COLUMNS} + {MOST_COLUMNS}; in so many dimensions \
                 the estimate is far too small; choose cca-ksg or the default estimator"
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
                "a column has a few extreme values, and most other values lie within {distance:.0e} \
                 standard deviations of the median, so distances do not resolve these values; take \
                 logarithms or ranks first, or choose the default estimator, which is rank-based"
            );
            return Err(Error::Samples { estimator: self.name(), reason });
        }
        let (x, y) = (samples.x.values(), samples.y.values());
        let terms = pointwise_nats(&x, &y);
        let (mi_nats, stderr) = mean_and_stderr(&terms);
        let stderr = stderr * dependence_inflation(&x, &y, stderr);
        Ok(vec![
            samples
                .report(kind, RawEstimate { mi_nats, stderr_nats: Some(stderr), ..RawEstimate::default() }),
        ])
    }
}
