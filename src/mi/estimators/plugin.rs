//! `plugin`: computes the information of discrete values from their frequencies.
//!
//! # Formula
//! `H(x) + H(y) - H(x, y)` of the observed frequencies, where each entropy includes its Miller-Madow term `(K
//! - 1) / 2n`. Each distinct row is one value; two rows are equal if they are bit-identical. If `x`
//! determines `y`, the result is the entropy of `y`.
//!
//! If most values occur once, frequencies are uninformative (continuous samples always give `log n`). The
//! estimator then returns an error, unless the rows of `x` have labels, which mark the values as discrete.
//!
//! With many values for few rows, the Miller-Madow term does not remove all of the bias. A bootstrap
//! estimates the rest: it draws samples of the same size from a table whose information is known. The table
//! is a mixture of the observed frequencies and the product of their marginals,
//! `l p(x, y) + (1 - l) p(x) p(y)`. `l` is the value that best predicts each row from the other rows: 0 if
//! the sides are independent, 1 if `x` determines `y`. An estimate with a bootstrap bias above .05 nats is
//! flagged.
//!
//! # References
//! Miller 1955; Efron & Tibshirani 1993 (parametric bootstrap of a bias); Hausser & Strimmer, JMLR 10 (2009),
//! for the mixture.

use crate::mi::samples::frequencies::{MOST_SINGLE, discrete, known_discrete};
use crate::mi::samples::paired::Samples;
use crate::mi::{About, Estimate, Estimator, Kind, Pairs};
use crate::{Error, Result};

/// The `plugin` estimator.
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
                   bootstrap correction of the remaining bias",
            reference: "Miller 1955; Efron & Tibshirani 1993; Hausser & Strimmer 2009",
            cost: "n log n: milliseconds",
            limits: "without labels, returns an error if more than half of the pairs occur only once",
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
                    "{single} of {} pairs occur only once, so frequencies are uninformative; choose an \
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
