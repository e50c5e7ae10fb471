//! What a card may be asked: where a query stands relative to the training rows, and whether the data carry
//! an answer there.

use serde::{Deserialize, Serialize};

use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::{ALL, MEAN, SIZE};
use crate::calibration::intervals::residuals::Recipe;
use crate::calibration::link::Link;
use crate::calibration::table::sample::{Proxy, Query, Sample, distinct};
use crate::calibration::validation::backtest::{Backtest, Coverage};
use crate::calibration::validation::fit::{Chosen, Fit, Scores, parts};
use crate::calibration::validation::folds::{Split, direction, too_many_unknown};
use crate::calibration::validation::score::Score;
use crate::error::Result;

/// Fewest targets for any number.
pub const LEAST_TARGETS: usize = 5;
/// Fewest families for a claim about another family.
pub const LEAST_FAMILIES: usize = 3;
/// Rows for each component of a distance.
const ROWS_PER_COMPONENT: usize = 4;
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
    /// Size, first component, or a proxy that is asked, outside the training range.
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

    /// What intervals of the split that speaks for it held, by the recipe of the regime.
    pub fn coverage(self, backtest: &Backtest) -> Option<&Coverage> {
        self.of(match self {
            Self::Interpolation => &backtest.target,
            Self::NewFamily => &backtest.family,
            Self::Extrapolation => &backtest.forward,
        })
    }

    /// The one of its recipe.
    pub(crate) fn of(self, tried: &[Coverage]) -> Option<&Coverage> {
        tried.iter().find(|coverage| coverage.recipe == self.recipe())
    }

    /// Share of the back-tested rows of that split for which nothing was chosen.
    pub fn refused(self, backtest: &Backtest) -> Option<f64> {
        match self {
            Self::Interpolation => backtest.refused.target,
            Self::NewFamily => backtest.refused.family,
            Self::Extrapolation => backtest.refused.forward,
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
    /// Least and largest of what the proxies read, on the scale of the link, and of the log10 of how much
    /// larger the targets are, where there are proxies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<[[f64; 2]; 2]>,
    /// Least and largest score on the first component.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_component: Option<[f64; 2]>,
    /// 1 if the first component rises with size (with the target where sizes say nothing), else -1.
    pub direction: f64,
    /// Standard deviation of the scores on the first component.
    pub first_component_sd: f64,
    /// Components that distances are taken over: no more than a quarter of the rows, whose covariance would
    /// else say nothing of another row.
    pub distance_components: usize,
    /// Quantiles 0, .01, .. 1 of the training rows' distances, each in a basis that was learnt without its
    /// target. In their own basis few rows are all within `sqrt(n - 1)` of their mean, and every other
    /// would seem far off.
    pub distances: Vec<f64>,
}

impl Range {
    /// Distances are of at most `most` folds of targets.
    pub(crate) fn new(sample: &Sample, basis: &Basis, link: Link, most: usize) -> Result<Self> {
        let completed = |row: usize| basis.complete(&sample.query(row));
        let first: Vec<f64> =
            (0..sample.len()).filter_map(|row| basis.scores(&completed(row)).first().copied()).collect();
        let components = basis.components.len().min((sample.len() - 1) / ROWS_PER_COMPONENT).max(1);
        let mut distances = vec![];
        for fold in Split::Target.folds(sample, most)? {
            let (without, _) = Basis::fit(&sample.subset(&fold.train))?;
            let left_out =
                |&row: &usize| distance(&without, components, &without.complete(&sample.query(row)));
            distances.extend(fold.test.iter().map(left_out));
        }
        if distances.is_empty() {
            distances.extend((0..sample.len()).map(|row| distance(basis, components, &completed(row))));
        }
        distances.sort_unstable_by(f64::total_cmp);
        let last = distances.len().saturating_sub(1);
        let quantile = |q: usize| distances[(q * last + QUANTILES / 2) / QUANTILES];
        Ok(Self {
            direction: direction(sample, &first),
            proxy: sample.proxies.as_deref().and_then(|proxies| proxy_spans(proxies.iter(), link)),
            log10_size: span(sample.log10_sizes.iter().copied().filter(|size| size.is_finite())),
            first_component: span(first.into_iter()),
            first_component_sd: basis.variances.first().map_or(0.0, |variance| variance.sqrt()),
            distance_components: components,
            distances: (0..=QUANTILES).map(quantile).collect(),
        })
    }

    /// Share of the training rows that are nearer, in percent.
    pub(crate) fn percentile(&self, distance: f64) -> f64 {
        100.0 * self.distances.iter().filter(|d| **d < distance).count() as f64 / self.distances.len() as f64
    }

    /// How far a query's size is beyond the range, in log10; 0 within, `None` if unknown.
    pub(crate) fn size_gap(&self, query: &Query) -> Option<f64> {
        Some(gap(self.log10_size?, query.log10_size?))
    }

    /// Whether a query is weaker than all training rows by its size or its first component, and stronger by
    /// neither. Forward folds train on the weaker and say nothing of it.
    pub(crate) fn is_below(&self, query: &Query, basis: &Basis, x: &[f64]) -> bool {
        let gaps = [self.size_gap(query).unwrap_or(0.0), self.direction * self.strength_gap(basis, x)];
        gaps.iter().any(|gap| *gap < 0.0) && gaps.iter().all(|gap| *gap <= 0.0)
    }

    /// How far its first component is beyond the range.
    pub(crate) fn strength_gap(&self, basis: &Basis, x: &[f64]) -> f64 {
        let score = basis.scores(x).first().copied();
        self.first_component.zip(score).map_or(0.0, |(range, score)| gap(range, score))
    }
}

/// Spans of what proxies read, on the scale of the link, and of the log10 of the size ratios.
pub(crate) fn proxy_spans<'a>(
    proxies: impl Iterator<Item = &'a Proxy> + Clone,
    link: Link,
) -> Option<[[f64; 2]; 2]> {
    Some([
        span(proxies.clone().map(|proxy| link.apply(proxy.value)))?,
        span(proxies.map(|proxy| proxy.log10_ratio))?,
    ])
}

