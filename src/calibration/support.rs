//! What a card may be asked: where a query stands relative to the training rows, and whether the data carry an answer there.

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::fit::{Chosen, Fit, Scores, parts};
use super::folds::direction;
use super::interval::Recipe;
use super::link::Link;
use super::sample::{Query, Sample, distinct};
use super::score::Score;

/// Fewest targets for any number.
pub const LEAST_TARGETS: usize = 5;
/// Fewest families for a claim about another family.
pub const LEAST_FAMILIES: usize = 3;
/// Quantiles of the training distances that a card keeps.
const QUANTILES: usize = 100;

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// A new model of a family that was trained on, within the range.
    Interpolation,
    /// A family that was not trained on, within the range.
    NewFamily,
    /// Size or first component outside the training range.
    Extrapolation,
}

impl Regime {
    /// Every regime.
    pub const ALL: [Self; 3] = [Self::Interpolation, Self::NewFamily, Self::Extrapolation];

    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpolation => "interpolation",
            Self::NewFamily => "new_family",
            Self::Extrapolation => "extrapolation",
        }
    }

    /// The interval that back-tests allow there.
    pub fn recipe(self) -> Recipe {
        match self {
            Self::Interpolation => Recipe::JackknifePlus,
            Self::NewFamily => Recipe::FamilyCvPlus,
            Self::Extrapolation => Recipe::Maximum,
        }
    }

    /// The candidate that was chosen for it.
    pub fn chosen(self, fit: &Fit) -> Option<&Chosen> {
        match self {
            Self::Extrapolation => fit.beyond.as_ref(),
            _ => fit.within.as_ref(),
        }
    }

    /// Scores of the split that speaks for it.
    pub fn scores(self, scores: &Scores) -> &[Score] {
        match self {
            Self::Interpolation => &scores.target,
            Self::NewFamily => &scores.family,
            Self::Extrapolation => &scores.forward,
        }
    }
}

/// The training range and the distances in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Least and largest log10 size, where sizes are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log10_size: Option<[f64; 2]>,
    /// Least and largest score on the first component.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_component: Option<[f64; 2]>,
    /// 1 if the first component rises with size (with the target where sizes say nothing), else -1.
    pub direction: f64,
    /// Standard deviation of the scores on the first component.
    pub first_component_sd: f64,
    /// Quantiles 0, .01, .. 1 of the training rows' distances.
    pub distances: Vec<f64>,
}

impl Range {
    pub(super) fn new(sample: &Sample, basis: &Basis) -> Self {
        let completed = |row: usize| basis.complete(&sample.query(row));
        let first: Vec<f64> =
            (0..sample.len()).filter_map(|row| basis.scores(&completed(row)).first().copied()).collect();
        let mut distances: Vec<f64> = (0..sample.len()).map(|row| distance(basis, &completed(row))).collect();
        distances.sort_unstable_by(f64::total_cmp);
        let last = distances.len().saturating_sub(1);
        let quantile = |q: usize| distances[(q * last + QUANTILES / 2) / QUANTILES];
        Self {
            direction: direction(sample, &first),
            log10_size: span(sample.log10_sizes.iter().copied().filter(|size| size.is_finite())),
            first_component: span(first.into_iter()),
            first_component_sd: basis.variances.first().map_or(0.0, |variance| variance.sqrt()),
            distances: (0..=QUANTILES).map(quantile).collect(),
        }
    }

    /// Share of the training rows that are nearer, in percent.
    pub(super) fn percentile(&self, distance: f64) -> f64 {
        100.0 * self.distances.iter().filter(|d| **d < distance).count() as f64 / self.distances.len() as f64
    }

    /// How far a query's size is beyond the range, in log10; 0 within, `None` if unknown.
    pub(super) fn size_gap(&self, query: &Query) -> Option<f64> {
        Some(gap(self.log10_size?, query.log10_size?))
    }

    /// Whether a query is weaker than all training rows by its size or its first component, and stronger by neither. Forward folds train on the weaker and say nothing of it.
    pub(super) fn is_below(&self, query: &Query, basis: &Basis, x: &[f64]) -> bool {
        let gaps = [self.size_gap(query).unwrap_or(0.0), self.direction * self.strength_gap(basis, x)];
        gaps.iter().any(|gap| *gap < 0.0) && gaps.iter().all(|gap| *gap <= 0.0)
    }

    /// How far its first component is beyond the range.
    pub(super) fn strength_gap(&self, basis: &Basis, x: &[f64]) -> f64 {
        let score = basis.scores(x).first().copied();
        self.first_component.zip(score).map_or(0.0, |(range, score)| gap(range, score))
    }
}

fn span(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    (low <= high).then_some([low, high])
}

/// Signed distance from a range; rounding is no distance.
fn gap([low, high]: [f64; 2], value: f64) -> f64 {
    let slack = 1e-9 * (1.0 + low.abs().max(high.abs()));
    if value > high + slack {
        value - high
    } else if value < low - slack {
        value - low
    } else {
        0.0
    }
}

/// Mahalanobis distance of completed features from the training mean, over the components that are kept.
pub(super) fn distance(basis: &Basis, x: &[f64]) -> f64 {
    let scores = basis.scores(x);
    scores.iter().zip(&basis.variances).map(|(score, variance)| score * score / variance).sum::<f64>().max(0.0).sqrt()
}

/// Whether the data carry an answer in a regime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    /// The regime.
    pub regime: Regime,
    /// Why not; absent where they do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unsupported: Option<String>,
}

/// What a fit may be asked.
pub(super) fn supports(fit: &Fit, scores: &Scores, sample: &Sample, link: Link) -> Vec<Support> {
    let (targets, families) = (distinct(&sample.targets).len(), distinct(&sample.families).len());
    let reason = |regime: Regime| {
        if targets < LEAST_TARGETS {
            return Some(format!("{targets} targets were trained on; {LEAST_TARGETS} are the least"));
        }
        if regime == Regime::NewFamily && families < LEAST_FAMILIES {
            return Some(format!("{families} families were trained on; a claim about another needs {LEAST_FAMILIES}"));
        }
        let tried = regime.scores(scores);
        if tried.is_empty() {
            return Some("there are too few targets to train on the weaker and test on the stronger".into());
        }
        let base = if fit.size.is_some() { "the size line" } else { "the mean" };
        let Some(chosen) = regime.chosen(fit) else {
            let best = tried.iter().filter(|s| s.candidate != "mean" && s.candidate != "size");
            let best = best.max_by(|a, b| a.skill().total_cmp(&b.skill()));
            let best = best.map_or("no candidate can be fitted".into(), |s| {
                format!("the best, {}, has skill {:.2}", s.candidate, s.skill())
            });
            return Some(format!("no candidate beats {base} where it was back-tested: {best}"));
        };
        let held = [&chosen.target, &chosen.family, &chosen.forward];
        let mut residuals = parts(regime.recipe()).iter().flat_map(|&part| &held[part].held);
        if link.is_bounded() && residuals.all(|held| held.residual < 1e-9) {
            return Some("every error is 0 where shares are clipped near a bound, so that no interval can be made; give a narrower --range, or --link identity".into());
        }
        let score = tried.iter().find(|score| score.candidate == chosen.candidate);
        let name = &chosen.candidate;
        match score {
            Some(score) if score.skill() > 0.0 => None,
            Some(score) => Some(format!("{name} does not beat {base} here: skill {:.2}", score.skill())),
            None => Some(format!("{} could not be back-tested here", chosen.candidate)),
        }
    };
    Regime::ALL.map(|regime| Support { regime, unsupported: reason(regime) }).to_vec()
}
