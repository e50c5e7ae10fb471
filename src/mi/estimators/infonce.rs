//! `infonce`: the bound of a separable critic on pairs that it was not trained on; at most the logarithm of
//! how many are compared.
//!
//! The critic is that of [`crate::mi::neural::critic`], trained five times, each time without a fifth of the
//! rows. Flag `saturated` above .8 of the logarithm of the number of rows that are compared, which stands
//! beside it as a ceiling.
//!
//! # References
//! van den Oord et al. 2018; Poole et al. 2019.

use crate::mi::density_ratio::neighbour_residual::sides;
use crate::mi::neural::critic;
use crate::mi::samples::paired::{Found, Samples};
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};
use crate::numeric::statistics::mean_and_stderr;
use crate::{Error, Result};

/// Fewer rows cannot be trained on.
const LEAST_ROWS: usize = 50;
/// Bounds above this fraction of their ceiling are flagged.
const SATURATED: f64 = 0.8;

/// The estimator.
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
            limits: "n >= d_x + d_y + 2 and 50; at most log of the rows compared, a fifth of n in groups of \
                     at most 1000",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), pairs)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        samples.need_covariance()?;
        if samples.n < LEAST_ROWS {
            let reason =
                format!("{} rows are too few to train and to test; give at least {LEAST_ROWS}", samples.n);
            return Err(Error::Samples { estimator: self.name(), reason });
        }
        if let Some(infinite) = samples.need_independent_ranks(kind) {
            return Ok(vec![infinite]);
        }
        samples.jitter(seed);
        let (x, y) = sides(&samples.take_scores(), samples.dx());
        let Some(cross_fitted) = critic::cross_fitted(&x, &y, false, seed) else {
            let failed = Found { flags: vec![Flag::Failed], lower_nats: Some(0.0), ..Found::default() };
            return Ok(vec![samples.report(kind, failed)]);
        };
        let (mi_nats, stderr) = mean_and_stderr(&cross_fitted.terms);
        let compared = cross_fitted.compared as f64;
        let mut flags = if mi_nats > SATURATED * compared.ln() { vec![Flag::Saturated] } else { vec![] };
        if mi_nats < critic::DIVERGENCE_THRESHOLD_NATS {
            flags.push(Flag::Failed);
        }
        let found = Found {
            mi_nats,
            lower_nats: Some(mi_nats),
            stderr_nats: Some(stderr),
            compared_nats: Some(compared.ln()),
            flags,
            ..Found::default()
        };
        Ok(vec![samples.report(kind, found)])
    }
}
