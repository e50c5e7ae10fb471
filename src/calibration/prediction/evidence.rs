//! Evidence for a prediction: a back-test in the situation of the row. The folds of the row's regime predict
//! their held-out rows again, without the cells that the row lacks. These errors decide whether there is a
//! prediction, which candidate predicts, and how wide the interval is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::advice::most_important;
use super::held_out::{HeldOut, WeightedError};
use crate::calibration::candidates::blend::Blend;
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::card::calibrate::most_folds;
use crate::calibration::card::contents::Card;
use crate::calibration::intervals::endpoints::EndpointQuantiles;
use crate::calibration::intervals::fold_models::{FoldModel, SplitModels};
use crate::calibration::intervals::residuals::{Gaps, HeldOutResidual, Residuals};
use crate::calibration::intervals::selected::endpoints;
use crate::calibration::intervals::skill::Skill;
use crate::calibration::table::folds::{BySplit, Split};
use crate::calibration::table::sample::{Predictors, Sample};
use crate::calibration::validation::regime::Regime;
use crate::calibration::validation::support::{LEAST_SKILL, MORE_SKILL};
use crate::error::{Error, Result};
use crate::numeric::shown::fixed;

/// Maximum number of held-out rows of a split that are predicted again for one pattern of missing cells. For
/// a larger split, evenly spaced rows are used.
const MOST_HELD_OUT: usize = 400;

/// The reason for refusing a row without a back-test.
const NOT_COVERED: &str =
    "no back-test covers this situation; add models that are similar to the row's model";

/// The situation of a row: the regime whose back-test applies, and the missing cells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Situation {
    pub regime: Regime,
    /// The regime whose selected candidate predicts. It is [`Regime::NewFamily`] for a row of a kind that no
    /// training row has.
    pub choice: Regime,
    pub missing: Vec<bool>,
    pub has_size: bool,
    pub has_proxy: bool,
}

impl Situation {
    pub(super) fn of(regime: Regime, choice: Regime, predictors: &Predictors) -> Self {
        Self {
            regime,
            choice,
            missing: predictors.x.iter().map(Option::is_none).collect(),
            has_size: predictors.log10_size.is_some(),
            has_proxy: predictors.proxy.is_some(),
        }
    }

    /// Removes the cells that are missing in this situation.
    fn mask(&self, predictors: &mut Predictors) {
        for (cell, missing) in predictors.x.iter_mut().zip(&self.missing) {
            *cell = cell.filter(|_| !missing);
        }
        predictors.log10_size = predictors.log10_size.filter(|_| self.has_size);
        predictors.proxy = predictors.proxy.filter(|_| self.has_proxy);
    }
}

/// The candidate that predicts in a situation, with its errors.
pub(super) struct Verdict {
    pub fitted: FittedCandidate,
    /// Whether the size regression predicts in place of the selected candidate.
    pub is_size: bool,
    /// The candidate, refitted in each fold.
    models: BySplit<Vec<FoldModel>>,
    residuals: BySplit<Residuals>,
    /// Whether the back-test of the card applies: the selected candidate of the regime predicts, and no cell
    /// is missing.
    pub is_own: bool,
    /// Coverage in this situation, and the number of held-out rows. Coverage is the share of held-out rows
    /// whose residual is within the quantile of the other models' residuals. This coverage is used if the
    /// back-test of the card does not apply.
    pub coverage: Option<(f64, usize)>,
    /// Like `coverage`, but over left-out families. It is computed only beyond the range, where forward folds
    /// do not leave out whole families.
    pub family_coverage: Option<(f64, usize)>,
    /// Mean absolute error in this situation.
    pub mae: f64,
    /// Absolute errors of the held-out rows, with their weights.
    pub errors: Vec<WeightedError>,
}

/// The fold models of a card, and the verdict on each situation.
pub(super) struct Evidence<'a> {
    card: &'a Card,
    /// Level of the intervals.
    level: f64,
    /// Fitted candidates, in this order: for each regime, the selected candidate; for each regime, the blend
    /// of only those of its candidates that need no proxy; the size regression; the mean.
    answers: Vec<Option<FittedCandidate>>,
    models: BySplit<SplitModels>,
    verdicts: BTreeMap<Situation, std::result::Result<Arc<Verdict>, String>>,
}

