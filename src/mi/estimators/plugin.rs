//! `plugin`: the information of discrete values, from how often each occurs; exact for micro information,
//! whose inputs are few.
//!
//! # Formula
//! `H(x) + H(y) - H(x, y)` of the observed frequencies, each entropy with its Miller-Madow term `(K - 1) /
//! 2n`. Rows are values: two rows are the same value if they agree bit by bit. Where `y` is determined by
//! `x`, this is the entropy of `y`.
//!
//! Where most values occur once, frequencies are uninformative (continuous samples always give `log n`):
//! refused, unless the rows of `x` are labelled and so known to be discrete.
//!
//! With many values for few rows, the term is not enough. The remaining bias is estimated by drawing
//! samples of the same size from a table whose information is known, a mixture of the observed one and of
//! the product of its marginals, `l p(x, y) + (1 - l) p(x) p(y)`, with the `l` that predicts each row best
//! from the others: 0 where nothing is shared, 1 where `y` is determined by `x`. Flagged where it is above
//! .05.
//!
//! # References
//! Miller 1955; Efron & Tibshirani 1993 (parametric bootstrap of a bias); Hausser & Strimmer, JMLR 10 (2009),
//! for the mixture.

use crate::mi::samples::frequencies::{MOST_SINGLE, discrete, known_discrete};
use crate::mi::samples::paired::Samples;
use crate::mi::{About, Estimate, Estimator, Kind, Pairs};
use crate::{Error, Result};

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plugin;

impl Estimator for Plugin {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "information of discrete values from their frequencies, with Miller-Madow terms and a \
                   bootstrap of what is left of the bias",
            reference: "Miller 1955; Efron & Tibshirani 1993; Hausser & Strimmer 2009",
            cost: "n log n: milliseconds",
            limits: "values must repeat: refused where more than half of the pairs occur once",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let samples = Samples::new(self.name(), pairs)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        let single = samples.pair_counts().iter().filter(|count| **count == 1).count();
        let is_mostly_single = single as f64 > MOST_SINGLE * samples.n as f64;
        let found = match pairs.labels() {
            Some(_) if is_mostly_single => known_discrete(&samples, seed),
            None if is_mostly_single => {
                let reason = format!(
                    "{single} of {} pairs occur once: frequencies are uninformative; choose an \
                     estimator for continuous values",
                    samples.n
                );
                return Err(Error::Samples { estimator: self.name(), reason });
            }
            _ => discrete(&samples, seed),
        };
        Ok(vec![samples.report(kind, found)])
    }
}
