//! Scores of candidates on the held-out rows of a split, compared with the baselines.

use std::collections::BTreeMap;

use rand_chacha::rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::cross_validation::CrossValidation;
use crate::calibration::candidates::CandidateRole;
use crate::calibration::candidates::blend;
use crate::calibration::candidates::registry::{ALL, baseline};
use crate::calibration::intervals::skill::{Skill, ratio};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::numeric::statistics::{spearman, weighted_mean};
use crate::seed::stream;

/// Number of bootstrap samples of whole families for the interval of a skill.
const RESAMPLES: usize = 1000;

/// The errors of one candidate on the held-out rows of a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateScore {
    /// Name of the candidate.
    pub candidate: String,
    /// Mean absolute error, in the unit of the response.
    pub mae: f64,
    /// Root mean square error, in the unit of the response.
    pub rmse: f64,
    /// Mean absolute error on the scale of the link.
    pub link_mae: f64,
    /// Skill on the scale of the link: 1 minus `link_mae` over the `link_mae` of the mean.
    pub skill_mean: f64,
    /// Skill on the scale of the link, compared with the regression on log size; absent if sizes are unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skill_size: Option<f64>,
    /// Skill in the unit of the response: 1 minus `mae` over the `mae` of the mean. It equals `skill_mean` if
    /// the link is the identity.
    pub unit_skill_mean: f64,
    /// Skill in the unit of the response, compared with the regression on log size; absent if sizes are
    /// unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unit_skill_size: Option<f64>,
    /// 90 % bootstrap interval of the skill compared with the regression on log size, or with the mean if
    /// sizes are unknown. Whole families are resampled.
    pub skill_interval: [f64; 2],
    /// Rank correlation of prediction and response.
    pub spearman: f64,
    /// Largest mean absolute error of a family, in the unit of the response.
    pub worst_family_mae: f64,
}

impl CandidateScore {
    /// Skill compared with the regression on log size, or with the mean if sizes are unknown.
    pub fn skill(&self) -> f64 {
        self.skill_size.unwrap_or(self.skill_mean)
    }

    /// [`Self::skill`] in the unit of the response.
    pub fn unit_skill(&self) -> f64 {
        self.unit_skill_size.unwrap_or(self.unit_skill_mean)
    }
}

/// Absolute errors of one candidate, one for each held-out prediction of a cross-validation.
#[derive(Debug, Clone)]
pub(crate) struct AbsoluteErrors {
    /// Errors in the unit of the target.
    pub own: Vec<f64>,
    /// Errors on the scale of the link.
    pub link: Vec<f64>,
}

impl AbsoluteErrors {
    /// `None` if a fold could not fit a candidate of the choice.
    pub fn of(choice: &Choice, validation: &CrossValidation, sample: &Sample, link: Link) -> Option<Self> {
        let (mut own, mut on_link) = (vec![], vec![]);
        for held_out in &validation.predictions {
            let (y_hat, y) = (choice.predict(&held_out.y_hat, link)?, sample.y[held_out.row]);
            own.push((y_hat - y).abs());
            on_link.push((link.apply(y_hat) - link.apply(y)).abs());
        }
        (!own.is_empty()).then_some(Self { own, link: on_link })
    }
}

/// Candidates and their weights, which sum to 1. A single candidate has the weight 1; several form a blend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice(pub(crate) Vec<(usize, f64)>);

impl Choice {
    /// One candidate.
    pub(crate) fn alone(candidate: usize) -> Self {
        Self(vec![(candidate, 1.0)])
    }

    /// The name of the single candidate, or [`blend::NAME`].
    pub(crate) fn name(&self) -> &'static str {
        match self.0.as_slice() {
            [(candidate, _)] => ALL[*candidate].name(),
            _ => blend::NAME,
        }
    }

    /// The weighted mean of the candidates' predictions, on the scale of the link.
    pub(crate) fn predict(&self, y_hat: &[Option<f64>], link: Link) -> Option<f64> {
        match self.0.as_slice() {
            [(candidate, _)] => y_hat[*candidate],
            parts => {
                let values: Option<Vec<(f64, f64)>> =
                    parts.iter().map(|(at, weight)| Some((*weight, y_hat[*at]?))).collect();
                values.map(|values| link.mean(values.into_iter()))
            }
        }
    }
}

/// Scores of every candidate, in the order of [`ALL`]; `None` if a fold could not fit the candidate.
pub(crate) fn scores(
    validation: &CrossValidation,
    sample: &Sample,
    link: Link,
) -> Vec<Option<CandidateScore>> {
    (0..ALL.len()).map(|at| score(&Choice::alone(at), validation, sample, link)).collect()
}

