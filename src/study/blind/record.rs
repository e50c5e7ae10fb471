//! A row of blind.csv: one hidden member on one corpus at one number of examples.

use serde::{Deserialize, Serialize};

use super::family::Member;
use super::prediction::{HiddenPrediction, HiddenRow};
use super::settings::PredictionSettings;
use crate::study::card::unit;

/// One back-test: a row of blind.csv, for whoever writes or reads that file. Numbers of a prediction are
/// empty where `status` is not `ok`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlindRow {
    /// The hidden member.
    pub target_model: String,
    /// Its family.
    pub family: String,
    /// The training run that it is a checkpoint of.
    pub run: String,
    /// The step of the checkpoint; empty for the last one.
    pub step: Option<u64>,
    /// Its parameters, which the card is not told unless sizes are published.
    pub n_params: usize,
    /// The corpus.
    pub corpus: String,
    /// Examples in a prompt.
    pub shots: usize,
    /// The predicted column of observations.csv.
    pub target: String,
    /// Its unit.
    pub unit: String,
    /// Members the card was fitted on.
    pub n_others: usize,
    /// The model that stands for the hidden one.
    pub proxy_model: String,
    /// The prediction.
    pub y_hat: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// What was measured when the member was opened; empty where it does not exist.
    pub measured: Option<f64>,
    /// Whether the interval holds it.
    pub inside: Option<bool>,
    /// The mean over the others on the corpus.
    pub baseline_mean: Option<f64>,
    /// The mean over the others on the corpus at this number of examples.
    pub baseline_shots: Option<f64>,
    /// The line in log10 parameters over the same rows, which knows the size.
    pub baseline_size: Option<f64>,
    /// The regression on log-probability, accuracy and output share alone.
    pub baseline_outside: Option<f64>,
    /// Nominal level of the interval.
    pub level: f64,
    /// Where the row stands relative to the training rows.
    pub regime: String,
    /// How the interval was made.
    pub interval_method: String,
    /// Share of the true values that such intervals held in the card's back-test.
    pub backtest_coverage: Option<f64>,
    /// `ok`, or `unsupported` for a refusal.
    pub status: String,
    /// Why there is no prediction, or what limits the one that is there.
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
