//! Selection: a blend of the candidates within one standard error of the best, among those that beat the mean.

use std::collections::BTreeMap;

use super::cross_validation::CrossValidation;
use super::score::{AbsoluteErrors, CandidateScore, Choice};
use crate::calibration::candidates::registry::selectable;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::numeric::statistics::weighted_mean;

/// A cross-validation with the scores of the candidates, in the order of the registry.
pub(super) type ValidatedSplit<'a> = (&'a CrossValidation, &'a [Option<CandidateScore>]);

/// One loss of a candidate on a row that a fold left out.
struct Loss<'a> {
    split: usize,
    fold: usize,
    cluster: &'a str,
    weight: f64,
    error: f64,
}

/// Most candidates in a blend.
const MOST_PARTS: usize = 5;

/// The candidates that are chosen, with their weights; `None` where no candidate beats the mean on every split.
///
/// Errors are absolute and in the unit of the response. A blend holds the candidates within one standard error
/// of the best, at most five, weighted by the inverse squares of their errors: which of them is the best is
/// not known, and their errors partly cancel.
pub(super) fn select(validated: &[ValidatedSplit], sample: &Sample, link: Link) -> Option<Choice> {
    let beats_mean = |at: &usize| {
        let mut scores = validated.iter().map(|(_, scores)| scores[*at].as_ref());
        scores.all(|score| score.is_some_and(|score| score.unit_skill_mean > 0.0))
    };
    let mut candidates = vec![];
    for at in selectable(sample.len()).into_iter().filter(beats_mean) {
        candidates.push((at, losses(at, validated, sample, link)?));
    }
    let mean = |losses: &[Loss]| losses.iter().map(|loss| loss.weight * loss.error).sum::<f64>();
    candidates.sort_by(|a, b| mean(&a.1).total_cmp(&mean(&b.1)));
    let (_, least) = candidates.first()?;
    let is_near = |(_, losses): &&(usize, Vec<Loss>)| {
        let differences: Vec<f64> = losses.iter().zip(least).map(|(a, b)| a.error - b.error).collect();
        let excess: f64 = differences.iter().zip(least).map(|(d, loss)| d * loss.weight).sum();
        excess <= standard_error(&differences, least)
    };
    let near = candidates.iter().filter(is_near).take(MOST_PARTS);
    let parts: Vec<(usize, f64)> = near.map(|(at, losses)| (*at, mean(losses).max(1e-12).powi(-2))).collect();
    let total: f64 = parts.iter().map(|(_, weight)| weight).sum();
    Some(Choice(parts.into_iter().map(|(at, weight)| (at, weight / total)).collect()))
}

/// Losses of one candidate on all splits; their weights sum to 1.
fn losses<'a>(
    candidate: usize,
    validated: &[ValidatedSplit<'a>],
    sample: &'a Sample,
    link: Link,
) -> Option<Vec<Loss<'a>>> {
    let mut losses = vec![];
    for (split, (validation, _)) in validated.iter().enumerate() {
        let errors = AbsoluteErrors::of(&Choice::alone(candidate), validation, sample, link)?.own;
        let total: f64 = validation.predictions.iter().map(|held_out| held_out.weight).sum();
        for (held_out, error) in validation.predictions.iter().zip(errors) {
            losses.push(Loss {
                split,
                fold: held_out.fold,
                cluster: sample.cluster_id(held_out.row),
                weight: held_out.weight / total / validated.len() as f64,
                error,
            });
        }
    }
    Some(losses)
}

/// Standard error of a weighted mean, clustered both ways (Cameron, Gelbach and Miller 2011): errors of one
/// family are correlated, and so are those of one fold, which share a fit.
///
/// Of one clustering: `sqrt(G / (G - 1) sum_g (sum_i w_i (d_i - d))^2)`, weights summing to 1; of both: the
/// variances of each added, less that of their intersections, and no less than the larger.
fn standard_error(values: &[f64], losses: &[Loss]) -> f64 {
    let weights: Vec<f64> = losses.iter().map(|loss| loss.weight).collect();
    let mean = weighted_mean(values, &weights);
    let variance = |cluster: &dyn Fn(&Loss) -> (usize, usize, String)| {
        let mut sums: BTreeMap<(usize, usize, String), f64> = BTreeMap::new();
        for (loss, value) in losses.iter().zip(values) {
            *sums.entry(cluster(loss)).or_default() += loss.weight * (value - mean);
        }
        let n = sums.len() as f64;
        let square: f64 = sums.values().map(|sum| sum * sum).sum();
        if n < 2.0 { 0.0 } else { n / (n - 1.0) * square }
    };
    let by_family = variance(&|loss| (0, 0, loss.cluster.into()));
    let by_fold = variance(&|loss| (loss.split, loss.fold, String::new()));
    let by_both = variance(&|loss| (loss.split, loss.fold, loss.cluster.into()));
    (by_family + by_fold - by_both).max(by_family).max(by_fold).sqrt()
}
