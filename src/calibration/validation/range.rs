//! The training range, and the distances of a row from the range and from its centre.

use serde::{Deserialize, Serialize};

use super::folds::direction;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::intervals::residuals::Gaps;
use crate::calibration::table::folds::Split;
use crate::calibration::table::link::Link;
use crate::calibration::table::ranges::{proxy_ranges, range_of, signed_excess};
use crate::calibration::table::sample::{Predictors, Sample};
use crate::error::Result;

/// Minimum number of rows for each component of a distance.
const ROWS_PER_COMPONENT: usize = 4;
/// Number of steps between the quantiles of the training distances in a card.
const QUANTILES: usize = 100;

/// The training range and the distances of the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRange {
    /// Smallest and largest log10 size, if sizes are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log10_size: Option<[f64; 2]>,
    /// Ranges of the proxies' values, on the scale of the link, and of their log10 size ratios; absent if
    /// there are no proxies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<[[f64; 2]; 2]>,
    /// Smallest and largest score on the first component.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_component: Option<[f64; 2]>,
    /// 1 if the first component increases with size, otherwise -1. If it is uncorrelated with size, the
    /// response is used instead of the size.
    pub direction: f64,
    /// Standard deviation of the scores on the first component.
    pub first_component_sd: f64,
    /// Number of components in a distance, at most a quarter of the number of rows. With more components, the
    /// covariance of the training rows would not describe other rows.
    pub distance_components: usize,
    /// Quantiles 0, 0.01, ..., 1 of the distances of the training rows. The distance of each row is measured
    /// in a basis that was fitted without the row's model. In a basis that was fitted to `n` rows, none of
    /// these rows has a distance above `sqrt(n - 1)`, so every new row would seem distant.
    pub distances: Vec<f64>,
}

impl TrainingRange {
    /// Measures the ranges and the distances. The distances are measured in at most `most` folds that leave
    /// out models.
    pub(crate) fn new(sample: &Sample, basis: &Basis, link: Link, most: usize) -> Result<Self> {
        let completed = |row: usize| basis.complete(&sample.predictors(row));
        let range = Self::without_distances(sample, basis, link);
        let components = range.distance_components;
        let mut distances = vec![];
        for fold in Split::LeaveModelOut.folds(sample, most)? {
            let (without, _) = Basis::fit_near(&sample.subset(&fold.train), Some(basis))?;
            let left_out =
                |&row: &usize| distance(&without, components, &without.complete(&sample.predictors(row)));
            distances.extend(fold.test.iter().map(left_out));
        }
        if distances.is_empty() {
            distances.extend((0..sample.len()).map(|row| distance(basis, components, &completed(row))));
        }
        distances.sort_unstable_by(f64::total_cmp);
        let last = distances.len().saturating_sub(1);
        let quantile = |q: usize| distances[(q * last + QUANTILES / 2) / QUANTILES];
        Ok(Self { distances: (0..=QUANTILES).map(quantile).collect(), ..range })
    }

    /// Measures only the ranges.
    pub(crate) fn without_distances(sample: &Sample, basis: &Basis, link: Link) -> Self {
        let score = |row: usize| {
            let x = basis.complete(&sample.predictors(row));
            basis.scores(&x).first().copied()
        };
        let first: Vec<f64> = (0..sample.len()).filter_map(score).collect();
        Self {
            direction: direction(sample, &first),
            proxy: sample.proxies.as_deref().and_then(|proxies| proxy_ranges(proxies.iter(), link)),
            log10_size: range_of(sample.log10_sizes.iter().copied().filter(|size| size.is_finite())),
            first_component: range_of(first.into_iter()),
            first_component_sd: basis.variances.first().map_or(0.0, |variance| variance.sqrt()),
            distance_components: basis.components.len().min((sample.len() - 1) / ROWS_PER_COMPONENT).max(1),
            distances: vec![],
        }
    }

    /// Percentage of the training rows that are nearer than `distance`.
    pub(crate) fn percentile(&self, distance: f64) -> f64 {
        100.0 * self.distances.iter().filter(|d| **d < distance).count() as f64 / self.distances.len() as f64
    }

