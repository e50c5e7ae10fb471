//! Summarises a problem: errors on all rows, refusals, intervals, and the rivals.

use std::collections::BTreeMap;

use crate::answers::Answer;
use crate::methods;
use crate::problem::Problem;

/// Minimum number of rows for the coverage of a regime of a problem.
pub const LEAST_IN_REGIME: usize = 50;

/// One problem. Errors are means of absolute errors over rows; widths are means over rows with a prediction.
#[derive(Debug, Clone)]
pub struct Summary {
    pub title: &'static str,
    pub name: &'static str,
    /// Smallest and largest number of rows that a task fits.
    pub fitted: (usize, usize),
    pub predicted: usize,
    /// Error of surmise on all rows. For a refusal, the mean of the fitted targets counts as the prediction.
    pub error: f64,
    /// Share of the rows that surmise refuses.
    pub refused: f64,
    pub error_answered: f64,
    /// Error of each rival on all rows.
    pub rivals: Vec<f64>,
    pub held: f64,
    pub width: f64,
    pub stated: f64,
    pub regimes: Vec<Intervals>,
}

/// The intervals of one regime of a problem.
#[derive(Debug, Clone)]
pub struct Intervals {
    pub regime: String,
    pub n: usize,
    pub held: f64,
    pub stated: f64,
    pub width: f64,
}

impl Summary {
    /// Summarises a problem. Returns `None` for a problem without rows.
    pub fn new(problem: &Problem, answers: &[Answer]) -> Option<Self> {
        let rows: Vec<&Answer> = answers.iter().filter(|answer| answer.problem == problem.name).collect();
        let answered: Vec<&Answer> = rows.iter().copied().filter(|row| row.y_hat.is_some()).collect();
        let mut regimes = BTreeMap::<&str, Vec<&Answer>>::new();
        for row in &answered {
            regimes.entry(&row.regime).or_default().push(row);
        }
        let rival = |at: usize| mean(rows.iter().map(|row| row.rival_error(at)));
        let whole = intervals("all", &answered);
        Some(Self {
            title: problem.title,
            name: problem.name,
            fitted: (rows.iter().map(|row| row.n_fitted).min()?, rows.iter().map(|row| row.n_fitted).max()?),
            predicted: rows.len(),
            error: mean(rows.iter().map(|row| row.error())),
            refused: 1.0 - answered.len() as f64 / rows.len() as f64,
            error_answered: mean(answered.iter().map(|row| row.error())),
            rivals: (0..methods::ALL.len()).map(rival).collect(),
            held: whole.held,
            width: whole.width,
            stated: whole.stated,
            regimes: regimes.into_iter().map(|(regime, rows)| intervals(regime, &rows)).collect(),
        })
    }

    /// The rival with the smallest error.
    pub fn best(&self) -> usize {
        let order = |a: &usize, b: &usize| self.rivals[*a].total_cmp(&self.rivals[*b]);
        (0..self.rivals.len()).min_by(order).unwrap_or_default()
    }
}

fn intervals(regime: &str, rows: &[&Answer]) -> Intervals {
    Intervals {
        regime: regime.into(),
        n: rows.len(),
        held: mean(rows.iter().filter_map(|row| row.is_inside()).map(f64::from)),
        stated: mean(rows.iter().filter_map(|row| row.stated)),
        width: mean(rows.iter().filter_map(|row| row.width())),
    }
}

/// The mean of the values; NaN if there are no values.
pub fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}

/// The single rival that is best over all problems. For this rival, the ratio of its error to the error of
/// the best rival of each problem has the smallest mean.
pub fn single_rival(summaries: &[&Summary]) -> usize {
    let ratio = |rival: usize| mean(summaries.iter().map(|s| s.rivals[rival] / s.rivals[s.best()]));
    (0..methods::ALL.len()).min_by(|a, b| ratio(*a).total_cmp(&ratio(*b))).unwrap_or_default()
}
