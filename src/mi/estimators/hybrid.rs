//! `hybrid`: the t copula plus a nearest-neighbour residual.
//!
//! ```text
//! I = I_t + max over views [ KSG(samples) - mean KSG(as many samples from the fitted copula) ]
//! ```
//!
//! Both terms of the difference have the same bias, so that it is small where the copula fits, in any
//! dimension. The views are the leading canonical variates and, up to 12 columns in all, the normal scores of
//! all coordinates. The larger of two noisy residuals is kept: that adds .01 to .03 where there is no
//! information.
//!
//! Values that occur twice, as rounded ones do, are put in random order: ranks of such values are uniform
//! within those of the value, which leaves the information as it is. Where the copula is no model of the
//! samples, the number is flagged `misfit`: where unpaired rows have density ratios the mean of which is not
//! one, or where neighbours in four columns or more find much that the copula lacks.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger 2004; Demarta & McNeil 2005; Efron & Tibshirani 1993 (parametric bootstrap
//! of a bias).

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::density_ratio::copula::Copula;
use crate::mi::density_ratio::neighbour_residual::copula_residual;
use crate::mi::samples::paired::RawEstimate;
use crate::mi::{About, Estimate, Estimator, Kind, Pairs};

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hybrid;

impl Estimator for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "t copula plus the residual of ksg over samples from the fitted copula",
            reference: "Demarta & McNeil 2005; Kraskov, Stoegbauer, Grassberger 2004",
            cost: "150 n d^2 + 6 n^2 d: .3 s at n = 5000",
            limits: "n >= d_x + d_y + 2; beyond 12 columns the residual uses three linear projections",
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
            if std::env::var("DBG").is_ok() {
                let (excess, bound) = copula.excess_and_bound_nats(seed);
                println!("    copula {:.3} excess {excess:.3} bound {bound:.3} residual {:.3} noise {:.3}", copula.mi_nats, residual.nats, residual.noise_nats);
            }
            let stderr_nats = Some(residual.stderr_nats.max(copula.stderr_nats()));
            Ok(RawEstimate { mi_nats: copula.mi_nats + residual.nats, stderr_nats, ..RawEstimate::default() })
        })
    }
}
