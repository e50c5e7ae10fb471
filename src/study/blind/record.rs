//! Defines a row of blind.csv: one hidden member on one corpus with one number of examples.

use serde::{Deserialize, Serialize};

use super::family::Member;
use super::prediction::{HiddenPrediction, HiddenRow};
use super::settings::PredictionSettings;
use crate::study::card::unit;

/// One back-test: a row of blind.csv. The columns of the prediction are empty unless `status` is `ok`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlindRow {
    /// The hidden member.
    pub target_model: String,
    /// Family of the hidden member.
    pub family: String,
    /// Training run to which the hidden member belongs.
    pub run: String,
    /// The training step of the checkpoint; empty for the last checkpoint.
    pub step: Option<u64>,
    /// Number of parameters of the hidden member. The card uses this number only if sizes are published.
    pub n_params: usize,
    /// The corpus.
    pub corpus: String,
    /// Examples in a prompt.
    pub shots: usize,
    /// The predicted column of observations.csv.
    pub target: String,
    /// Unit of the predicted column.
    pub unit: String,
    /// Number of members on which the card was fitted.
    pub n_others: usize,
    /// The proxy of the hidden model.
    pub proxy_model: String,
    /// The prediction.
    pub y_hat: Option<f64>,
    /// Lower bound of the interval.
    pub low: Option<f64>,
    /// Upper bound of the interval.
    pub high: Option<f64>,
    /// The value measured with the member's weights; empty if there is no value for this row.
    pub measured: Option<f64>,
    /// Whether the measurement lies in the interval.
    pub inside: Option<bool>,
    /// Baseline: the mean over the other members on the same corpus.
    pub baseline_mean: Option<f64>,
    /// Baseline: the mean over the other members on the same corpus with the same number of examples.
    pub baseline_shots: Option<f64>,
    /// Baseline: regression on log10 parameters over the rows of `baseline_shots`, evaluated at the true
    /// size.
    pub baseline_size: Option<f64>,
    /// Baseline: regression on log-probability, accuracy and output share.
    pub baseline_outside: Option<f64>,
    /// Nominal coverage of the interval.
    pub level: f64,
    /// Position of the row relative to the training rows.
    pub regime: String,
    /// Method of the interval.
    pub interval_method: String,
    /// Share of the true values that lay inside intervals of this kind in the back-test of the card.
    pub backtest_coverage: Option<f64>,
    /// `ok`, or `unsupported` for a refusal.
    pub status: String,
    /// Why there is no prediction, or what limits it.
    pub note: String,
    /// SHA-256 of the card.
    pub card_sha256: String,
}

impl BlindRow {
    pub(crate) fn new(
        member: &Member,
        hidden: &HiddenPrediction,
        row: &HiddenRow,
        measured: Option<f64>,
        how: &PredictionSettings,
    ) -> Self {
        let said = &row.prediction;
        let ends = said.low.zip(said.high);
        Self {
            target_model: member.id.clone(),
            family: member.family.clone(),
            run: member.run.clone(),
            step: member.step,
            n_params: member.n_params,
            corpus: said.corpus.clone(),
            shots: row.shots,
            target: how.target.clone(),
            unit: unit(&how.target).into(),
            n_others: hidden.n_others,
            proxy_model: row.proxy_model.clone(),
            y_hat: said.y_hat,
            low: said.low,
            high: said.high,
            measured,
            inside: ends.zip(measured).map(|((low, high), value)| (low..=high).contains(&value)),
            baseline_mean: row.baselines.mean,
            baseline_shots: row.baselines.shots,
            baseline_size: row.baselines.size,
            baseline_outside: row.baselines.outside,
            level: how.level,
            regime: said.regime.clone(),
            interval_method: said.interval_method.clone(),
            backtest_coverage: said.backtest_coverage,
            status: said.status.name().into(),
            note: said.note.clone(),
            card_sha256: said.card_sha256.clone(),
        }
    }
}