/// Position of the size regression in [`Evidence::answers`] and in the list of models of each fold.
const SIZE: usize = 2 * Regime::ALL.len();
/// Position of the mean.
const MEAN: usize = SIZE + 1;

impl<'a> Evidence<'a> {
    /// Refits the fold models that these situations need, and back-tests each situation.
    ///
    /// # Errors
    /// [`Error::Calibration`] if the training rows of the card are inconsistent, or a candidate cannot be
    /// refitted.
    pub(super) fn new(card: &'a Card, situations: BTreeSet<Situation>, level: f64) -> Result<Self> {
        let p = card.columns.features.len();
        let sample = card.training.sample(p).map_err(|reason| Error::Calibration { reason })?;
        let regimes: BTreeSet<Regime> = situations.iter().map(|situation| situation.regime).collect();
        let chosen: BTreeSet<Regime> = situations.iter().map(|situation| situation.choice).collect();
        let own: Vec<Option<FittedCandidate>> = Regime::ALL
            .iter()
            .map(|regime| regime.selected(&card.fit).filter(|_| chosen.contains(regime)))
            .map(|selected| selected.map(|selected| selected.fitted.clone()))
            .collect();
        let lacks_proxy = situations.iter().any(|situation| !situation.has_proxy);
        let without =
            own.iter().map(|own| own.as_ref().filter(|_| lacks_proxy).and_then(Blend::without_proxy));
        let without: Vec<Option<FittedCandidate>> = without.collect();
        let baselines = [card.fit.size.clone(), Some(card.fit.mean.clone())];
        let answers: Vec<Option<FittedCandidate>> = own.into_iter().chain(without).chain(baselines).collect();
        let (most, _) = most_folds(sample.len());
        let is_needed =
            |split: &Split| regimes.iter().any(|regime| regime.interval_method().splits().contains(split));
        let models = BySplit::try_new(|split| -> Result<SplitModels> {
            let folds = if is_needed(&split) { split.folds(&sample, most)? } else { vec![] };
            SplitModels::refit(&answers, folds, (&sample, &card.fit.basis), card.link)
        })?;
        let mut evidence = Self { card, level, answers, models, verdicts: BTreeMap::new() };
        let situations: Vec<Situation> = situations.into_iter().collect();
        let verdicts: Vec<_> =
            situations.par_iter().map(|situation| evidence.judge(&sample, situation)).collect();
        evidence.verdicts = situations.into_iter().zip(verdicts).collect();
        Ok(evidence)
    }

    /// The verdict on a situation, or the reason why there is no prediction.
    pub(super) fn verdict(&self, situation: &Situation) -> std::result::Result<Arc<Verdict>, String> {
        self.verdicts.get(situation).cloned().unwrap_or_else(|| Err(NOT_COVERED.into()))
    }

