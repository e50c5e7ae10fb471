//! `plugin`: the information of discrete values, from how often each occurs; exact for micro information,
//! whose inputs are few.
//!
//! # Formula
//! `H(x) + H(y) - H(x, y)` of the observed frequencies, each entropy with its Miller-Madow term `(K - 1) /
//! 2n`. Rows are values: two rows are the same value if they agree bit by bit. Where `y` is determined by
//! `x`, this is the entropy of `y`.
//!
//! Where most values occur once, frequencies say nothing (continuous samples give `log n` whatever they are):
//! refused.
//!
//! Where values are many for so few rows, the term is not enough. What is too much is found by drawing
//! samples as large from a table whose information is known, a mixture of the observed one and of the product
//! of its marginals, `l p(x, y) + (1 - l) p(x) p(y)`, with the `l` that foretells each row best from the
//! others: 0 where nothing is shared, 1 where `y` is determined by `x`. Flagged where it is above .05.
//!
//! # References
//! Miller 1955; Efron & Tibshirani 1993 (parametric bootstrap of a bias); Hausser & Strimmer, JMLR 10 (2009),
//! for the mixture.

use std::collections::HashMap;

use ndarray::ArrayView2;
use rand::Rng;
use rand::distr::{Distribution, Uniform};
use rayon::prelude::*;

use super::ksg::mean_and_stderr;
use crate::mi::channel::ceilings::entropy_nats;
use crate::mi::samples::paired::{Found, LEAST_DISTINCT, Samples, pair_counts};
use crate::mi::{About, Estimate, Estimator, Flag, Kind};
use crate::seed::stream;
use crate::{Error, Result};

/// Refused where more than this fraction of the rows hold a pair that occurs once.
const MOST_SINGLE: f64 = 0.5;
/// Samples drawn from the mixture.
const DRAWS: usize = 24;
/// Steps between the product of the marginals and the observed table.
const SHARES: usize = 40;
/// Flagged where what is drawn shows so much more than it holds.
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
            what: "information of discrete values from their frequencies, with Miller-Madow terms and a \
                   bootstrap of what is left of the bias",
            reference: "Miller 1955; Efron & Tibshirani 1993; Hausser & Strimmer 2009",
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
                "{single} of {} pairs occur once, so that their frequencies say nothing; choose an \
                 estimator for continuous values",
                samples.n
            );
            return Err(Error::Samples { estimator: self.name(), reason });
        }
        Ok(vec![samples.report(kind, discrete(&samples, seed))])
    }
}

/// An estimate of states, which are functions of their tokens: where an estimator refuses rows because they
/// repeat, as tokens do, or `plugin` because they do not, their information is the entropy of what they hold,
/// and the number is that, flagged.
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
    // Of states it is known, and need not show.
    let found =
        if is_function(&samples, 1.0) { Table::new(&samples).as_it_is() } else { discrete(&samples, seed) };
    Ok(vec![samples.report(estimator.about().kind, found)])
}

/// The information of values that repeat.
pub(crate) fn discrete(samples: &Samples, seed: u64) -> Found {
    let table = Table::new(samples);
    if is_function(samples, MOST_SINGLE) {
        return table.as_it_is();
    }
    let l = table.share();
    let exact = table.mixed_nats(l);
    let drawn: Vec<f64> = (0..DRAWS)
        .into_par_iter()
        .map(|index| {
            let mut generator = stream("mi/plugin/draw", &index.to_string(), seed);
            let row = |generator: &mut _| Uniform::new(0, samples.n).map_or(0, |rows| rows.sample(generator));
            let pair = |_| {
                let own = row(&mut generator);
                let is_torn = generator.random::<f64>() >= l;
                (samples.x.ids[own], samples.y.ids[if is_torn { row(&mut generator) } else { own }])
            };
            let (x, y): (Vec<usize>, Vec<usize>) = (0..samples.n).map(pair).unzip();
            let entropy = |ids: &[usize]| {
                let mut counts = vec![0_u64; ids.iter().max().map_or(0, |most| most + 1)];
                ids.iter().for_each(|id| counts[*id] += 1);
                entropy_nats(counts.into_iter().filter(|count| *count > 0))
            };
            entropy(&x) + entropy(&y) - entropy_nats(pair_counts(&x, &y).into_iter())
        })
        .collect();
    let (mean, of_mean) = mean_and_stderr(&drawn);
    let (excess, spread) = (mean - exact, of_mean * (DRAWS as f64).sqrt());
    let stderr_nats = Some(table.stderr_nats().max(spread));
    let mut flags = vec![Flag::Discrete];
    if excess > MOST_EXCESS_NATS {
        flags.push(Flag::Undersampled);
    }
    Found { mi_nats: table.mi_nats - excess, stderr_nats, flags, ..Found::default() }
}

