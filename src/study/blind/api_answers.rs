//! The answers of a model's API, and the features made of them: all that is known of a hidden model.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::collect::Score;
use crate::collect::results::scores::empirical_logit;
use crate::disk::Schema;
use crate::error::{Error, Result};
use crate::numeric::statistics::mean;

/// Where a model is certain of every answer, its surprisal is taken to be this.
const LEAST_SURPRISAL_NATS: f64 = 1e-6;

/// The answers of one model. It holds nothing that is measured inside the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiAnswers {
    /// Form and version of the file.
    pub schema: Schema,
    /// The model's id.
    pub model: String,
    /// Scores of the in-context tasks by exact match.
    pub scores: Vec<Score>,
    /// Scores of the same questions with the log-probability of the right answer.
    pub likelihoods: Vec<Score>,
    /// What the next token owes to the series before its last entity, nats, by corpus.
    pub context_nats: BTreeMap<String, f64>,
    /// What it wrote.
    pub texts: Vec<String>,
}

/// A number that is made of the answers of one model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ApiFeature {
    /// Its column in observations.csv.
    pub name: &'static str,
    value: fn(&ApiAnswers) -> Option<f64>,
}

/// The features of the answers, all means over the corpora: context information of the next token, nats; the
/// log of the surprisal of the right answer, and the empirical logit of the accuracy, without shots and with
/// some.
pub(crate) const API_FEATURES: [ApiFeature; 5] = [
    ApiFeature { name: "context_nats", value: |answers| Some(answers.context_nats_mean()) },
    ApiFeature { name: "surprisal_zero", value: |answers| over(&answers.likelihoods, false, log_surprisal) },
    ApiFeature { name: "surprisal_few", value: |answers| over(&answers.likelihoods, true, log_surprisal) },
    ApiFeature { name: "accuracy_zero", value: |answers| over(&answers.scores, false, accuracy_logit) },
    ApiFeature { name: "accuracy_few", value: |answers| over(&answers.scores, true, accuracy_logit) },
];

fn log_surprisal(score: &Score) -> Option<f64> {
    Some((-score.mean_logprob?).max(LEAST_SURPRISAL_NATS).ln())
}

fn accuracy_logit(score: &Score) -> Option<f64> {
    let n = score.n_scored as f64;
    Some(empirical_logit(score.accuracy? * n, n))
}

/// The mean over the scores with shots, or those without; `None` if any lacks the value.
fn over(scores: &[Score], with_shots: bool, value: fn(&Score) -> Option<f64>) -> Option<f64> {
    let of_shots = scores.iter().filter(|score| (score.shots > 0) == with_shots);
    let values: Option<Vec<f64>> = of_shots.map(value).collect();
    values.filter(|values| !values.is_empty()).map(|values| mean(&values))
}

impl ApiAnswers {
    pub(crate) const SCHEMA: (&'static str, u32) = ("api-answers", 1);

    /// Reads what was written of a model.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Json`]; [`Error::Config`] for another version.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.into(), source })?;
        if (read.schema.name.as_str(), read.schema.version) != Self::SCHEMA {
            let reason = "is of another version; remove it, and it is made again".into();
            return Err(Error::Config { path: path.into(), reason });
        }
        Ok(read)
    }

    /// [`API_FEATURES`] by column.
    pub(crate) fn features(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> {
        API_FEATURES.iter().map(|feature| (feature.name, (feature.value)(self)))
    }

    fn context_nats_mean(&self) -> f64 {
        mean(&self.context_nats.values().copied().collect::<Vec<_>>())
    }
}
