//! `cca-ksg`: `ksg` on the leading canonical variates. It is suitable for sides with many columns if a few
//! linear combinations carry the dependence.
//!
//! Coordinates are converted to normal scores. The estimator keeps the canonical variates whose correlation
//! exceeds `sqrt(d_x / n) + sqrt(d_y / n)`, the largest correlation expected for independent samples; it
//! keeps at least one and at most three. A projection cannot add information, so the estimate tends to be too
//! small. It can also be too large, because the directions are chosen on the same samples.
//!
//! # References
//! Hotelling 1936; Kraskov, Stögbauer, Grassberger 2004; Wachter 1980 (largest correlation of independent
//! samples).

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::mi::neighbours::canonical_variates::CanonicalVariates;
use crate::mi::neighbours::ksg::{dependence_inflation, pointwise_nats};
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{About, Estimate, Estimator, Kind, Pairs};
use crate::numeric::statistics::mean_and_stderr;
use crate::{Error, Result};

/// The `cca-ksg` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct CcaKsg;

impl Estimator for CcaKsg {
    fn name(&self) -> &'static str {
        "cca-ksg"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "ksg on one to three leading canonical variates of the normal scores",
            reference: "Hotelling 1936; Kraskov, Stoegbauer, Grassberger 2004",
            cost: "n d^2 and ksg in at most 3 + 3 columns: .03 s at n = 5000",
            limits: "needs n >= d_x + d_y + 2; uses only the first three canonical variates",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let required = Requirements {
            least_rows: 0,
            neighbours: Neighbours::OfValues,
            copies: Copies::Used,
            reads: Reads::Ranks,
        };
        estimate_checked(self, pairs, required, seed, project_and_measure)
    }
}

/// The estimate of `ksg` on the leading canonical variates.
fn project_and_measure(samples: &mut Samples) -> Result<RawEstimate> {
    let scores = samples.take_scores();
    let dx = samples.dx();
    let Some(view) = CanonicalVariates::new(&scores, dx) else {
        let reason =
            "the covariance of the normal scores is singular; drop columns that are functions of others";
        return Err(Error::Samples { estimator: samples.estimator, reason: reason.to_owned() });
    };
    let (u, v) = view.project(&scores, dx);
    let (mi_nats, stderr) = mean_and_stderr(&pointwise_nats(&u, &v));
    let stderr = stderr * dependence_inflation(&u, &v, stderr);
    Ok(RawEstimate { mi_nats, stderr_nats: Some(stderr), ..RawEstimate::default() })
}
