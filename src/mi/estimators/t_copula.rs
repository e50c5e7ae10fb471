//! `t-copula`: the information of the maximum-likelihood t copula or normal copula.
//!
//! Mutual information does not depend on the marginals. So each column is transformed by its ranks to a t
//! distribution with `nu` degrees of freedom. The joint density is modelled as a multivariate t distribution,
//! whose information is known:
//!
//! ```text
//! I = 0.5 (logdet S_x + logdet S_y - logdet S) - Wishart bias + h(d_x, nu) + h(d_y, nu) - h(d_x + d_y, nu)
//! ```
//!
//! `h(d, nu)` is the entropy of a standard t vector. `S` and `nu` are maximum-likelihood estimates: `nu`
//! comes from a grid and golden-section search, `S` from fixed-point steps with weights
//! `(nu + d) / (nu + m)`, where `m` is the squared Mahalanobis distance. The t copula replaces the normal
//! copula only if it passes two tests. Its mean log likelihood must be higher by more than `2 log(n) / n`,
//! and its contrastive score must be higher by two standard errors. The second test is needed because
//! dependence between columns of the same side, such as joint extremes, also increases the likelihood.
//!
//! # References
//! Demarta & McNeil, *The t copula and related copulas* (2005); Kotz & Nadarajah, *Multivariate t
//! Distributions* (2004), for the entropy; Kent & Tyler 1991 (fixed-point steps).

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::density_ratio::copula::Copula;
use crate::mi::samples::paired::RawEstimate;
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};

/// The `t-copula` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct TCopula;

impl Estimator for TCopula {
    fn name(&self) -> &'static str {
        "t-copula"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Parametric,
            what: "information of the maximum-likelihood t (or normal) copula",
            reference: "Demarta & McNeil 2005; Kotz & Nadarajah 2004",
            cost: "150 n d^2 and 2000 n d: .2 s at n = 5000, d = 5 + 5 with heavy tails, .05 s without heavy \
                tails",
            limits: "needs n >= d_x + d_y + 2; measures only monotone dependence and dependence through a \
                     common scale",
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