/// Whether one side determines the other, as far as its values repeat: all but such a share of the rows hold
/// one that does.
fn is_function(samples: &Samples, most_single: f64) -> bool {
    let pairs = samples.pair_counts().len();
    [&samples.x, &samples.y].into_iter().any(|side| {
        let single = pair_counts(&side.ids, &side.ids).into_iter().filter(|count| *count == 1).count();
        pairs == side.n_distinct && single as f64 <= most_single * samples.n as f64
    })
}

/// How often values occur together.
struct Table {
    n: f64,
    /// Of each pair that occurs its share of the rows, and what that share would be if nothing were shared.
    cells: Vec<(f64, f64)>,
    mi_nats: f64,
}

impl Table {
    fn new(samples: &Samples) -> Self {
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
        let cells = cells
            .iter()
            .map(|((i, j), count)| (*count as f64 / n, rows[*i] as f64 / n * columns[*j] as f64 / n));
        // Sorted, because a sum over a map has no order.
        let mut cells: Vec<(f64, f64)> = cells.collect();
        cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Self { n, cells, mi_nats }
    }

    fn as_it_is(&self) -> Found {
        let stderr_nats = Some(self.stderr_nats());
        Found { mi_nats: self.mi_nats, stderr_nats, flags: vec![Flag::Discrete], ..Found::default() }
    }

    /// The share of the observed table in the mixture that foretells each row best from the others.
    fn share(&self) -> f64 {
        let log_likelihood = |l: f64| {
            let of = |(seen, apart): &(f64, f64)| {
                let others = (seen * self.n - 1.0) / (self.n - 1.0);
                seen * (l * others + (1.0 - l) * apart).max(f64::MIN_POSITIVE).ln()
            };
            self.cells.iter().map(of).sum::<f64>()
        };
        let grid = (0..=SHARES).map(|k| k as f64 / SHARES as f64);
        grid.map(|l| (l, log_likelihood(l))).max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0.0, |(l, _)| l)
    }

    /// The information of the mixture, whose marginals are the observed ones.
    fn mixed_nats(&self, l: f64) -> f64 {
        let of = |(seen, apart): &(f64, f64)| {
            let p = l * seen + (1.0 - l) * apart;
            p * (p / apart).ln()
        };
        let unseen = 1.0 - self.cells.iter().map(|(_, apart)| apart).sum::<f64>();
        let rest = if l < 1.0 { (1.0 - l) * unseen.max(0.0) * (1.0 - l).ln() } else { 0.0 };
        self.cells.iter().map(of).sum::<f64>() + rest
    }

    /// From the spread of the pointwise information.
    fn stderr_nats(&self) -> f64 {
        let terms = || self.cells.iter().map(|(seen, apart)| (*seen, (seen / apart).ln()));
        let mean: f64 = terms().map(|(share, value)| share * value).sum();
        let variance: f64 = terms().map(|(share, value)| share * (value - mean).powi(2)).sum();
        (variance / self.n).sqrt()
    }
}
