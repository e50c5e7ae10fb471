//! `hybrid`: adds a nearest-neighbour residual to the information of the t copula.
//!
//! ```text
//! I = I_t + max over views [ KSG(samples) - mean KSG(as many samples from the fitted copula) ]
//! ```
//!
//! Both terms of the difference have the same bias, so the difference is small in any dimension if the copula
//! fits. One view is the leading canonical variates. With up to 12 columns in total, the second view is the
//! normal scores of all coordinates. The larger residual is used. Residuals are noisy, so this choice adds
//! .01 to .03 nats if there is no information.
//!
//! Equal values, for example rounded values, are put in random order, which does not change the information.
//! The estimate has the flag `misfit` if the copula does not describe the samples: if the mean density ratio
//! of unpaired rows is above one, or if nearest neighbours in four or more columns find much information
//! that the copula misses.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger 2004; Demarta & McNeil 2005; Efron & Tibshirani 1993 (parametric bootstrap
//! of a bias).

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::density_ratio::copula::Copula;
use crate::mi::density_ratio::neighbour_residual::copula_residual;
use crate::mi::samples::paired::RawEstimate;
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};

/// A residual is significant above this many standard deviations of its noise.
const CLEAR: f64 = 2.0;
/// Minimum total number of columns in which a significant residual sets the flag `misfit`. In fewer columns,
/// nearest neighbours find all the information that the copula misses, so the estimate includes it.
const LEAST_COLUMNS: usize = 4;
/// A bias above this and above the estimate is flagged, because the bias correction is exact only for normal
/// columns.
const MOST_BIAS_NATS: f64 = 0.5;

/// The `hybrid` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hybrid;

impl Estimator for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "t copula, plus ksg on the samples minus ksg on samples drawn from the fitted copula",
            reference: "Demarta & McNeil 2005; Kraskov, Stoegbauer, Grassberger 2004",
            cost: "150 n d^2 + 6 n^2 d: .3 s at n = 5000",
            limits: "needs n >= d_x + d_y + 2; beyond 12 columns the residual uses up to three linear \
                     projections",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let required = Requirements {
            least_rows: 0,
            neighbours: Neighbours::OfRanks,
            copies: Copies::UsedOnce,
            reads: Reads::Ranks,
        };
        estimate_checked(self, pairs, required, seed, |samples| {
            let scores = samples.take_scores();
            let copula = Copula::new(samples.estimator, &scores, samples.dx(), seed)?;
            let residual = copula_residual(&scores, &copula, samples.dx(), seed);
            let mut flags = vec![];
            let in_many = samples.dx() + samples.dy() >= LEAST_COLUMNS;
            if copula.is_misfit(seed) || (in_many && residual.nats > CLEAR * residual.noise_nats) {
                flags.push(Flag::Misfit);
            }
            if copula.bias_nats > copula.mi_nats.max(MOST_BIAS_NATS)
                && !samples.flags.contains(&Flag::FewRows)
            {
                flags.push(Flag::Undersampled);
            }
            let stderr_nats = Some(residual.stderr_nats.max(copula.stderr_nats()));
            let mi_nats = copula.mi_nats + residual.nats;
            Ok(RawEstimate { mi_nats, stderr_nats, flags, ..RawEstimate::default() })
        })
    }
}
