//! What the note beside a number says: everything that makes it less than its level.

use super::predict::Row;
use super::row::PredictionRow;
use super::support::Regime;
use crate::calibration::card::file::Card;
use crate::calibration::validation::backtest::{Coverage, falls_short};
use crate::calibration::validation::score::Score;

/// Models behind a coverage below which it is said to be of few.
const FEW_BACKTESTED: f64 = 10.0;

/// How a number came about.
pub(crate) struct Made<'a> {
    /// The regime whose candidate, interval and coverage were taken.
    pub judged: Regime,
    pub score: Option<&'a Score>,
    pub tried: Option<&'a Coverage>,
    /// Whether there are residuals enough for the level.
    pub is_enough: bool,
    pub level: f64,
}

impl Card {
    /// The note of a row that has a number.
    pub(crate) fn caveats(&self, row: &Row, prediction: &PredictionRow, made: &Made) -> String {
        let Made { judged, score, tried, level, .. } = *made;
        let mut notes = vec![];
        if row.is_trained_on {
            notes.push("was trained on: interval and coverage are those of a model that was not".into());
        }
        if let Some(largest) = self.largest_answered(judged).filter(|_| self.is_unsized(&row.query)) {
            let judged = match judged {
                Regime::Extrapolation => ", with interval and coverage of rows beyond the range",
                _ => "",
            };
            notes.push(format!(
                "SIZE UNKNOWN: placed by its features alone{judged}; if it is {largest}, the card would \
                 refuse it, and interval and coverage do not hold"
            ));
        }
        if self.columns.group.is_none() {
            notes.push(
                "families are unknown: kin of the training rows were not left out together, and the \
                 coverage is that of new models"
                    .into(),
            );
        }
        let unknown = self.rows.n_without_family;
        if unknown > 0 && self.is_foreign(row) {
            let n = self.rows.n;
            notes.push(format!(
                "families are unknown of {unknown} of the {n} rows trained on: coverage is that of families \
                 among the others"
            ));
        }
        if let Some([low, high]) = score.map(|score| score.skill_interval).filter(|[low, _]| *low <= 0.0) {
            notes.push(format!(
                "the skill may be chance: 90 % of resampled families give it {low:.2} to {high:.2}"
            ));
        }
        if let Some(skill) = prediction.skill_mean.filter(|skill| *skill <= 0.0) {
            notes.push(format!(
                "back-tested no better than the mean of the training rows: skill {skill:.2} against it"
            ));
        }
        if let Some(skill) = score.map(Score::unit_skill).filter(|skill| *skill <= 0.0) {
            notes.push(format!(
                "skill is on the scale of the link; by mean absolute error in the unit of the target it is \
                 {skill:.2}"
            ));
        }
        notes.extend(tried.and_then(|tried| self.shortfall(tried, judged, level)));
        if !made.is_enough {
            notes.push(format!(
                "too few residuals for a level of {level}: the ends are the outermost there are"
            ));
        }
        let families = self.rows.families.len();
        if self.is_foreign(row) && too_few(families, level) {
            notes.push(format!(
                "{families} families were trained on: errors of one are alike, and over fewer than {:.0} no \
                 interval of another has a level of {level}",
                (level / (1.0 - level)).ceil()
            ));
        }
        notes.extend(tried.and_then(few));
        if prediction.mahal_pct.is_some_and(|percentile| percentile > 95.0) {
            notes.push("farther from the training mean than 95 % of the training rows".into());
        }
        if !prediction.missing_features.is_empty() {
            notes.push(format!(
                "filled, and not reckoned with in the interval: {}",
                prediction.missing_features
            ));
        }
        notes.join("; ")
    }

    /// What is said of intervals that held much less than their level, all of them or, beyond the range,
    /// those of one forward fold.
    fn shortfall(&self, tried: &Coverage, regime: Regime, level: f64) -> Option<String> {
        let held = tried.at(level);
        if falls_short(held, level) {
            return Some(format!(
                "INTERVALS HELD ONLY {:.0} % IN BACK-TEST, not their level of {level}",
                100.0 * held
            ));
        }
        let forward = regime.coverage(&self.backtest).filter(|_| regime == Regime::Extrapolation);
        let (worst, n) = forward?.worst_fold(level).filter(|(worst, _)| falls_short(*worst, level))?;
        Some(format!(
            "intervals held only {:.0} % of {n} predictions in one part of the back-test",
            100.0 * worst
        ))
    }
}

/// Predictions of one model in several folds, or of several of its rows, are not as many witnesses; neither
/// are models whose weights differ much.
fn few(tried: &Coverage) -> Option<String> {
    let (n, models) = (tried.levels.len(), tried.effective_n);
    (models < FEW_BACKTESTED - 1e-6).then(|| {
        let models = if (models - models.round()).abs() < 1e-6 {
            format!("{models:.0} models")
        } else {
            format!("models that weigh as {models:.1}")
        };
        format!("coverage was back-tested on {n} predictions of {models} only")
    })
}

/// Whether `n` families, each one draw, cannot carry a level: of `n` exchangeable draws the largest is
/// exceeded by another with probability `1 / (n + 1)`.
pub(crate) fn too_few(n: usize, level: f64) -> bool {
    (n as f64) < level * (n as f64 + 1.0) - 1e-9
}
