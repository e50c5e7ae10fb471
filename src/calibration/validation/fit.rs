//! One calibration of one sample: trials of every candidate on three splits, the choice, and the chosen
//! fitted on all rows with the residuals its intervals are made of. A back-test runs this whole on the
//! training rows of each of its folds.

use serde::{Deserialize, Serialize};

use super::folds::Split;
use super::score::{Score, scores};
use super::select::{Judged, choose};
use super::trial::{Fits, Trial};
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::{ALL, Formula};
use crate::calibration::intervals::residuals::{Ends, Held, Recipe, Residuals};
use crate::calibration::link::Link;
use crate::calibration::prediction::support::{proxy_gaps, proxy_spans};
use crate::calibration::table::sample::{Query, Sample};
use crate::error::Result;

/// One chosen candidate, fitted on all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The candidate.
    pub candidate: String,
    /// Fitted on all rows.
    pub formula: Formula,
    /// Leaving out targets.
    pub target: Residuals,
    /// Leaving out families.
    pub family: Residuals,
    /// Training on the weaker.
    pub forward: Residuals,
}

/// A calibration without its provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// What was learnt from the features.
    pub basis: Basis,
    /// The mean, for comparison.
    pub mean: Formula,
    /// The size line, for comparison, where sizes are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<Formula>,
    /// For queries within the training range: chosen by the family score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within: Option<Chosen>,
    /// For queries beyond it: chosen by the forward score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond: Option<Chosen>,
}

/// Scores of every candidate on every split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Leaving out targets.
    pub target: Vec<Score>,
    /// Leaving out families.
    pub family: Vec<Score>,
    /// Training on the weaker.
    pub forward: Vec<Score>,
}

/// Fits a sample. `most` folds where a split is of targets or families.
///
/// # Errors
/// [`crate::Error::Fit`] if a solver fails.
pub(crate) fn fit(sample: &Sample, link: Link, most: usize) -> Result<(Fit, Scores)> {
    let trial = |split: Split| Trial::run(sample, link, split.folds(sample, most)?);
    let trials = [trial(Split::Target)?, trial(Split::Family)?, trial(Split::Forward)?];
    let tables = [0, 1, 2].map(|at| scores(&trials[at], sample, link));
    let whole = Fits::new(sample, link)?;
    let pick = |splits: &[usize]| {
        let judged: Vec<Judged> = splits.iter().map(|&at| (&trials[at], tables[at].as_slice())).collect();
        if judged.iter().any(|(trial, _)| trial.answers.is_empty()) {
            None
        } else {
            choose(&judged, sample, link)
        }
    };
    // Families decide within the range; where there is only one, targets do. Beyond it the forward folds have
    // a say as well: alone they are too few and too small to choose by.
    let inside = usize::from(trials[1].folds.len() >= 2);
    let chosen = |candidate: Option<usize>| {
        let at = candidate?;
        let residuals = |trial: &Trial, keep: bool| residuals(trial, at, sample, link, keep);
        Some(Chosen {
            candidate: ALL[at].name().into(),
            formula: whole.formulas[at].clone()?,
            target: residuals(&trials[0], true),
            family: residuals(&trials[1], true),
            forward: residuals(&trials[2], false),
        })
    };
    let fit = Fit {
        mean: whole.formulas[crate::calibration::candidates::MEAN].clone().unwrap_or_default(),
        size: whole.formulas[crate::calibration::candidates::SIZE].clone(),
        within: chosen(pick(&[inside])),
        beyond: chosen(pick(&[inside, 2])),
        basis: whole.basis,
    };
    let [target, family, forward] = tables.map(|table| table.into_iter().flatten().collect());
    Ok((fit, Scores { target, family, forward }))
}

fn residuals(trial: &Trial, candidate: usize, sample: &Sample, link: Link, keep: bool) -> Residuals {
    let total: f64 = trial.answers.iter().map(|answer| answer.weight).sum();
    let mut targets: Vec<&str> =
        trial.answers.iter().map(|answer| sample.targets[answer.row].as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    let per_weight = targets.len() as f64 / total;
    let largest = |rows: &[usize]| rows.iter().map(|&row| sample.log10_sizes[row]).fold(f64::NAN, f64::max);
    let proxies = sample.proxies.as_deref();
    let spans: Vec<Option<[[f64; 2]; 2]>> = trial
        .folds
        .iter()
        .map(|(fold, _)| {
            proxies.and_then(|proxies| proxy_spans(fold.train.iter().map(|&row| &proxies[row]), link))
        })
        .collect();
    let held = trial.answers.iter().filter_map(|answer| {
        let y_hat = answer.y_hat[candidate]?;
        let gap = sample.log10_sizes[answer.row] - largest(&trial.folds[answer.fold].0.train);
        Some(Held {
            target: sample.targets[answer.row].clone(),
            family: sample.families[answer.row].clone(),
            fold: answer.fold,
            residual: (link.apply(y_hat) - link.apply(sample.y[answer.row])).abs(),
            weight: answer.weight * per_weight,
            log10_size_gap: gap.is_finite().then_some(gap),
            proxy_gaps: spans[answer.fold]
                .zip(proxies)
                .map(|(spans, proxies)| proxy_gaps(spans, proxies[answer.row], link)),
        })
    });
    let held: Vec<Held> = held.collect();
    let whole = held.len() == trial.answers.len();
    let folds = trial.folds.iter().filter_map(|(_, fits)| fits.formulas[candidate].clone());
    Residuals::new(if keep { folds.collect() } else { vec![] }, if whole { held } else { vec![] })
}

impl Chosen {
    /// Whether it cannot be asked about a row without a proxy.
    pub(crate) fn asks_proxy(&self) -> bool {
        self.formula.proxy != 0.0
    }

    /// The prediction for a query whose features are completed in `x`.
    pub fn predict(&self, x: &[f64], query: &Query, basis: &Basis, link: Link) -> f64 {
        self.formula.predict(x, query, basis, link)
    }

    /// What the ends of an interval are quantiles of, for one of [`parts`].
    pub(crate) fn ends(&self, part: usize, x: &[f64], query: &Query, basis: &Basis, link: Link) -> Ends {
        let here = |formula: &Formula| link.apply(formula.predict(x, query, basis, link));
        let folded = |residuals: &Residuals| {
            let centres: Vec<f64> = residuals.folds.iter().map(here).collect();
            Ends::new(residuals, |held| centres[held.fold])
        };
        match part {
            0 => folded(&self.target),
            1 => folded(&self.family),
            _ => {
                let centre = here(&self.formula);
                Ends::new(&self.forward, |_| centre)
            }
        }
    }

    /// The ends of an interval on the scale of the link, and whether there are residuals enough for the
    /// level.
    pub(crate) fn interval(
        &self,
        recipe: Recipe,
        x: &[f64],
        query: &Query,
        basis: &Basis,
        link: Link,
        level: f64,
    ) -> (f64, f64, bool) {
        let parts = parts(recipe).iter().map(|&part| self.ends(part, x, query, basis, link));
        let ends = parts.filter(|ends| !ends.is_empty()).map(|ends| ends.at(level));
        ends.fold((f64::INFINITY, f64::NEG_INFINITY, true), |(low, high, enough), end| {
            (low.min(end.0), high.max(end.1), enough && end.2)
        })
    }
}

/// Which of the three an interval of a recipe is made of.
pub(crate) fn parts(recipe: Recipe) -> &'static [usize] {
    match recipe {
        Recipe::JackknifePlus => &[0],
        Recipe::FamilyCvPlus => &[1],
        Recipe::Forward => &[2],
        Recipe::Maximum => &[0, 1, 2],
    }
}
