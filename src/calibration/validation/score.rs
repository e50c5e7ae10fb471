//! Scores of candidates over the rows a split leaves out, beside mean and size.

use std::collections::BTreeMap;

use rand_chacha::rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::trial::Trial;
use crate::calibration::candidates::{ALL, MEAN, SIZE};
use crate::calibration::link::Link;
use crate::calibration::table::sample::{Sample, weighted_mean};
use crate::seed::stream;

/// Resamples of whole families for the interval of a skill.
const RESAMPLES: usize = 1000;

/// How one candidate did on the rows a split leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The candidate.
    pub candidate: String,
    /// Mean absolute error, in the unit of the target.
    pub mae: f64,
    /// Root mean square error, in the unit of the target.
    pub rmse: f64,
    /// Mean absolute error on the scale of the link: what candidates are chosen by.
    pub link_mae: f64,
    /// `1 - link_mae / link_mae` of the mean: on the scale of the link, like the choice.
    pub skill_mean: f64,
    /// `1 - link_mae / link_mae` of the size line; absent without sizes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skill_size: Option<f64>,
    /// `1 - mae / mae` of the mean: the skill in the unit of the target, the same as `skill_mean` without a
    /// link.
    pub unit_skill_mean: f64,
    /// `1 - mae / mae` of the size line; absent without sizes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unit_skill_size: Option<f64>,
    /// 90 % interval of the skill against size (against the mean without sizes), whole families resampled.
    pub skill_interval: [f64; 2],
    /// Rank correlation of prediction and target.
    pub spearman: f64,
    /// Largest mean absolute error of a family, in the unit of the target.
    pub worst_family_mae: f64,
}

impl Score {
    /// Skill against the size line, or against the mean where there are no sizes.
    pub fn skill(&self) -> f64 {
        self.skill_size.unwrap_or(self.skill_mean)
    }

    /// The same in the unit of the target.
    pub fn unit_skill(&self) -> f64 {
        self.unit_skill_size.unwrap_or(self.unit_skill_mean)
    }
}

/// Absolute errors of one candidate, row by row of a trial.
#[derive(Debug, Clone)]
pub(crate) struct Errors {
    /// In the unit of the target.
    pub own: Vec<f64>,
    /// On the scale of the link.
    pub link: Vec<f64>,
}

impl Errors {
    /// `None` if a fold could not carry the candidate.
    pub fn of(candidate: usize, trial: &Trial, sample: &Sample, link: Link) -> Option<Self> {
        let (mut own, mut on_link) = (vec![], vec![]);
        for answer in &trial.answers {
            let (y_hat, y) = (answer.y_hat[candidate]?, sample.y[answer.row]);
            own.push((y_hat - y).abs());
            on_link.push((link.apply(y_hat) - link.apply(y)).abs());
        }
        (!own.is_empty()).then_some(Self { own, link: on_link })
    }
}

