//! `plugin`: the information of discrete values, from how often each occurs; exact for micro information, whose inputs are few.
//!
//! # Formula
//! `H(x) + H(y) - H(x, y)` of the observed frequencies, each entropy with its Miller-Madow term `(K - 1) / 2n`. Rows are values: two
//! rows are the same value if they agree bit by bit. Where `y` is determined by `x`, this is the entropy of `y`.
//!
//! Where most values occur once, frequencies say nothing (continuous samples give `log n` whatever they are): refused.
//!
//! Where values are many for so few rows, the term is not enough, and the number is above 0 where nothing is shared: by `e`, the mean over pairs that were torn apart. Where `y` is
//! determined by `x` there is no such excess. So `I` becomes `C (I - e) / (C - e)`, `C` the smaller of both entropies (the adjusted information of Vinh et al.), flagged where `e` is above .05.
//!
//! # References
//! Miller 1955; Vinh, Epps, Bailey, JMLR 11 (2010), adjusted for chance.

use std::collections::HashMap;

use ndarray::ArrayView2;
use rand::seq::SliceRandom;

use super::ceilings::entropy_nats;
use super::ksg::mean_and_stderr;
use super::samples::{Found, LEAST_DISTINCT, Samples, pair_counts};
use super::{About, Estimate, Estimator, Flag, Kind};
use crate::seed::stream;
use crate::{Error, Result};

/// Refused where more than this fraction of the rows hold a pair that occurs once.
const MOST_SINGLE: f64 = 0.5;
/// Orders in which pairs are torn apart.
const PERMUTATIONS: usize = 8;
/// Flagged where pairs that were torn apart show more.
const MOST_EXCESS_NATS: f64 = 0.05;

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

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
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
        Ok(vec![samples.report(kind, discrete(&samples, seed))])
    }
}

/// An estimate of states, which are functions of their tokens: where an estimator refuses rows because they repeat, as tokens do, or `plugin` because they do not, their information is the entropy of what they
/// hold, and the number is that, flagged.
///
/// # Errors
/// Those of the estimator otherwise.
pub(crate) fn of_states(
    estimator: &dyn Estimator,
    x: ArrayView2<'_, f32>,
    y: ArrayView2<'_, f32>,
    seed: u64,
) -> Result<Vec<Estimate>> {
    let refused = match estimator.estimate(x, y, seed) {
        Err(refused @ Error::Samples { .. }) => refused,
        other => return other,
    };
    let samples = Samples::new(estimator.name(), x, y)?;
    let distinct = samples.x.n_distinct.min(samples.y.n_distinct) as f64;
    if estimator.name() != Plugin.name() && distinct >= LEAST_DISTINCT * samples.n as f64 {
        return Err(refused);
    }
    Ok(vec![samples.report(estimator.about().kind, discrete(&samples, seed))])
}

/// The information of values that repeat.
pub(crate) fn discrete(samples: &Samples, seed: u64) -> Found {
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
    let (of_x, of_y) = (entropy(&rows), entropy(&columns));
    let mi_nats = of_x + of_y - entropy(&samples.pair_counts());
    let torn: Vec<f64> = (0..PERMUTATIONS)
        .map(|index| {
            let mut other = y.ids.clone();
            other.shuffle(&mut stream("mi/plugin/permutation", &index.to_string(), seed));
            of_x + of_y - entropy(&pair_counts(&x.ids, &other))
        })
        .collect();
    let (mean, of_mean) = mean_and_stderr(&torn);
    let (excess, spread) = (mean.max(0.0), of_mean * (PERMUTATIONS as f64).sqrt());
    let most = of_x.min(of_y);
    let factor = if excess < most { most / (most - excess) } else { 0.0 };
    let mi_nats = (mi_nats - excess) * factor;
    // The spread of the pointwise information; sorted, because a sum over a map has no order.
    let pointwise = cells.iter().map(|((i, j), count)| {
        let count = *count as f64;
        (count * n / (rows[*i] as f64 * columns[*j] as f64)).ln()
    });
    let mut terms: Vec<(f64, f64)> = pointwise.zip(cells.values().map(|count| *count as f64 / n)).collect();
    terms.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mean: f64 = terms.iter().map(|(value, share)| value * share).sum();
    let variance: f64 = terms.iter().map(|(value, share)| share * (value - mean).powi(2)).sum();
    let stderr_nats = Some((variance / n).sqrt().hypot(spread));
    let mut flags = vec![Flag::Discrete];
    if excess > MOST_EXCESS_NATS {
        flags.push(Flag::Undersampled);
    }
    Found { mi_nats, stderr_nats, flags, ..Found::default() }
}
