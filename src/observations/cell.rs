//! Defines the cells of an observation row, and the cells of scores, which tables of both estimands share.

use super::accuracy::accuracy;
use super::features::mean;
use crate::collect::Score;

/// The role of a column in a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnRole {
    /// How a row was measured. A card applies only to rows that were measured in the same way.
    Condition,
    /// The reader model of the texts and its settings. In tables with texts, this is also a condition.
    Reader,
    /// The headline of the target's own profile, or a value derived from this headline: a response, never a
    /// feature.
    Response,
    /// A value that is measured inside the target, so it is unknown for a model behind an API.
    Internal,
    /// Any other column.
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
    /// The level and the slope of the accuracy.
    pub accuracy: Option<(f64, f64)>,
    /// The mean log-probability of the correct answer.
    pub logprob_nats: Option<f64>,
}

impl<'a> TaskScore<'a> {
    /// The scores of `model` on `task`.
    pub fn new(scores: &[Score], model: &str, task: &'a str) -> Self {
        let of_task = scores.iter().filter(|score| score.model == model && score.task == task);
        let logprobs: Vec<f64> = of_task.filter_map(|score| score.mean_logprob).collect();
        Self { task, accuracy: accuracy(scores, model, task), logprob_nats: mean(&logprobs) }
    }

    /// A task score without values, for a header.
    pub fn unknown(task: &'a str) -> Self {
        Self { task, accuracy: None, logprob_nats: None }
    }

    /// The cells, in column order.
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

/// Formats a value. A missing value and a value that is not finite give an empty cell.
pub(super) fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}
