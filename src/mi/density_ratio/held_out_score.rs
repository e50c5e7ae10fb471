//! Computes the held-out score of a density ratio model: a bound on pairs that the model was not fitted to.
//! Models of any kind can be compared by this score.

use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;

use super::contrast::{COMPARED, contrast, normaliser_nats};
use super::repaired_pairs::RepairedPairs;
use crate::numeric::statistics::{mean, mean_and_stderr};
use crate::seed::stream;

/// Smallest relevant gain in nats. A smaller gain is ignored even if it is significant.
pub(crate) const LEAST_GAIN: f64 = 0.003;
/// Number of parts into which the rows are split. Each part is held out once.
const PARTS: usize = 2;

/// A fitted model that computes density ratios of new rows. The first `dx` columns of a row are `x`.
pub(crate) trait DensityRatio {
    /// The log density ratio of each row. `None` if the model has a singular covariance.
    fn log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f64>>;
    /// The log density ratio of every `x` with every `y`, row-major.
    fn pairwise_log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f32>>;
}

/// The score of a model on held-out pairs, and the estimate of the information from the model.
#[derive(Debug, Clone)]
pub(crate) struct HeldOutScore {
    /// The term of each held-out pair in the bound.
    pub(crate) terms: Vec<f64>,
    /// The estimate of the information.
    pub(crate) value_nats: f64,
    /// Pairs drawn from the density ratios of the model; `None` if there are too many columns for nearest
    /// neighbours.
    pub(crate) repaired: Option<RepairedPairs>,
}

impl HeldOutScore {
    /// The held-out bound: the mean of its terms.
    pub(crate) fn score(&self) -> f64 {
        mean(&self.terms)
    }

    /// Whether this score exceeds both the other score and 0 (the score of independence) by two standard
    /// errors and by [`LEAST_GAIN`].
    pub(crate) fn beats(&self, other: &Self) -> bool {
        let differences: Vec<f64> = self.terms.iter().zip(&other.terms).map(|(a, b)| a - b).collect();
        is_clear(&differences) && is_clear(&self.terms)
    }
}

/// Whether the mean exceeds 0 by two standard errors and by [`LEAST_GAIN`].
pub(crate) fn is_clear(gains: &[f64]) -> bool {
    let (mean, stderr) = mean_and_stderr(gains);
    mean > (2.0 * stderr).max(LEAST_GAIN)
}

/// For each part, the rows to fit to and the rows to evaluate on.
pub(crate) fn parts(n: usize, seed: u64) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream("mi/ensemble/order", "mixture", seed));
    let part = |part: usize| {
        let range = part * n / PARTS..(part + 1) * n / PARTS;
        (order[..range.start].iter().chain(&order[range.end..]).copied().collect(), order[range].to_vec())
    };
    (0..PARTS).map(part).collect()
}

/// For each part, fits a model to the other rows and evaluates it on the part. `None` if a fit fails or a
/// value is not finite.
///
/// # Shapes
/// `z` is `(n, d)`; its first `dx` columns are `x`.
pub(crate) fn evaluate_halves<R: DensityRatio>(
    z: &Array2<f64>,
    dx: usize,
    parts: &[(Vec<usize>, Vec<usize>)],
    fit: impl Fn(&Array2<f64>) -> Option<R>,
    repaired: Option<u64>,
) -> Option<HeldOutScore> {
    let mut terms = vec![0.0; z.nrows()];
    let (mut own_nats, mut held_nats, mut excess_nats) = (0.0, 0.0, 0.0);
    let mut drawn = repaired.map(|seed| (RepairedPairs::default(), stream("mi/ensemble", "torn", seed)));
    for (own, other) in parts {
        let (fitted, held) = (z.select(Axis(0), own), z.select(Axis(0), other));
        let model = fit(&fitted)?;
        let share = 1.0 / parts.len() as f64;
        own_nats += share * mean(&model.log_ratios(&fitted, dx)?);
        held_nats += share * mean(&model.log_ratios(&held, dx)?);
        for rows in other.chunks(other.len().div_ceil(other.len().div_ceil(COMPARED))) {
            let pairwise = model.pairwise_log_ratios(&z.select(Axis(0), rows), dx)?;
            let contrasts = contrast(&pairwise, rows.len());
            rows.iter().zip(contrasts).for_each(|(row, term)| terms[*row] = term);
            if let Some((repaired, generator)) = &mut drawn {
                repaired.add(rows, &pairwise, generator);
            }
            excess_nats += normaliser_nats(pairwise, rows.len()) * rows.len() as f64 / z.nrows() as f64;
        }
    }
    let value_nats = 0.5 * (own_nats + held_nats) - excess_nats.max(0.0);
    let is_finite = value_nats.is_finite() && terms.iter().all(|term| term.is_finite());
    is_finite.then_some(HeldOutScore { terms, value_nats, repaired: drawn.map(|(repaired, _)| repaired) })
}
