//! `infonce`: the InfoNCE lower bound of a separable critic on held-out pairs. The bound is at most the
//! logarithm of the number of rows compared.
//!
//! The critic of [`crate::mi::neural::critic`] is trained five times, each time with a different fifth of the
//! rows held out. The logarithm of the number of rows compared is reported as a ceiling; an estimate above .8
//! times this ceiling has the flag `saturated`.
//!
//! # References
//! van den Oord et al. 2018; Poole et al. 2019.

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::density_ratio::neighbour_residual::sides;
use crate::mi::neural::critic;
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};
use crate::numeric::statistics::mean_and_stderr;

/// Minimum number of rows for training.
const LEAST_ROWS: usize = 50;
/// A bound above this fraction of its ceiling is flagged as saturated.
const SATURATED: f64 = 0.8;

/// The `infonce` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct InfoNce;

impl Estimator for InfoNce {
    fn name(&self) -> &'static str {
        "infonce"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::LowerBound,
            what: "cross-fitted InfoNCE bound of a separable critic that starts from canonical correlations \
                   of Hermite polynomials",
            reference: "van den Oord et al. 2018; Poole et al. 2019",
            cost: "up to 5 x 700 steps of 512^2 pairs: 5 to 15 s on one core",
            limits: "needs n >= d_x + d_y + 2 and n >= 50; the bound is at most the logarithm of the number \
                of rows compared, which is a fifth of n but at most 1000",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let required = Requirements {
            least_rows: LEAST_ROWS,
            neighbours: Neighbours::None,
            copies: Copies::Used,
            reads: Reads::Ranks,
        };
        estimate_checked(self, pairs, required, seed, |samples| cross_fitted(samples, seed))
    }
}

/// The mean of the bounds over all held-out parts.
fn cross_fitted(samples: &mut Samples, seed: u64) -> Result<RawEstimate> {
    let (x, y) = sides(&samples.take_scores(), samples.dx());
    let Some(cross_fitted) = critic::cross_fitted(&x, &y, false, seed) else {
        return Ok(RawEstimate {
            flags: vec![Flag::Failed],
            lower_nats: Some(0.0),
            ..RawEstimate::default()
        });
    };
    let (mi_nats, stderr) = mean_and_stderr(&cross_fitted.terms);
    let compared = cross_fitted.compared as f64;
    let mut flags = if mi_nats > SATURATED * compared.ln() { vec![Flag::Saturated] } else { vec![] };
    if mi_nats < critic::DIVERGENCE_THRESHOLD_NATS {
        flags.push(Flag::Failed);
    }
    Ok(RawEstimate {
        mi_nats,
        lower_nats: Some(mi_nats),
        stderr_nats: Some(stderr),
        compared_nats: Some(compared.ln()),
        flags,
        ..RawEstimate::default()
    })
}
