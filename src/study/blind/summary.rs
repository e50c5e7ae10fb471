//! Summarises the errors of a blind test and of its baselines on the same rows, with intervals from a
//! bootstrap over training runs.

use std::collections::BTreeMap;

use rand::Rng;
use serde::Serialize;

use super::record::BlindRow;
use crate::numeric::shown::fixed;
use crate::numeric::statistics::mean;
use crate::seed;

/// Number of bootstrap resamples of the training runs.
const RESAMPLES: usize = 2000;
/// Nominal coverage of the bootstrap intervals of skill scores (error reductions against a baseline).
const LEVEL: f64 = 0.9;

/// Error summary of the rows of one family, or of all rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlindSummary {
    /// The family of the hidden members, or `all`.
    pub family: String,
    /// Number of hidden members.
    pub n_members: usize,
    /// Number of rows of these members.
    pub n: usize,
    /// Number of rows with a prediction and a measurement.
    pub n_predicted: usize,
    /// Number of predicted rows that also have an interval.
    pub n_intervals: usize,
    /// Number of rows with an interval that contains the measurement.
    pub n_inside: usize,
    /// Mean absolute error of the predictions, in the unit of the target.
    pub mae: Option<f64>,
    /// Errors of each baseline on the predicted rows.
    pub baselines: Vec<BaselineError>,
}

/// Errors of a baseline on the predicted rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselineError {
    /// Column of the baseline in blind.csv, without the prefix `baseline_`.
    pub name: &'static str,
    /// Number of rows with this baseline.
    pub n: usize,
    /// Mean absolute error of the baseline on these rows.
    pub mae: Option<f64>,
    /// Skill of the prediction on these rows: `1 - mae / mae of the baseline`.
    pub skill: Option<f64>,
    /// Bounds of the 90 % interval of the skill: percentile bootstrap over training runs.
    pub skill_interval: Option<(f64, f64)>,
}

