//! Which candidate a calibration uses: the simplest within one standard error of the best, among those that
//! beat the size line.

use std::collections::BTreeMap;

use super::score::{Errors, Score};
use super::trial::Trial;
use crate::calibration::candidates::{ALL, MEAN, SIZE};
use crate::calibration::link::Link;
use crate::calibration::table::sample::{Sample, weighted_mean};

/// A trial with the scores of its candidates, in the order of [`ALL`].
pub(crate) type Judged<'a> = (&'a Trial, &'a [Option<Score>]);

/// One loss of a candidate on a row that a fold left out.
struct Loss<'a> {
    split: usize,
    fold: usize,
    family: &'a str,
    weight: f64,
    error: f64,
}

/// The place of the chosen candidate in [`ALL`]; `None` where no candidate beats the size line (the mean,
/// without sizes) on every trial and the mean on the first, which is within the range.
///
/// [`ALL`] stands in order of simplicity: how much a candidate leaves to be chosen by the data. Errors are
/// absolute, on the scale of the link, in units of the size line's mean error on the same trial, and every
/// trial has the same weight.
pub(crate) fn choose(judged: &[Judged], sample: &Sample, link: Link) -> Option<usize> {
    // The first trial is within the range, where the mean is a fair rival too; that of the weaker is none for
    // the stronger.
    let beats = |at: usize| {
        judged.iter().enumerate().all(|(split, (_, scores))| {
            scores[at]
                .as_ref()
                .is_some_and(|score| score.skill() > 0.0 && (split > 0 || score.skill_mean > 0.0))
        })
    };
    let enough = |at: usize| at != MEAN && at != SIZE && sample.len() >= ALL[at].least_rows();
    let mut candidates = vec![];
    for at in (0..ALL.len()).filter(|at| enough(*at) && beats(*at)) {
        candidates.push((at, losses(at, judged, sample, link)?));
    }
    let mean = |losses: &[Loss]| losses.iter().map(|loss| loss.weight * loss.error).sum::<f64>();
    let (_, least) = candidates.iter().min_by(|a, b| mean(&a.1).total_cmp(&mean(&b.1)))?;
    let near = |(_, losses): &&(usize, Vec<Loss>)| {
        let differences: Vec<f64> = losses.iter().zip(least).map(|(a, b)| a.error - b.error).collect();
        let further: f64 = differences.iter().zip(least).map(|(d, loss)| d * loss.weight).sum();
        further <= standard_error(&differences, least)
    };
    candidates.iter().find(near).map(|(at, _)| *at)
}

/// Losses of one candidate on all trials; their weights sum to 1.
fn losses<'a>(
    candidate: usize,
    judged: &[Judged<'a>],
    sample: &'a Sample,
    link: Link,
) -> Option<Vec<Loss<'a>>> {
    let mut losses = vec![];
    for (split, (trial, scores)) in judged.iter().enumerate() {
        let base = scores[SIZE].as_ref().or(scores[MEAN].as_ref())?.link_mae.max(f64::MIN_POSITIVE);
        let errors = Errors::of(candidate, trial, sample, link)?.link;
        let total: f64 = trial.answers.iter().map(|answer| answer.weight).sum();
        for (answer, error) in trial.answers.iter().zip(errors) {
            losses.push(Loss {
                split,
                fold: answer.fold,
                family: sample.kin(answer.row),
                weight: answer.weight / total / judged.len() as f64,
                error: error / base,
            });
        }
    }
    Some(losses)
}

/// Standard error of a weighted mean, clustered both ways (Cameron, Gelbach and Miller 2011): errors of one
/// family go together, and so do those of one fold, which share a fit.
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
    let by_family = variance(&|loss| (0, 0, loss.family.into()));
    let by_fold = variance(&|loss| (loss.split, loss.fold, String::new()));
    let by_both = variance(&|loss| (loss.split, loss.fold, loss.family.into()));
    (by_family + by_fold - by_both).max(by_family).max(by_fold).sqrt()
}
