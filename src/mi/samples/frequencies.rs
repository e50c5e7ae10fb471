//! Computes the information of discrete values from the frequencies of pairs of values. A parametric
//! bootstrap estimates the bias. It draws samples from a mixture of the observed frequencies and the product
//! of their marginals.
//!
//! The formulae are in [`crate::mi::estimators::plugin`].
//!
//! # References
//! Miller 1955; Efron & Tibshirani 1993 (parametric bootstrap of a bias); Hausser & Strimmer, JMLR 10 (2009),
//! for the mixture.

use std::collections::HashMap;

use rand::Rng;
use rand::distr::{Distribution, Uniform};
use rayon::prelude::*;

use super::paired::{RawEstimate, Samples, pair_counts};
use crate::mi::Flag;
use crate::numeric::statistics::{entropy_nats, mean_and_stderr};
use crate::seed::stream;

/// Frequencies are uninformative if more than this fraction of the rows contain a pair that occurs once.
pub(crate) const MOST_SINGLE: f64 = 0.5;
/// Number of bootstrap samples drawn from the mixture.
const DRAWS: usize = 24;
/// Number of grid steps for the mixture weight, from the product of the marginals to the observed table.
const SHARES: usize = 40;
/// Estimates whose bootstrap bias exceeds this number of nats are flagged.
const MOST_EXCESS_NATS: f64 = 0.05;

/// The information of values that repeat, with bias correction.
pub(crate) fn discrete(samples: &Samples, seed: u64) -> RawEstimate {
    let table = FrequencyTable::new(samples);
    if is_function(samples, MOST_SINGLE) {
        return table.plug_in();
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
                let is_independent = generator.random::<f64>() >= l;
                (samples.x.ids[own], samples.y.ids[if is_independent { row(&mut generator) } else { own }])
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
    RawEstimate { mi_nats: table.mi_nats - excess, stderr_nats, flags, ..RawEstimate::default() }
}

/// The information of values that are known to be discrete, even if most values occur once. If one side
/// determines the other, the result is the Miller-Madow estimate without a bootstrap correction.
pub(crate) fn known_discrete(samples: &Samples, seed: u64) -> RawEstimate {
    if is_function(samples, 1.0) { FrequencyTable::new(samples).plug_in() } else { discrete(samples, seed) }
}

/// Whether one side determines the other: each of its values always occurs with the same value of the other
/// side. At most a fraction `most_single` of the rows may have a value of the determining side that occurs
/// once.
fn is_function(samples: &Samples, most_single: f64) -> bool {
    let pairs = samples.pair_counts().len();
    [&samples.x, &samples.y].into_iter().any(|side| {
        let single = pair_counts(&side.ids, &side.ids).into_iter().filter(|count| *count == 1).count();
        pairs == side.n_distinct && single as f64 <= most_single * samples.n as f64
    })
}

/// The observed frequencies of pairs of values.
struct FrequencyTable {
    n: f64,
    /// For each observed pair, its share of the rows and its expected share under independence.
    cells: Vec<(f64, f64)>,
    mi_nats: f64,
}

impl FrequencyTable {
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
        // Sort the cells for a fixed order of summation, because a hash map has no fixed order.
        let mut cells: Vec<(f64, f64)> = cells.collect();
        cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Self { n, cells, mi_nats }
    }

    fn plug_in(&self) -> RawEstimate {
        let stderr_nats = Some(self.stderr_nats());
        RawEstimate {
            mi_nats: self.mi_nats,
            stderr_nats,
            flags: vec![Flag::Discrete],
            ..RawEstimate::default()
        }
    }

    /// The weight of the observed table in the mixture. It maximises the leave-one-out likelihood of the
    /// rows.
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

    /// The exact information of the mixture. The mixture has the observed marginals.
    fn mixed_nats(&self, l: f64) -> f64 {
        let of = |(seen, apart): &(f64, f64)| {
            let p = l * seen + (1.0 - l) * apart;
            p * (p / apart).ln()
        };
        let unseen = 1.0 - self.cells.iter().map(|(_, apart)| apart).sum::<f64>();
        let rest = if l < 1.0 { (1.0 - l) * unseen.max(0.0) * (1.0 - l).ln() } else { 0.0 };
        self.cells.iter().map(of).sum::<f64>() + rest
    }

    /// Standard error from the variance of the pointwise information.
    fn stderr_nats(&self) -> f64 {
        let terms = || self.cells.iter().map(|(seen, apart)| (*seen, (seen / apart).ln()));
        let mean: f64 = terms().map(|(share, value)| share * value).sum();
        let variance: f64 = terms().map(|(share, value)| share * (value - mean).powi(2)).sum();
        (variance / self.n).sqrt()
    }
}