    fn judge(&self, sample: &Sample, situation: &Situation) -> std::result::Result<Arc<Verdict>, String> {
        let own_place = Regime::ALL.iter().position(|regime| *regime == situation.choice).unwrap_or_default();
        let answer = |place: usize| self.answers.get(place).and_then(Option::as_ref);
        let selected =
            answer(own_place).filter(|fitted| situation.has_proxy || !fitted.model().needs_proxy());
        let reduced = answer(own_place + Regime::ALL.len()).filter(|_| !situation.has_proxy);
        let size = answer(SIZE).filter(|_| situation.has_size);
        let answers = [(own_place, selected), (own_place + Regime::ALL.len(), reduced), (SIZE, size)];
        // Forward folds test stronger models, which are no evidence about a row of an unseen kind. Such a row
        // is judged by the splits of `choice`.
        let splits = self.judges(situation.choice);
        let errors = |place: usize| -> Option<Vec<HeldOut>> {
            splits.iter().map(|&split| self.held_out(sample, situation, split, place)).collect()
        };
        let of_mean =
            errors(MEAN).ok_or("there are too few models for a back-test in this situation; add models")?;
        let is_beyond = situation.choice.is_beyond();
        let tested = answers.into_iter().filter_map(|(place, fitted)| {
            let (fitted, held_out) = (fitted?, errors(place)?);
            let skills: Vec<Skill> = held_out.iter().zip(&of_mean).map(HeldOut::skill).collect();
            Some((Skill::mean(&skills)?, place, fitted, held_out))
        });
        // Ties go to the first candidate, which is the selected candidate.
        let error = |skill: Skill| if is_beyond { -skill.link } else { -skill.unit };
        let best = tested.min_by(|a, b| error(a.0).total_cmp(&error(b.0)));
        let Some((skill, place, fitted, mut held_out)) = best else {
            return Err(match answer(own_place) {
                Some(_) => {
                    "the selected candidate predicts a gain over a proxy and needs the proxy's value, the \
                     proxy's size and the row's size; one of them is missing or lies too far outside the \
                     training range, and no other candidate was selected; fill in the missing cells, or give \
                     the value of a proxy nearer to the model"
                        .into()
                }
                None => match &self.card.columns.size {
                    Some(size) => format!(
                        "no candidate was selected for this regime, and the size is unknown; fill in {size}"
                    ),
                    None => format!("no candidate was selected for this regime; {MORE_SKILL}"),
                },
            });
        };
        let Some(own) = held_out.pop() else { return Err(NOT_COVERED.into()) };
        if skill.best() < LEAST_SKILL {
            let n = situation.missing.iter().filter(|missing| **missing).count();
            let lacks =
                if n > 0 { format!(" without the {n} features that this row lacks") } else { String::new() };
            return Err(format!(
                "a back-test{lacks} shows too little skill: {} against the mean, but at least {LEAST_SKILL} \
                 is needed; {}",
                fixed(skill.best(), 2),
                self.cheapest(situation)
            ));
        }
        let residuals = BySplit::try_new(|split| -> std::result::Result<Residuals, ()> {
            let is_part = situation.regime.interval_method().splits().contains(&split);
            let held_out = self.held_out(sample, situation, split, place).filter(|_| is_part);
            Ok(Residuals::new(held_out.map(|held_out| held_out.residuals).unwrap_or_default()))
        });
        let residuals = residuals.unwrap_or_default();
        let has_all = situation.has_size || self.card.columns.size.is_none();
        let has_all = has_all && !situation.missing.contains(&true);
        let is_own = place == own_place && has_all && situation.choice == situation.regime;
        let coverage_of = |split: Split| {
            if is_own { None } else { coverage(&residuals, situation.regime, split, self.level) }
        };
        let is_forward = situation.regime == Regime::Extrapolation;
        Ok(Arc::new(Verdict {
            is_own,
            coverage: coverage_of(situation.regime.split()),
            family_coverage: is_forward.then(|| coverage_of(Split::LeaveFamilyOut)).flatten(),
            fitted: fitted.clone(),
            is_size: place == SIZE,
            models: BySplit::try_new(|split| -> std::result::Result<Vec<FoldModel>, ()> {
                Ok(self.models.get(split).all(place))
            })
            .unwrap_or_default(),
            residuals,
            mae: own.mae(),
            errors: own.errors,
        }))
    }

    /// The splits whose errors decide which candidate predicts in a regime, and whether its skill is
    /// sufficient. The regime's own split is the last.
    fn judges(&self, regime: Regime) -> Vec<Split> {
        let inside = match self.models.get(Split::LeaveFamilyOut).is_empty() {
            true => Split::LeaveModelOut,
            false => Split::LeaveFamilyOut,
        };
        if regime.is_beyond() { vec![inside, regime.split()] } else { vec![regime.split()] }
    }

    /// Advice on how to get a prediction: fill in the missing feature with the largest importance.
    fn cheapest(&self, situation: &Situation) -> String {
        let best = most_important(self.card, situation.regime, |j| situation.missing[j]);
        best.map_or(MORE_SKILL.into(), |name| format!("fill in {name}"))
    }

