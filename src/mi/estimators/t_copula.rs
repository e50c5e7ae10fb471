//! `t-copula`: the information of the t copula that fits the samples best.
//!
//! Marginals do not matter for mutual information. Their ranks are brought to those of a t distribution with
//! `nu` degrees of freedom, and the joint density is taken to be a multivariate t, whose information is
//! known:
//!
//! ```text
//! I = 0.5 (logdet S_x + logdet S_y - logdet S) - Wishart bias + h(d_x, nu) + h(d_y, nu) - h(d_x + d_y, nu)
//! ```
//!
//! `h(d, nu)` is the entropy of a standard t vector. `S` and `nu` are those of maximum likelihood: `nu` on a
//! grid, then by golden section; `S` by fixed-point steps with weights `(nu + d) / (nu + m)`, `m` the squared
//! Mahalanobis distance. The normal copula is kept unless the mean log likelihood gains more than `2 log(n) /
//! n`, and unless the held-out score of the t copula is better by two standard errors: columns of one side
//! that are large together increase the likelihood, too, without any dependence on the other side.
//!
//! # References
//! Demarta & McNeil, *The t copula and related copulas* (2005); Kotz & Nadarajah, *Multivariate t
//! Distributions* (2004), for the entropy; Kent & Tyler 1991 (steps).

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::density_ratio::copula::Copula;
use crate::mi::samples::paired::RawEstimate;
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct TCopula;

impl Estimator for TCopula {
    fn name(&self) -> &'static str {
        "t-copula"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Parametric,
            what: "information of the t (or normal) copula of maximum likelihood",
            reference: "Demarta & McNeil 2005; Kotz & Nadarajah 2004",
            cost: "150 n d^2 and 2000 n d: .2 s at n = 5000, d = 5 + 5 with heavy tails, .05 s without",
            limits: "n >= d_x + d_y + 2; sees monotone dependence and common scale only",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let required = Requirements {
            least_rows: 0,
            neighbours: Neighbours::None,
            copies: Copies::Used,
            reads: Reads::Ranks,
        };
        estimate_checked(self, pairs, required, seed, |samples| {
            let copula = Copula::new(samples.estimator, &samples.take_scores(), samples.dx(), seed)?;
            let stderr_nats = Some(copula.stderr_nats());
            let flags = if copula.is_misfit(seed) { vec![Flag::Misfit] } else { vec![] };
            Ok(RawEstimate { mi_nats: copula.mi_nats, stderr_nats, flags, ..RawEstimate::default() })
        })
    }
}