/// Scores of every candidate that all folds of a trial could carry, in the order of [`ALL`].
pub(crate) fn scores(trial: &Trial, sample: &Sample, link: Link) -> Vec<Option<Score>> {
    let errors: Vec<Option<Errors>> = (0..ALL.len()).map(|at| Errors::of(at, trial, sample, link)).collect();
    let weights: Vec<f64> = trial.answers.iter().map(|answer| answer.weight).collect();
    let families: Vec<&str> = trial.answers.iter().map(|answer| sample.kin(answer.row)).collect();
    let known: Vec<f64> = trial.answers.iter().map(|answer| sample.y[answer.row]).collect();
    let score = |(at, errors_at): (usize, &Option<Errors>)| {
        let (own, mean) = (errors_at.as_ref()?, errors[MEAN].as_ref()?);
        let base = errors[SIZE].as_ref().unwrap_or(mean);
        let skill_against = |base: &Errors| skill(&own.link, &base.link, &weights);
        let unit_skill_against = |base: &Errors| skill(&own.own, &base.own, &weights);
        let squares: Vec<f64> = own.own.iter().map(|error| error * error).collect();
        let predicted: Vec<f64> = trial.answers.iter().filter_map(|answer| answer.y_hat[at]).collect();
        let by_family = sums(&families, &own.own, &weights);
        Some(Score {
            candidate: ALL[at].name().into(),
            mae: weighted_mean(&own.own, &weights),
            rmse: weighted_mean(&squares, &weights).sqrt(),
            link_mae: weighted_mean(&own.link, &weights),
            skill_mean: skill_against(mean),
            skill_size: errors[SIZE].as_ref().map(skill_against),
            unit_skill_mean: unit_skill_against(mean),
            unit_skill_size: errors[SIZE].as_ref().map(unit_skill_against),
            skill_interval: resampled(&own.link, &base.link, &weights, &families),
            spearman: spearman(&predicted, &known),
            worst_family_mae: by_family.values().map(|(sum, weight)| sum / weight).fold(0.0, f64::max),
        })
    };
    errors.iter().enumerate().map(score).collect()
}

/// `1 - mean error / mean error of the base`; 0 where both are 0.
fn skill(errors: &[f64], base: &[f64], weights: &[f64]) -> f64 {
    ratio(weighted_mean(errors, weights), weighted_mean(base, weights))
}

fn ratio(error: f64, base: f64) -> f64 {
    if base > 0.0 { 1.0 - error / base } else { -f64::from(error > 0.0) }
}

/// Weighted sum of errors and sum of weights of each family.
fn sums<'a>(families: &[&'a str], errors: &[f64], weights: &[f64]) -> BTreeMap<&'a str, (f64, f64)> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for ((family, error), weight) in families.iter().zip(errors).zip(weights) {
        let sum = sums.entry(family).or_default();
        *sum = (sum.0 + weight * error, sum.1 + weight);
    }
    sums
}

/// 5 and 95 % quantiles of the skill over resampled families.
fn resampled(errors: &[f64], base: &[f64], weights: &[f64], families: &[&str]) -> [f64; 2] {
    let own: Vec<f64> = sums(families, errors, weights).into_values().map(|(sum, _)| sum).collect();
    let other: Vec<f64> = sums(families, base, weights).into_values().map(|(sum, _)| sum).collect();
    let mut random = stream("calibration", "skill", own.len() as u64);
    let mut skills: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..own.len()).map(|_| (random.next_u64() % own.len() as u64) as usize);
            let (a, b) = drawn.fold((0.0, 0.0), |(a, b), at| (a + own[at], b + other[at]));
            ratio(a, b)
        })
        .collect();
    skills.sort_unstable_by(f64::total_cmp);
    [skills[RESAMPLES / 20], skills[RESAMPLES - 1 - RESAMPLES / 20]]
}

/// Pearson's correlation of mid-ranks; 0 where one of them does not vary.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>()
    };
    let scale = (product(&a, ma, &a, ma) * product(&b, mb, &b, mb)).sqrt();
    if scale > 0.0 { product(&a, ma, &b, mb) / scale } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let first = order.iter().position(|at| *at == same[0]).unwrap_or_default();
        for at in same {
            ranks[*at] = first as f64 + (same.len() as f64 - 1.0) / 2.0;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_agrees_with_hand_values() {
        // Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 * 4 / (4 * 15) = .6; ties take the mean of their ranks.
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[0.2, 0.1, 9.0, 7.0]) - 0.6).abs() < 1e-12);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn skill_is_the_share_of_the_error_that_is_gone() {
        assert_eq!(skill(&[1.0, 1.0], &[4.0, 4.0], &[1.0, 1.0]), 0.75);
        assert_eq!((skill(&[0.0], &[0.0], &[1.0]), skill(&[1.0], &[0.0], &[1.0])), (0.0, -1.0));
    }
}