/// A baseline: its column in blind.csv without the prefix `baseline_`, and its value in a row.
type Baseline = (&'static str, fn(&BlindRow) -> Option<f64>);

/// Absolute errors (prediction, baseline) of the rows of one training run. All checkpoints of a run are
/// resampled together.
type RunErrors = Vec<(f64, f64)>;

impl BlindSummary {
    /// The baselines in the order of their columns.
    pub(crate) const BASELINES: [Baseline; 4] = [
        ("mean", |row| row.baseline_mean),
        ("shots", |row| row.baseline_shots),
        ("size", |row| row.baseline_size),
        ("outside", |row| row.baseline_outside),
    ];

    /// The summary of all rows, followed by one summary for each family if there are several families.
    pub fn all(rows: &[BlindRow]) -> Vec<Self> {
        let mut families: Vec<&str> = rows.iter().map(|row| row.family.as_str()).collect();
        families.dedup();
        let of = |family: &str| {
            let own: Vec<&BlindRow> = rows.iter().filter(|row| row.family == family).collect();
            Self::new(family, &own)
        };
        let all = Self::new("all", &rows.iter().collect::<Vec<_>>());
        let each = families.iter().filter(|_| families.len() > 1).map(|family| of(family));
        std::iter::once(all).chain(each).collect()
    }

    /// The summary of the rows of one family.
    pub fn new(family: &str, rows: &[&BlindRow]) -> Self {
        let predicted: Vec<&BlindRow> =
            rows.iter().copied().filter(|row| row.y_hat.is_some() && row.measured.is_some()).collect();
        let inside: Vec<bool> = predicted.iter().filter_map(|row| row.inside).collect();
        let errors: Vec<f64> =
            predicted.iter().filter_map(|row| Some((row.y_hat? - row.measured?).abs())).collect();
        let mut members: Vec<&str> = rows.iter().map(|row| row.target_model.as_str()).collect();
        members.dedup();
        Self {
            family: family.into(),
            n_members: members.len(),
            n: rows.len(),
            n_predicted: predicted.len(),
            n_intervals: inside.len(),
            n_inside: inside.iter().filter(|inside| **inside).count(),
            mae: (!errors.is_empty()).then(|| mean(&errors)),
            baselines: Self::BASELINES.iter().map(|baseline| error(baseline, &predicted)).collect(),
        }
    }

    /// The summary as one sentence. `level` is the nominal coverage of the intervals.
    pub fn sentence(&self, unit: &str, level: f64) -> String {
        let Some(mae) = self.mae else {
            return format!(
                "{}: no prediction for the {} rows of {} hidden members",
                self.family, self.n, self.n_members
            );
        };
        let baselines: Vec<String> = self
            .baselines
            .iter()
            .filter_map(|baseline| {
                let (name, mae, skill) = (baseline.name, baseline.mae?, baseline.skill?);
                let range = baseline
                    .skill_interval
                    .map(|(low, high)| format!(", {} to {}", fixed(low, 2), fixed(high, 2)));
                Some(format!("{name} {mae:.3} (skill {}{})", fixed(skill, 2), range.unwrap_or_default()))
            })
            .collect();
        format!(
            "{}: {} of {} rows of {} hidden members predicted; mean absolute error {mae:.3} {unit}; \
             baselines: {}; {} of {} measurements lie inside their {:.0} % interval",
            self.family,
            self.n_predicted,
            self.n,
            self.n_members,
            baselines.join(", "),
            self.n_inside,
            self.n_intervals,
            100.0 * level
        )
    }
}

fn error((name, value): &Baseline, predicted: &[&BlindRow]) -> BaselineError {
    let mut runs: BTreeMap<(&str, &str), RunErrors> = BTreeMap::new();
    for row in predicted {
        let pair = value(row).zip(row.measured).zip(row.y_hat);
        let Some(((baseline, measured), y_hat)) = pair else { continue };
        let errors = ((y_hat - measured).abs(), (baseline - measured).abs());
        runs.entry((&row.family, &row.run)).or_default().push(errors);
    }
    let all: Vec<&RunErrors> = runs.values().collect();
    let n = all.iter().map(|errors| errors.len()).sum();
    let own = skill(&all);
    let mut rng = seed::stream("blind", &format!("skill/{name}"), 0);
    let draws = (0..RESAMPLES).filter_map(|_| {
        let drawn: Vec<&RunErrors> = all.iter().map(|_| all[rng.random_range(0..all.len())]).collect();
        Some(skill(&drawn)?.1)
    });
    let mut skills: Vec<f64> = draws.collect();
    skills.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| skills.get((share * (skills.len().max(1) - 1) as f64).round() as usize).copied();
    let tail = (1.0 - LEVEL) / 2.0;
    BaselineError {
        name,
        n,
        mae: own.map(|(mae, _)| mae),
        skill: own.map(|(_, skill)| skill),
        skill_interval: own.and_then(|_| at(tail).zip(at(1.0 - tail))).filter(|_| all.len() > 1),
    }
}

/// Mean absolute error of the baseline, and the skill against it. `None` if there are no rows or if the error
/// of the baseline is 0.
fn skill(runs: &[&RunErrors]) -> Option<(f64, f64)> {
    let pairs = || runs.iter().flat_map(|errors| errors.iter());
    let n = pairs().count() as f64;
    let (own, baseline) = pairs().fold((0.0, 0.0), |(a, b), (own, other)| (a + own, b + other));
    (n > 0.0 && baseline > 0.0).then(|| (baseline / n, 1.0 - own / baseline))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(member: &str, y_hat: Option<f64>, measured: f64, mean: f64) -> BlindRow {
        BlindRow {
            target_model: member.into(),
            family: "f".into(),
            run: member.into(),
            y_hat,
            measured: Some(measured),
            inside: y_hat.map(|value| (value - measured).abs() < 0.15),
            baseline_mean: Some(mean),
            ..BlindRow::default()
        }
    }

    #[test]
    fn errors_are_over_predicted_rows_and_the_interval_of_a_skill_is_over_runs() {
        let rows = [
            row("a", Some(0.1), 0.0, 0.2),
            row("a", Some(0.2), 0.0, 0.4),
            row("b", Some(0.5), 0.2, 0.8),
            row("b", None, 0.2, 9.0),
        ];
        let summary = BlindSummary::new("f", &rows.iter().collect::<Vec<_>>());
        assert_eq!((summary.n, summary.n_predicted, summary.n_members), (4, 3, 2));
        assert_eq!((summary.n_intervals, summary.n_inside), (3, 1));
        assert!((summary.mae.unwrap() - 0.2).abs() < 1e-12);
        let mean = &summary.baselines[0];
        assert!((mean.mae.unwrap() - 0.4).abs() < 1e-12 && (mean.skill.unwrap() - 0.5).abs() < 1e-12);
        // Each run has a skill of 0.5, so every resample has the same skill.
        let (low, high) = mean.skill_interval.unwrap();
        assert!((low - 0.5).abs() < 1e-12 && (high - 0.5).abs() < 1e-12, "{low} {high}");
        // The rows have no values of the other baselines.
        assert!(summary.baselines[1..].iter().all(|baseline| baseline.mae.is_none()));
        assert!(summary.sentence("share", 0.9).contains("mean 0.400 (skill 0.50"), "{summary:?}");
        let none = BlindSummary::new("f", &[&rows[3]]);
        assert!(none.sentence("share", 0.9).contains("no prediction for the 1 rows"));
    }
}
