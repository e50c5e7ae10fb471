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

/// What a card can be fitted on, of one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Features {
    pub context_nats: f64,
    pub surprisal_zero: Option<f64>,
    pub surprisal_few: Option<f64>,
    pub accuracy_zero: Option<f64>,
    pub accuracy_few: Option<f64>,
}

impl ApiAnswers {
    pub(crate) const SCHEMA: (&'static str, u32) = ("surmise-outside", 1);

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

    /// Means over the corpora: context information; the log of the surprisal of the right answer, and the
    /// empirical logit of the accuracy, without shots and with some.
    pub(crate) fn features(&self) -> Features {
        let surprisal = |score: &Score| Some((-score.mean_logprob?).max(LEAST_SURPRISAL_NATS).ln());
        let accuracy = |score: &Score| {
            let n = score.n_scored as f64;
            Some(empirical_logit(score.accuracy? * n, n))
        };
        let over = |scores: &[Score], few: bool, value: &dyn Fn(&Score) -> Option<f64>| {
            let values: Option<Vec<f64>> =
                scores.iter().filter(|score| (score.shots > 0) == few).map(value).collect();
            values.filter(|values| !values.is_empty()).map(|values| mean(&values))
        };
        Features {
            context_nats: mean(&self.context_nats.values().copied().collect::<Vec<_>>()),
            surprisal_zero: over(&self.likelihoods, false, &surprisal),
            surprisal_few: over(&self.likelihoods, true, &surprisal),
            accuracy_zero: over(&self.scores, false, &accuracy),
            accuracy_few: over(&self.scores, true, &accuracy),
        }
    }
}