    /// Errors and residuals of the held-out rows of a split. The fold model at `place` predicts these rows
    /// without the cells that are missing in the situation. `None` if there are no folds, or a fold lacks the
    /// model.
    fn held_out(
        &self,
        sample: &Sample,
        situation: &Situation,
        split: Split,
        place: usize,
    ) -> Option<HeldOut> {
        let (models, link) = (self.models.get(split), self.card.link);
        let rows = models.left_out(sample);
        let step = rows.len().div_ceil(MOST_HELD_OUT).max(1);
        let (mut errors, mut residuals) = (vec![], vec![]);
        let stored = situation.regime.selected(&self.card.fit).map(|own| &own.residuals.get(split).held_out);
        let stored = stored.into_iter().flatten().map(|stored| ((stored.fold, stored.row), stored.gaps));
        let stored: BTreeMap<(usize, usize), Gaps> = stored.collect();
        for (fold, row, weight) in rows.into_iter().step_by(step) {
            let mut predictors = sample.predictors(row);
            situation.mask(&mut predictors);
            let y_hat = models.model(fold, place)?.predict(&predictors, link);
            errors.push(((y_hat - sample.y[row]).abs(), weight));
            residuals.push(HeldOutResidual {
                model: sample.models[row].clone(),
                family: sample.families[row].clone(),
                row,
                fold,
                residual: (link.apply(y_hat) - link.apply(sample.y[row])).abs(),
                weight,
                log10_size_gap: None,
                gaps: stored.get(&(fold, row)).copied().unwrap_or_default(),
                proxy_gaps: None,
            });
        }
        (!errors.is_empty()).then_some(HeldOut { errors, residuals })
    }

    /// The ends of a row's interval on the scale of the link, and whether there are enough residuals for the
    /// level. `own` is the row's prediction on that scale, with its distances from the training range.
    pub(super) fn interval(
        &self,
        verdict: &Verdict,
        regime: Regime,
        predictors: &Predictors,
        own: (f64, Gaps),
        level: f64,
    ) -> (f64, f64, bool) {
        let parts = regime.interval_method().splits().iter().map(|split| {
            let models = verdict.models.get(*split);
            endpoints(*split, verdict.residuals.get(*split), models, predictors, own, self.card.link)
        });
        let ends = parts.filter(|ends: &EndpointQuantiles| !ends.is_empty()).map(|ends| ends.at(level));
        ends.fold((f64::INFINITY, f64::NEG_INFINITY, true), |(low, high, enough), end| {
            (low.min(end.0), high.max(end.1), enough && end.2)
        })
    }
}

impl Verdict {
    /// The weighted share of the held-out errors that are at most `most`.
    pub(super) fn share_within(&self, most: f64) -> f64 {
        let total: f64 = self.errors.iter().map(|(_, weight)| weight).sum();
        let inside = self.errors.iter().filter(|(error, _)| *error <= most);
        (inside.map(|(_, weight)| weight).sum::<f64>() / total).clamp(0.0, 1.0)
    }
}

/// The share of a split's held-out rows that lie inside the intervals of a regime, and the number of held-out
/// rows.
fn coverage(
    residuals: &BySplit<Residuals>,
    regime: Regime,
    split: Split,
    level: f64,
) -> Option<(f64, usize)> {
    let own = &residuals.get(split).held_out;
    let splits = regime.interval_method().splits();
    let models: BTreeSet<&str> = own.iter().map(|row| row.model.as_str()).collect();
    // Half-width of the interval for a model, from the residuals of all other models.
    let half_width = |model: &str| {
        let of_split = |split: &Split| {
            let others = residuals.get(*split).held_out.iter().filter(|other| other.model != model);
            let ends = EndpointQuantiles::new(&Residuals::new(others.cloned().collect()), |_| 0.0);
            (!ends.is_empty()).then(|| ends.at(level).1)
        };
        splits.iter().filter_map(of_split).fold(0.0f64, f64::max)
    };
    let widths: BTreeMap<&str, f64> = models.into_iter().map(|model| (model, half_width(model))).collect();
    let (mut held, mut total) = (0.0, 0.0);
    for row in own {
        let is_inside = widths.get(row.model.as_str()).is_some_and(|width| row.residual <= width + 1e-12);
        held += if is_inside { row.weight } else { 0.0 };
        total += row.weight;
    }
    (total > 0.0).then_some((held / total, own.len()))
}
