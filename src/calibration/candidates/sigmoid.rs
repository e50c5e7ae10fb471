//! A sigmoid with a floor on principal components, `y = floor + (1 - floor) sigmoid(c + w . scores)` by least
//! squares in the unit of the target. This is the observational scaling law (Ruan, Maddison and Hashimoto
//! 2024, arXiv 2405.10938, section 3). The floor is at most the larger of .2 and the smallest response, and
//! at most .5. The solver is Levenberg-Marquardt (Marquardt 1963), with the floor projected onto its range.

use std::sync::Arc;

use linfa_linalg::cholesky::SolveC;
use ndarray::{Array1, Array2, Axis, s};
use serde_json::Value;

use super::floored::HIGHEST_FLOOR;
use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::PRIOR;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::sigmoid;
use crate::error::Result;

/// Minimum number of rows. With fewer rows, the floor and the slopes cannot be distinguished.
const LEAST_ROWS: usize = 20;
/// The floor may rise to this value even if noise makes the smallest response lower.
const USUAL_FLOOR: f64 = 0.2;
const MOST_STEPS: usize = 200;
/// Penalty on each slope, per standard deviation of its component. If all weak rows lie at the floor, only
/// this penalty keeps the slopes finite.
const PENALTY: f64 = 1e-6;

/// The sigmoid on a fixed number of components, only for targets with two bounds.
#[derive(Debug)]
pub(super) struct Sigmoid {
    pub(super) name: &'static str,
    pub(super) components: usize,
}

impl Candidate for Sigmoid {
    fn name(&self) -> &'static str {
        self.name
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        60 + self.components as u32
    }

    fn least_rows(&self) -> usize {
        LEAST_ROWS
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let Some(shares) = train.shares() else { return Ok(None) };
        let (n, k) = train.scores.dim();
        if k < self.components || n < 2 * (self.components + 2) {
            return Ok(None);
        }
        let spread: Vec<f64> = train.basis.variances[..self.components].iter().map(|v| v.sqrt()).collect();
        let scores = &train.scores.slice(s![.., ..self.components]) / &Array1::from(spread.clone());
        let start = train.regress(&scores, PRIOR)?;
        let least = shares.iter().copied().fold(1.0, f64::min);
        let highest_floor = least.clamp(USUAL_FLOOR, HIGHEST_FLOOR);
        let problem =
            Problem { scores: &scores, shares: &shares, weights: &train.sample.weights, highest_floor };
        // If weak rows lie near the floor, the loss has several minima, so the search starts from several
        // floors.
        let starts = [0.0, 0.05, 0.5 * least, 0.9 * least].into_iter().take(if least > 0.1 { 4 } else { 2 });
        let solved = starts.map(|floor| problem.solve(floor.min(highest_floor), &start));
        let Some((_, best)) = solved.min_by(|a, b| a.0.total_cmp(&b.0)) else { return Ok(None) };
        let slopes: Vec<f64> = best[2..].iter().zip(&spread).map(|(w, sd)| w / sd).collect();
        // A constant, a slope for each component, and the floor.
        let parameters = self.components + 2;
        Ok(Some(Arc::new(LinearModel {
            floor: best[0],
            degrees_of_freedom: DegreesOfFreedom::Parameters(parameters),
            ..LinearModel::on_components(train, best[1], &slopes)
        })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

struct Problem<'a> {
    scores: &'a Array2<f64>,
    shares: &'a [f64],
    weights: &'a [f64],
    highest_floor: f64,
}

impl Problem<'_> {
    fn loss(&self, at: &[f64]) -> f64 {
        let squares =
            self.scores.axis_iter(Axis(0)).zip(self.shares).zip(self.weights).map(|((row, y), weight)| {
                let eta = at[1] + row.iter().zip(&at[2..]).map(|(t, w)| t * w).sum::<f64>();
                weight * (y - at[0] - (1.0 - at[0]) * sigmoid(eta)).powi(2)
            });
        squares.sum::<f64>() + PENALTY * at[2..].iter().map(|w| w * w).sum::<f64>()
    }

    /// The loss at a minimum, and the floor, constant and slopes there.
    fn solve(&self, floor: f64, start: &[f64]) -> (f64, Vec<f64>) {
        let mut at: Vec<f64> = std::iter::once(floor).chain(start.iter().copied()).collect();
        let (size, mut damping, mut loss) = (at.len(), 1e-2, self.loss(&at));
        for _ in 0..MOST_STEPS {
            let (mut gram, mut gradient) = self.normal(&at);
            // If the floor is at its bound and would leave its range, it stays there, and only the other
            // parameters step.
            if (at[0] <= 0.0 && gradient[0] < 0.0) || (at[0] >= self.highest_floor && gradient[0] > 0.0) {
                gram.row_mut(0).fill(0.0);
                gram.column_mut(0).fill(0.0);
                (gram[[0, 0]], gradient[0]) = (1.0, 0.0);
            }
            let mut damped = gram.clone();
            for j in 0..size {
                damped[[j, j]] += damping * gram[[j, j]].max(1e-9);
            }
            let Ok(step) = damped.solvec(&gradient.clone().insert_axis(Axis(1))) else { break };
            let mut next: Vec<f64> = at.iter().zip(step.column(0)).map(|(a, s)| a + s).collect();
            next[0] = next[0].clamp(0.0, self.highest_floor);
            let lower = self.loss(&next);
            if lower < loss {
                let done = loss - lower < 1e-12 * loss.max(1e-12);
                (at, loss, damping) = (next, lower, (damping / 5.0).max(1e-12));
                if done {
                    break;
                }
            } else {
                damping *= 4.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
        (loss, at)
    }

    /// `J^T W J` and `J^T W r`, including the penalty.
    fn normal(&self, at: &[f64]) -> (Array2<f64>, Array1<f64>) {
        let size = at.len();
        let (mut gram, mut gradient) = (Array2::zeros((size, size)), Array1::zeros(size));
        let mut slope = vec![0.0; size];
        for ((row, y), weight) in self.scores.axis_iter(Axis(0)).zip(self.shares).zip(self.weights) {
            let eta = at[1] + row.iter().zip(&at[2..]).map(|(t, w)| t * w).sum::<f64>();
            let share = sigmoid(eta);
            let steep = (1.0 - at[0]) * share * (1.0 - share);
            (slope[0], slope[1]) = (1.0 - share, steep);
            for (d, t) in slope[2..].iter_mut().zip(row) {
                *d = steep * t;
            }
            let residual = y - at[0] - (1.0 - at[0]) * share;
            for a in 0..size {
                gradient[a] += weight * slope[a] * residual;
                for b in 0..=a {
                    gram[[a, b]] += weight * slope[a] * slope[b];
                }
            }
        }
        for a in 0..size {
            for b in 0..a {
                gram[[b, a]] = gram[[a, b]];
            }
            if a >= 2 {
                gram[[a, a]] += PENALTY;
                gradient[a] -= PENALTY * at[a];
            }
        }
        (gram, gradient)
    }
}