/// How far a proxy is outside such spans, in each.
pub(crate) fn proxy_gaps([values, ratios]: [[f64; 2]; 2], proxy: Proxy, link: Link) -> [f64; 2] {
    [gap(values, link.apply(proxy.value)), gap(ratios, proxy.log10_ratio)]
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

/// Mahalanobis distance of completed features from the training mean, over the first components.
pub(crate) fn distance(basis: &Basis, components: usize, x: &[f64]) -> f64 {
    let scores = basis.scores(x);
    let squares = scores
        .iter()
        .zip(&basis.variances)
        .take(components)
        .map(|(score, variance)| score * score / variance);
    let sum: f64 = squares.sum();
    // Infinite scores of both signs make NaN, which would count as no distance at all.
    if sum.is_nan() { f64::INFINITY } else { sum.sqrt() }
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

/// Why nothing can be said of a family that was not trained on: too few are known, or those of most rows are
/// not.
pub(crate) fn no_stranger(families: usize, n_without_family: usize, n: usize) -> Option<String> {
    if families < LEAST_FAMILIES {
        return Some(format!(
            "{families} families were trained on; a claim about another needs {LEAST_FAMILIES}"
        ));
    }
    too_many_unknown(n_without_family, n).then(|| {
        format!(
            "the families of {n_without_family} of {n} rows are unknown, too many for a claim about another"
        )
    })
}

/// What a fit may be asked.
pub(crate) fn supports(
    fit: &Fit,
    scores: &Scores,
    backtest: &Backtest,
    sample: &Sample,
    link: Link,
) -> Vec<Support> {
    let targets = distinct(&sample.targets).len();
    let no_stranger = no_stranger(sample.known_families().len(), sample.n_without_family(), sample.len());
    let reason = |regime: Regime| {
        if targets < LEAST_TARGETS {
            return Some(format!("{targets} targets were trained on; {LEAST_TARGETS} are the least"));
        }
        if let Some(reason) = no_stranger.as_ref().filter(|_| regime == Regime::NewFamily) {
            return Some(reason.clone());
        }
        let tried = regime.scores(scores);
        if tried.is_empty() {
            return Some("there are too few targets to train on the weaker and test on the stronger".into());
        }
        let base = if fit.size.is_some() { "the size line" } else { "the mean" };
        let bases = if fit.size.is_some() { "both the size line and the mean" } else { "the mean" };
        let Some(chosen) = regime.chosen(fit) else {
            let best = failed(regime, scores, sample, base);
            return Some(format!("no candidate beats {bases} where it was back-tested: {best}"));
        };
        if regime.coverage(backtest).is_none() {
            return Some(
                "no part of the rows carries the whole procedure, so that the coverage of its intervals \
                 could not be back-tested"
                    .into(),
            );
        }
        let held = [&chosen.target, &chosen.family, &chosen.forward];
        let mut residuals = parts(regime.recipe()).iter().flat_map(|&part| &held[part].held);
        if link.is_bounded() && residuals.all(|held| held.residual < 1e-9) {
            return Some(
                "every error is 0 where shares are clipped near a bound, so that no interval can be made; \
                 give a narrower --range, or --link identity"
                    .into(),
            );
        }
        let score = tried.iter().find(|score| score.candidate == chosen.candidate);
        let name = &chosen.candidate;
        match score {
            // The mean of the weaker is no rival for the stronger: there it is only said, prediction by
            // prediction.
            Some(score) if regime != Regime::Extrapolation && score.skill_mean <= 0.0 => Some(format!(
                "{name} does not beat the mean here: skill {}",
                both(score.skill_mean, score.unit_skill_mean)
            )),
            Some(score) if score.skill() > 0.0 => None,
            Some(score) => Some(format!(
                "{name} does not beat {base} here: skill {}",
                both(score.skill(), score.unit_skill())
            )),
            None => Some(format!("{} could not be back-tested here", chosen.candidate)),
        }
    };
    Regime::ALL.map(|regime| Support { regime, unsupported: reason(regime) }).to_vec()
}

/// Of the candidates that the rows are enough for, the one that comes nearest to being chosen, and where it
/// fails. The splits are those that [`fit`](crate::calibration::validation::fit::fit) chooses by.
fn failed(regime: Regime, scores: &Scores, sample: &Sample, base: &str) -> String {
    let inside = if !scores.family.is_empty() {
        ("leaving out families", &scores.family)
    } else {
        ("leaving out targets", &scores.target)
    };
    let forward = ("trained on the weaker and tested on the stronger", &scores.forward);
    let splits = if regime == Regime::Extrapolation { vec![inside, forward] } else { vec![inside] };
    // Within the range the mean is a rival too: the worse of the two decides.
    let worst = |name: &str| {
        let scored = splits.iter().enumerate().map(|(at, (split, scores))| {
            let score = scores.iter().find(|score| score.candidate == name)?;
            let against_base = (score.skill(), score.unit_skill(), base);
            let against_mean = (score.skill_mean, score.unit_skill_mean, "the mean");
            let worse = if at == 0 && against_mean.0 < against_base.0 { against_mean } else { against_base };
            Some((worse.0, *split, worse))
        });
        let scored = scored.collect::<Option<Vec<_>>>()?;
        scored.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let enough =
        ALL.iter().enumerate().filter(|(at, c)| ![MEAN, SIZE].contains(at) && sample.len() >= c.least_rows());
    let best = enough.filter_map(|(_, candidate)| Some((candidate.name(), worst(candidate.name())?)));
    best.max_by(|a, b| a.1.0.total_cmp(&b.1.0)).map_or(
        "no candidate can be fitted".into(),
        |(name, (_, split, worse))| {
            format!("the best, {name}, has skill {} against {} {split}", both(worse.0, worse.1), worse.2)
        },
    )
}

/// A skill on the scale of the link, and that in the unit of the target where it differs.
fn both(link: f64, unit: f64) -> String {
    if (link - unit).abs() < 1e-9 {
        format!("{link:.2}")
    } else {
        format!("{link:.2} (in the unit of the target {unit:.2})")
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand_chacha::rand_core::RngCore;

    use super::*;
    use crate::seed::stream;

    /// Features that are sums of twelve uniform draws less 6: nearly normal.
    fn sample(n: usize, p: usize, seed: u64) -> Sample {
        let mut random = stream("calibration", "support", seed);
        let mut normal = || (0..12).map(|_| random.next_u64() as f64 / u64::MAX as f64).sum::<f64>() - 6.0;
        let x = Array2::from_shape_simple_fn((n, p), &mut normal);
        let names: Vec<String> = (0..n).map(|i| format!("m{i}")).collect();
        Sample {
            targets: names.clone(),
            families: names,
            log10_sizes: vec![f64::NAN; n],
            proxies: None,
            y: x.column(0).to_vec(),
            x,
            weights: vec![1.0; n],
        }
    }

    #[test]
    fn rows_like_the_training_rows_are_not_called_far_off_where_these_are_few() {
        for (n, p) in [(8, 6), (12, 10), (40, 10)] {
            let (mut far, mut half, mut all) = (0.0, 0.0, 0.0);
            for seed in 0..60 {
                let (train, fresh) = (sample(n, p, seed), sample(20, p, 1000 + seed));
                let (basis, _) = Basis::fit(&train).expect("a basis");
                let range = Range::new(&train, &basis, Link::Identity, 50).expect("a range");
                for row in 0..fresh.len() {
                    let x = basis.complete(&fresh.query(row));
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
