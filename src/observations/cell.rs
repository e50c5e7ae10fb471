//! Cells of a row of observations, and those of scores, which tables of every estimand have.

use super::accuracy::accuracy;
use super::features::mean;
use crate::collect::Score;

/// What a column means to a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnRole {
    /// How a row was measured; a card holds for rows that were measured alike.
    Condition,
    /// Which reader read the texts, and how: also a condition, in tables with texts.
    Reader,
    /// The target's own headline and what is derived from it: a response, never a feature.
    Response,
    /// Measured inside the target itself, so that it is not known of a model behind an API.
    Internal,
    /// None of these.
    Other,
}

/// One cell of a row.
#[derive(Debug)]
pub(super) struct Cell {
    pub role: ColumnRole,
    pub name: String,
    pub text: String,
}

/// The scores of one model on one task, over shots.
pub(super) struct TaskScore<'a> {
    pub task: &'a str,
    /// Level and slope of the accuracy.
    pub accuracy: Option<(f64, f64)>,
    /// Mean log-probability of the right answer.
    pub logprob_nats: Option<f64>,
}

impl<'a> TaskScore<'a> {
    /// The scores of `model` on `task`.
    pub fn new(scores: &[Score], model: &str, task: &'a str) -> Self {
        let of_task = scores.iter().filter(|score| score.model == model && score.task == task);
        let logprobs: Vec<f64> = of_task.filter_map(|score| score.mean_logprob).collect();
        Self { task, accuracy: accuracy(scores, model, task), logprob_nats: mean(&logprobs) }
    }

    /// The same without a value, for a header.
    pub fn unknown(task: &'a str) -> Self {
        Self { task, accuracy: None, logprob_nats: None }
    }

    /// Its cells, in order.
    pub fn cells(&self) -> [Cell; 3] {
        let Self { task, accuracy, logprob_nats } = self;
        let cell = |what: &str, value| Cell {
            role: ColumnRole::Other,
            name: format!("score_{task}_{what}"),
            text: number(value),
        };
        [
            cell("logit", accuracy.map(|accuracy| accuracy.0)),
            cell("slope", accuracy.map(|accuracy| accuracy.1)),
            cell("logprob_nats", *logprob_nats),
        ]
    }
}

/// An empty cell for a value that is missing or not finite.
pub(super) fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}