/// The score of one choice; `None` if a fold could not fit the choice.
pub(crate) fn score(
    choice: &Choice,
    validation: &CrossValidation,
    sample: &Sample,
    link: Link,
) -> Option<CandidateScore> {
    let errors = |choice: &Choice| AbsoluteErrors::of(choice, validation, sample, link);
    let of_role = |role: CandidateRole| baseline(role).and_then(|at| errors(&Choice::alone(at)));
    let own = errors(choice)?;
    let mean = of_role(CandidateRole::MeanBaseline)?;
    let size = of_role(CandidateRole::SizeBaseline);
    let rows = &validation.predictions;
    let weights: Vec<f64> = rows.iter().map(|held_out| held_out.weight).collect();
    let clusters: Vec<&str> = rows.iter().map(|held_out| sample.cluster_id(held_out.row)).collect();
    let known: Vec<f64> = rows.iter().map(|held_out| sample.y[held_out.row]).collect();
    let base = size.as_ref().unwrap_or(&mean);
    let skill_against = |base: &AbsoluteErrors| skill(&own.link, &base.link, &weights);
    let unit_skill_against = |base: &AbsoluteErrors| skill(&own.own, &base.own, &weights);
    let squares: Vec<f64> = own.own.iter().map(|error| error * error).collect();
    let predicted: Vec<f64> =
        rows.iter().filter_map(|held_out| choice.predict(&held_out.y_hat, link)).collect();
    let by_family = sums(&clusters, &own.own, &weights);
    Some(CandidateScore {
        candidate: choice.name().into(),
        mae: weighted_mean(&own.own, &weights),
        rmse: weighted_mean(&squares, &weights).sqrt(),
        link_mae: weighted_mean(&own.link, &weights),
        skill_mean: skill_against(&mean),
        skill_size: size.as_ref().map(skill_against),
        unit_skill_mean: unit_skill_against(&mean),
        unit_skill_size: size.as_ref().map(unit_skill_against),
        skill_interval: resampled(&own.link, &base.link, &weights, &clusters),
        spearman: spearman(&predicted, &known),
        worst_family_mae: by_family.values().map(|(sum, weight)| sum / weight).fold(0.0, f64::max),
    })
}

/// The skill of one choice compared with the mean; `None` if a fold could not fit the choice.
pub(crate) fn skill_of(
    choice: &Choice,
    validation: &CrossValidation,
    sample: &Sample,
    link: Link,
) -> Option<Skill> {
    let own = AbsoluteErrors::of(choice, validation, sample, link)?;
    let mean = Choice::alone(baseline(CandidateRole::MeanBaseline)?);
    let mean = AbsoluteErrors::of(&mean, validation, sample, link)?;
    let weights: Vec<f64> = validation.predictions.iter().map(|held_out| held_out.weight).collect();
    Some(Skill { unit: skill(&own.own, &mean.own, &weights), link: skill(&own.link, &mean.link, &weights) })
}

/// `1 - mean error / mean error of the base`; 0 if both errors are 0.
fn skill(errors: &[f64], base: &[f64], weights: &[f64]) -> f64 {
    ratio(weighted_mean(errors, weights), weighted_mean(base, weights))
}

/// Weighted sum of errors and sum of weights of each cluster.
fn sums<'a>(clusters: &[&'a str], errors: &[f64], weights: &[f64]) -> BTreeMap<&'a str, (f64, f64)> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for ((cluster, error), weight) in clusters.iter().zip(errors).zip(weights) {
        let sum = sums.entry(cluster).or_default();
        *sum = (sum.0 + weight * error, sum.1 + weight);
    }
    sums
}

/// 5 and 95 % quantiles of the skill over bootstrap samples of whole clusters.
fn resampled(errors: &[f64], base: &[f64], weights: &[f64], clusters: &[&str]) -> [f64; 2] {
    let own: Vec<f64> = sums(clusters, errors, weights).into_values().map(|(sum, _)| sum).collect();
    let other: Vec<f64> = sums(clusters, base, weights).into_values().map(|(sum, _)| sum).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skill_is_the_share_of_the_error_that_is_gone() {
        assert_eq!(skill(&[1.0, 1.0], &[4.0, 4.0], &[1.0, 1.0]), 0.75);
        assert_eq!((skill(&[0.0], &[0.0], &[1.0]), skill(&[1.0], &[0.0], &[1.0])), (0.0, -1.0));
    }
}
