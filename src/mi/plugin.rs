//! `plugin`: the information of discrete values, from how often each occurs; exact for micro information, whose inputs are few.
//!
//! # Formula
//! `H(x) + H(y) - H(x, y)` of the observed frequencies, each entropy with its Miller-Madow term `(K - 1) / 2n`. Rows are values: two
//! rows are the same value if they agree bit by bit. Where `y` is determined by `x`, this is the entropy of `y`.
//!
//! Where most values occur once, frequencies say nothing (continuous samples give `log n` whatever they are): refused.
//!
//! # References
//! Miller 1955.

use std::collections::HashMap;

use ndarray::ArrayView2;

use super::ceilings::entropy_nats;
use super::samples::{Found, Samples};
use super::{About, Estimate, Estimator, Flag, Kind};
use crate::{Error, Result};

/// Refused where more than this fraction of the rows hold a pair that occurs once.
const MOST_SINGLE: f64 = 0.5;

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
            what: "information of discrete values from their frequencies, with Miller-Madow terms",
            reference: "Miller 1955",
            cost: "n log n: milliseconds",
            limits: "values must repeat: refused where more than half of the pairs occur once",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, _seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        let single = samples.pair_counts().iter().filter(|count| **count == 1).count();
        if single as f64 > MOST_SINGLE * samples.n as f64 {
            let reason = format!(
                "{single} of {} pairs occur once, so that their frequencies say nothing; choose an estimator for continuous values",
                samples.n
            );
            return Err(Error::Samples { estimator: self.name(), reason });
        }
        Ok(vec![samples.report(kind, discrete(&samples))])
    }
}

/// The information of values that repeat.
pub(crate) fn discrete(samples: &Samples) -> Found {
    let n = samples.n as f64;
    let (x, y) = (&samples.x, &samples.y);
    let mut cells: HashMap<(usize, usize), u64> = HashMap::new();
    let (mut rows, mut columns) = (vec![0_u64; x.n_distinct], vec![0_u64; y.n_distinct]);
    for (i, j) in x.ids.iter().zip(&y.ids) {
        *cells.entry((*i, *j)).or_default() += 1;
        rows[*i] += 1;
        columns[*j] += 1;
    }
    let entropy = |counts: &[u64]| entropy_nats(counts.iter().copied());
    let mi_nats = entropy(&rows) + entropy(&columns) - entropy(&samples.pair_counts());
    // The spread of the pointwise information; sorted, because a sum over a map has no order.
    let pointwise = cells.iter().map(|((i, j), count)| {
        let count = *count as f64;
        (count * n / (rows[*i] as f64 * columns[*j] as f64)).ln()
    });
    let mut terms: Vec<(f64, f64)> = pointwise.zip(cells.values().map(|count| *count as f64 / n)).collect();
    terms.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mean: f64 = terms.iter().map(|(value, share)| value * share).sum();
    let variance: f64 = terms.iter().map(|(value, share)| share * (value - mean).powi(2)).sum();
    Found { mi_nats, stderr_nats: Some((variance / n).sqrt()), flags: vec![Flag::Discrete], ..Found::default() }
}
