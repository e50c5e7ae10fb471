//! Makes one row for each row to predict: the predictions of surmise and of the rivals, and the truth.

use std::path::Path;

use surmise::calibration::{PredictionRow, calibrate};
use surmise::{Error, Result};

use crate::frame::fault;
use crate::methods::{self, Setting};
use crate::problem::{LEVEL, Problem, Task};

/// A row to predict. Errors are in the unit of its task.
#[derive(Debug, Clone)]
pub struct Answer {
    pub problem: &'static str,
    pub task: String,
    pub model: String,
    /// Number of fitted rows.
    pub n_fitted: usize,
    pub truth: f64,
    /// Mean of the fitted targets.
    pub mean: f64,
    /// The prediction of surmise; `None` if it refuses.
    pub y_hat: Option<f64>,
    pub interval: Option<(f64, f64)>,
    /// The share of true values inside intervals of this kind in the back-test.
    pub stated: Option<f64>,
    pub regime: String,
    /// The reason for a refusal, or the limits of the prediction.
    pub note: String,
    /// The prediction of each rival, in the order of [`methods::ALL`]; `None` if the rival cannot be fitted.
    pub rivals: Vec<Option<f64>>,
    pub unit: f64,
}

impl Answer {
    fn error_of(&self, predicted: f64) -> f64 {
        (predicted - self.truth).abs() / self.unit
    }

    /// Error of surmise. For a refusal, the mean of the fitted targets counts as the prediction.
    pub fn error(&self) -> f64 {
        self.error_of(self.y_hat.unwrap_or(self.mean))
    }

    /// Error of a rival. If the rival cannot be fitted, the mean of the fitted targets counts as its
    /// prediction.
    pub fn rival_error(&self, rival: usize) -> f64 {
        self.error_of(self.rivals[rival].unwrap_or(self.mean))
    }

    /// Whether the interval contains the truth.
    pub fn is_inside(&self) -> Option<bool> {
        self.interval.map(|(low, high)| (low..=high).contains(&self.truth))
    }

    /// Width of the interval.
    pub fn width(&self) -> Option<f64> {
        self.interval.map(|(low, high)| (high - low) / self.unit)
    }
}

/// All rows of a task. If the whole calibration refuses, every row is refused with its reason.
///
/// # Errors
/// Returns the errors of [`Task::table`].
pub fn answers(problem: &Problem, task: &Task) -> Result<Vec<Answer>> {
    let (fitted, asked) = (task.fitted_rows()?, task.asked_rows());
    let (y, models) = (task.frame.get(&task.target)?, task.frame.words("model")?);
    let mean = fitted.iter().map(|&row| y[row]).sum::<f64>() / fitted.len() as f64;
    let setting = Setting::new(task)?;
    let rivals: Vec<Option<Vec<f64>>> = methods::ALL.iter().map(|rival| rival.predict(&setting)).collect();
    let ours = surmise(task, &asked)?;
    let answer = |(at, &row): (usize, &usize)| {
        let said = &ours[at];
        Answer {
            problem: problem.name,
            task: task.name.clone(),
            model: models[row].clone(),
            n_fitted: fitted.len(),
            truth: y[row],
            mean,
            y_hat: said.y_hat,
            interval: said.low.zip(said.high),
            stated: said.backtest_coverage.filter(|_| said.y_hat.is_some()),
            regime: said.regime.clone(),
            note: said.note.clone(),
            rivals: rivals.iter().map(|rival| rival.as_ref().map(|predicted| predicted[at])).collect(),
            unit: task.unit,
        }
    };
    Ok(asked.iter().enumerate().map(answer).collect())
}

/// The predictions of surmise, with the flags of the task.
fn surmise(task: &Task, asked: &[usize]) -> Result<Vec<PredictionRow>> {
    let table = task.table()?;
    let predicted = calibrate(&table, &task.flags).and_then(|card| card.predict(&table.select(asked), LEVEL));
    match predicted {
        Ok(rows) => Ok(rows),
        Err(error @ (Error::Calibration { .. } | Error::Csv { .. })) => {
            let refused = PredictionRow {
                regime: "the whole table".into(),
                note: error.to_string(),
                ..PredictionRow::default()
            };
            Ok(vec![refused; asked.len()])
        }
        Err(error) => Err(error),
    }
}

/// Writes every row as CSV.
///
/// # Errors
/// [`Error::Write`].
pub fn write(path: &Path, answers: &[Answer]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(vec![]);
    let stopped = |source: csv::Error| fault(source.to_string());
    let head = [
        "problem",
        "task",
        "model",
        "n_fitted",
        "truth",
        "y_hat",
        "low",
        "high",
        "backtest_coverage",
        "regime",
        "note",
    ];
    let names = methods::ALL.iter().map(|rival| rival.name());
    writer.write_record(head.into_iter().chain(names)).map_err(stopped)?;
    let cell = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    for answer in answers {
        let (low, high) = answer.interval.unzip();
        let mut record = vec![
            answer.problem.to_owned(),
            answer.task.clone(),
            answer.model.clone(),
            answer.n_fitted.to_string(),
            answer.truth.to_string(),
        ];
        record.extend([answer.y_hat, low, high, answer.stated].map(cell));
        record.extend([answer.regime.clone(), answer.note.clone()]);
        record.extend(answer.rivals.iter().map(|rival| cell(*rival)));
        writer.write_record(&record).map_err(stopped)?;
    }
    let bytes = writer.into_inner().map_err(|source| fault(source.to_string()))?;
    std::fs::write(path, bytes).map_err(|source| Error::Write { path: path.into(), source })
}
