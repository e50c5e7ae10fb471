//! Writes the note of a prediction: everything that makes the prediction less reliable than the level of its
//! interval suggests.

use super::evidence::Verdict;
use super::extrapolation_limit::largest_size;
use super::query::Query;
use super::row::{PredictionRow, TRAINED_ON};
use crate::calibration::card::contents::Card;
use crate::calibration::validation::coverage::{Coverage, undercovers};
use crate::calibration::validation::regime::Regime;
use crate::calibration::validation::score::CandidateScore;
use crate::calibration::validation::support::{least_families, too_few_for_level};
use crate::numeric::shown::{count, fixed};

/// Below this effective number of back-tested models, a note warns that the coverage comes from few models.
const FEW_BACKTESTED: f64 = 10.0;

/// How the interval of a prediction was made.
pub(super) struct IntervalContext<'a> {
    /// The regime whose candidate, interval and coverage apply.
    pub judged: Regime,
    pub score: Option<&'a CandidateScore>,
    pub coverage: Option<&'a Coverage>,
    /// Whether there are enough residuals for the level.
    pub is_enough: bool,
    pub level: f64,
    /// The reason why the proxy is not used: it lies too far from the training range.
    pub far_proxy: Option<&'a str>,
    pub verdict: &'a Verdict,
}

/// The note of a row that has a prediction.
pub(super) fn note(card: &Card, query: &Query, row: &PredictionRow, context: &IntervalContext) -> String {
    let mut notes = vec![];
    on_training(card, query, context, &mut notes);
    on_skill(row, context, &mut notes);
    on_coverage(card, query, row, context, &mut notes);
    if row.mahal_pct.is_some_and(|percentile| percentile > 95.0) {
        notes.push("the row is farther from the training mean than 95 % of the training rows".into());
    }
    if !row.missing_features.is_empty() {
        notes.push(format!(
            "missing features, which were imputed: {}; error, interval and coverage come from back-tests of \
             rows that also lacked these features",
            row.missing_features
        ));
    }
    notes.extend(context.far_proxy.map(|why| format!("{why}, so the proxy is not used")));
    if context.verdict.is_size {
        notes.push(
            "predicted only from the size, which did better than the other candidates in the back-tests that \
             apply to this row"
                .into(),
        );
    }
    notes.join("; ")
}

/// Notes on the row's kind, model, size and family, compared with the training rows.
fn on_training(card: &Card, query: &Query, context: &IntervalContext, notes: &mut Vec<String>) {
    let judged = context.judged;
    let uses_size = context.verdict.fitted.model().uses_size();
    if !query.unseen.is_empty() {
        let values: Vec<String> = query.unseen.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "ANOTHER KIND: {}; the widest back-test interval is used, but no back-test covered this \
             difference",
            values.join(", ")
        ));
    }
    notes.extend(query.without_logarithm.iter().cloned());
    if query.is_trained_on {
        notes.push(format!(
            "{TRAINED_ON}: the card was calibrated on this model, but the interval is computed as for an \
             unseen model"
        ));
    }
    if let Some(largest) = largest_size(card, judged).filter(|_| query.is_unsized && uses_size) {
        let intervals = match judged {
            Regime::Extrapolation => {
                ". The model may be larger than all training models, so the interval and coverage for rows \
                 beyond the range are used"
            }
            _ => "",
        };
        notes.push(format!(
            "SIZE UNKNOWN: only the features determine the regime{intervals}; if the true size is \
             {largest}, this prediction is not valid"
        ));
    }
    if card.columns.group.is_none() {
        notes.push(
            "families are unknown: related training rows were not left out together, and the coverage \
             applies to new models, not to new families"
                .into(),
        );
    }
    let unknown = card.rows.n_without_family;
    if unknown > 0 && query.is_new_family {
        let n = card.rows.n;
        notes.push(format!(
            "the families of {unknown} of the {n} training rows are unknown: the coverage comes only from \
             the rows of known families"
        ));
    }
}

/// Notes on back-tested skill that is low or uncertain.
fn on_skill(row: &PredictionRow, context: &IntervalContext, notes: &mut Vec<String>) {
    let interval = context.score.map(|score| score.skill_interval);
    if let Some([low, high]) = interval.filter(|[low, _]| *low <= 0.0) {
        notes.push(format!(
            "the skill may be chance: its 90 % bootstrap interval over families is {} to {}",
            fixed(low, 2),
            fixed(high, 2)
        ));
    }
    if let Some(skill) = row.skill_mean.filter(|skill| *skill <= 0.0) {
        notes.push(format!(
            "in back-tests, predictions were no better than the mean of the training rows: skill {}",
            fixed(skill, 2)
        ));
    }
    let unit_skill = context.score.map(CandidateScore::unit_skill);
    if let Some(skill) = unit_skill.filter(|skill| *skill <= 0.0) {
        notes.push(format!(
            "predictions are better than the mean on the link's scale, but not in the target's unit (skill \
             {})",
            fixed(skill, 2)
        ));
    }
}

/// Notes on coverage that is low or comes from few models.
fn on_coverage(
    card: &Card,
    query: &Query,
    row: &PredictionRow,
    context: &IntervalContext,
    notes: &mut Vec<String>,
) {
    let level = context.level;
    notes.extend(shortfall(card, row, context));
    if !context.is_enough {
        notes.push(format!(
            "too few back-test errors for a {:.0} % interval: the largest of these errors sets the ends of \
             the interval",
            100.0 * level
        ));
    }
    let families = card.rows.families.len();
    if query.is_new_family && too_few_for_level(families, level) {
        notes.push(format!(
            "the training rows come from {families} families: errors within a family are correlated, so an \
             interval of level {level} for a new family needs at least {:.0} families",
            least_families(level)
        ));
    }
    notes.extend(context.coverage.and_then(few_models));
}

/// The warning that back-tested coverage is much lower than the level: over all folds or, beyond the range,
/// in one forward fold.
fn shortfall(card: &Card, row: &PredictionRow, context: &IntervalContext) -> Option<String> {
    let (held, level, regime) = (row.backtest_coverage?, context.level, context.judged);
    if undercovers(held, level) {
        return Some(format!(
            "INTERVALS HELD ONLY {:.0} % OF THE TRUE VALUES IN BACK-TESTS, although their level is {level}",
            100.0 * held
        ));
    }
    context.coverage?;
    let forward = regime.coverage(&card.backtest).filter(|_| regime == Regime::Extrapolation);
    let (worst, n) = forward?.worst_fold(level).filter(|(worst, _)| undercovers(*worst, level))?;
    Some(format!(
        "in one fold of the back-test, intervals held only {:.0} % of {n} true values",
        100.0 * worst
    ))
}

/// The note on few models. Predictions of one model are not independent, whether they come from several folds
/// or several rows. Very different weights also reduce the information. The effective number of models
/// accounts for both.
fn few_models(coverage: &Coverage) -> Option<String> {
    let (n, models) = (coverage.levels.len(), coverage.effective_n);
    (models < FEW_BACKTESTED - 1e-6).then(|| {
        let models = if (models - models.round()).abs() < 1e-6 {
            count(models.round() as usize, "model")
        } else {
            format!("about {models:.1} independent models")
        };
        format!("coverage was back-tested on only {} of {models}", count(n, "prediction"))
    })
}