    /// Signed distance of a row's size from the range, in log10; 0 inside, `None` if unknown.
    pub(crate) fn size_gap(&self, predictors: &Predictors) -> Option<f64> {
        Some(signed_excess(self.log10_size?, predictors.log10_size?))
    }

    /// Distances of a row from the range, by its size (if `size_matters`) and by its first component.
    pub(crate) fn gaps(&self, predictors: &Predictors, basis: &Basis, x: &[f64], size_matters: bool) -> Gaps {
        let size = self.size_gap(predictors).filter(|_| size_matters).unwrap_or(0.0);
        let sd = self.first_component_sd.max(f64::MIN_POSITIVE);
        Gaps { size: size.abs(), strength: self.strength_gap(basis, x).abs() / sd }
    }

    /// Whether a row is weaker than all training rows by its size (if `size_matters`) or its first component,
    /// and not stronger than all training rows by the other measure.
    pub(crate) fn is_below(
        &self,
        predictors: &Predictors,
        basis: &Basis,
        x: &[f64],
        size_matters: bool,
    ) -> bool {
        let size = self.size_gap(predictors).filter(|_| size_matters).unwrap_or(0.0);
        let gaps = [size, self.direction * self.strength_gap(basis, x)];
        gaps.iter().any(|gap| *gap < 0.0) && gaps.iter().all(|gap| *gap <= 0.0)
    }

    /// Signed distance of the first component from the range.
    pub(crate) fn strength_gap(&self, basis: &Basis, x: &[f64]) -> f64 {
        let score = basis.scores(x).first().copied();
        self.first_component.zip(score).map_or(0.0, |(range, score)| signed_excess(range, score))
    }
}

/// Mahalanobis distance of completed features from the training mean, over the first components.
pub(crate) fn distance(basis: &Basis, components: usize, x: &[f64]) -> f64 {
    let scores = basis.scores(x);
    let squares = scores
        .iter()
        .zip(&basis.variances)
        .take(components)
        .map(|(score, variance)| score * score / variance);
    let sum: f64 = squares.sum();
    // Infinite scores of both signs give NaN, which would count as no distance.
    if sum.is_nan() { f64::INFINITY } else { sum.sqrt() }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand_chacha::rand_core::RngCore;

    use super::*;
    use crate::seed::stream;

    /// Nearly normal features: sums of twelve uniform draws, minus 6.
    fn sample(n: usize, p: usize, seed: u64) -> Sample {
        let mut random = stream("calibration", "support", seed);
        let mut normal = || (0..12).map(|_| random.next_u64() as f64 / u64::MAX as f64).sum::<f64>() - 6.0;
        let x = Array2::from_shape_simple_fn((n, p), &mut normal);
        let names: Vec<String> = (0..n).map(|i| format!("m{i}")).collect();
        Sample {
            models: names.clone(),
            families: names,
            log10_sizes: vec![f64::NAN; n],
            proxies: None,
            y: x.column(0).to_vec(),
            x,
            weights: vec![1.0; n],
        }
    }

    #[test]
    fn rows_like_the_training_rows_are_not_distant_where_these_are_few() {
        for (n, p) in [(8, 6), (12, 10), (40, 10)] {
            let (mut far, mut half, mut all) = (0.0, 0.0, 0.0);
            for seed in 0..60 {
                let (train, fresh) = (sample(n, p, seed), sample(20, p, 1000 + seed));
                let (basis, _) = Basis::fit(&train).expect("a basis");
                let range = TrainingRange::new(&train, &basis, Link::Identity, 50).expect("a range");
                for row in 0..fresh.len() {
                    let x = basis.complete(&fresh.predictors(row));
                    let percentile = range.percentile(distance(&basis, range.distance_components, &x));
                    far += f64::from(percentile > 95.0);
                    half += f64::from(percentile > 50.0);
                    all += 1.0;
                }
            }
            let (far, half) = (far / all, half / all);
            assert!(
                far < 0.25 && (0.35..0.65).contains(&half),
                "{n} rows of {p}: {far} beyond the 95th, {half} the 50th"
            );
        }
    }
}
