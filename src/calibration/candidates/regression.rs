//! The regressions behind the linear candidates: least squares by linfa, with an optional ridge penalty, and
//! fractional logistic regression for shares.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linalg::cholesky::SolveC;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, Axis};

use crate::calibration::table::link::{EDGE, logit, sigmoid};
use crate::error::{Error, Result};

/// Penalty of a slope on a standardised column in a fractional logistic regression: a normal prior of
/// standard deviation 2.5 (Gelman, Jakulin, Pittau and Su 2008; the default of rstanarm). The prior is weak
/// enough for any slope that the data support, and strong enough to keep slopes small if the data support
/// none. The penalty is not tuned, because a few weak models do not determine it.
pub(super) const PRIOR: f64 = 1.0 / (2.5 * 2.5);
/// Minimum curvature of a row, for predicted shares very close to 0 or 1.
const LEAST_CURVE: f64 = 1e-9;
const MOST_STEPS: usize = 50;
const MOST_HALVINGS: usize = 30;

/// Weighted least squares of `y` on `columns` and a constant, by linfa; the constant comes first and is not
/// penalised.
///
/// Minimises `sum_i w_i (y_i - a - b . x_i)^2 + penalty |b|^2`. Rows are multiplied by the square roots of
/// their weights. linfa's intercept would be a column of ones that is not multiplied by these roots. The
/// intercept is therefore switched off, and the columns are centred by their weighted means instead.
///
/// # Errors
/// [`Error::Calibration`] if linfa cannot solve the problem.
pub(super) fn least_squares(
    columns: &Array2<f64>,
    y: &Array1<f64>,
    weights: &[f64],
    penalty: f64,
) -> Result<Vec<f64>> {
    let (n, p) = columns.dim();
    let total: f64 = weights.iter().sum();
    let mean =
        |values: &mut dyn Iterator<Item = f64>| values.zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let centre: Vec<f64> = (0..p).map(|j| mean(&mut columns.column(j).iter().copied())).collect();
    let middle = mean(&mut y.iter().copied());
    if p == 0 {
        return Ok(vec![middle]);
    }
    // Ridge is exactly least squares with p more rows, `sqrt(penalty) I`, whose responses are 0 (Hastie,
    // Tibshirani and Friedman 2009, exercise 3.12).
    let extra = if penalty > 0.0 { p } else { 0 };
    let mut design = Array2::zeros((n + extra, p));
    let mut answer = Array1::zeros(n + extra);
    for (i, weight) in weights.iter().enumerate() {
        let root = weight.sqrt();
        answer[i] = root * (y[i] - middle);
        for j in 0..p {
            design[[i, j]] = root * (columns[[i, j]] - centre[j]);
        }
    }
    for j in 0..extra {
        design[[n + j, j]] = penalty.sqrt();
    }
    let fitted = LinearRegression::new().with_intercept(false).fit(&Dataset::new(design, answer)).map_err(
        |source| Error::Calibration { reason: format!("cannot solve the least squares problem: {source}") },
    )?;
    let slopes = fitted.params();
    let intercept = middle - slopes.iter().zip(&centre).map(|(slope, c)| slope * c).sum::<f64>();
    Ok(std::iter::once(intercept).chain(slopes.iter().copied()).collect())
}

/// Fractional logistic regression (Papke and Wooldridge 1996) of shares on `columns` and a constant, which
/// comes first and is not penalised.
///
/// Maximises `sum_i w_i (s_i log p_i + (1 - s_i) log(1 - p_i)) - penalty |b|^2 / 2`, `p = sigmoid(a + b .
/// x)`: unlike a regression of clipped logits, it treats shares of .001 and .003 as nearly equal; unlike
/// least squares of shares, it treats .9 and .99 as different. The solver takes Newton steps by Cholesky
/// factors. The last step is linfa's least squares on the reweighted problem.
///
/// # Errors
/// [`Error::Calibration`] if linfa cannot solve the last step.
pub(super) fn fractional_logistic(
    columns: &Array2<f64>,
    shares: &[f64],
    weights: &[f64],
    penalty: f64,
) -> Result<Vec<f64>> {
    let (n, p) = columns.dim();
    let shares: Vec<f64> = shares.iter().map(|share| share.clamp(EDGE, 1.0 - EDGE)).collect();
    let total: f64 = weights.iter().sum();
    let mean = shares.iter().zip(weights).map(|(s, w)| s * w).sum::<f64>() / total;
    let along =
        |at: &[f64], i: usize| at[0] + columns.row(i).iter().zip(&at[1..]).map(|(x, b)| x * b).sum::<f64>();
    // log(1 + e^eta) - s eta is the negative log-likelihood of one share, in a form that does not overflow.
    let loss = |at: &[f64]| {
        let rows = (0..n).map(|i| {
            let eta = along(at, i);
            weights[i] * (eta.max(0.0) + (-eta.abs()).exp().ln_1p() - shares[i] * eta)
        });
        rows.sum::<f64>() + penalty / 2.0 * at[1..].iter().map(|b| b * b).sum::<f64>()
    };
    let mut at = vec![0.0; p + 1];
    at[0] = logit(mean);
    let mut least = loss(&at);
    let mut design = Array2::ones((n, p + 1));
    design.slice_mut(ndarray::s![.., 1..]).assign(columns);
    for _ in 0..MOST_STEPS {
        let share: Vec<f64> = (0..n).map(|i| sigmoid(along(&at, i))).collect();
        let curve =
            Array1::from_iter((0..n).map(|i| weights[i] * (share[i] * (1.0 - share[i])).max(LEAST_CURVE)));
        let pull = Array1::from_iter((0..n).map(|i| weights[i] * (shares[i] - share[i])));
        let mut hessian = (&design * &curve.insert_axis(Axis(1))).t().dot(&design);
        let mut gradient = design.t().dot(&pull);
        for j in 1..=p {
            hessian[[j, j]] += penalty;
            gradient[j] -= penalty * at[j];
        }
        // For linearly dependent columns, this selects one of many equivalent solutions.
        for j in 0..=p {
            hessian[[j, j]] *= 1.0 + 1e-10;
        }
        let Ok(step) = hessian.solvec(&gradient.insert_axis(Axis(1))) else { break };
        let before = least;
        let mut share_of_step = 1.0;
        for _ in 0..MOST_HALVINGS {
            let next: Vec<f64> = at.iter().zip(step.column(0)).map(|(a, s)| a + share_of_step * s).collect();
            let lower = loss(&next);
            if lower < least {
                (at, least) = (next, lower);
                break;
            }
            share_of_step /= 2.0;
        }
        if before - least <= 1e-13 * before.abs() {
            break;
        }
    }
    let (answer, curve) = working_response(columns, &shares, weights, &at);
    least_squares(columns, &answer, &curve, penalty)
}

/// Working responses and weights. Their least squares problem has the same normal equations as the likelihood
/// at `at` (McCullagh and Nelder 1989, section 2.5).
pub(super) fn working_response(
    columns: &Array2<f64>,
    shares: &[f64],
    weights: &[f64],
    at: &[f64],
) -> (Array1<f64>, Vec<f64>) {
    let rows = columns.outer_iter().zip(shares).zip(weights).map(|((row, share), weight)| {
        let eta = at[0] + row.iter().zip(&at[1..]).map(|(x, b)| x * b).sum::<f64>();
        let fitted = sigmoid(eta);
        let curve = (fitted * (1.0 - fitted)).max(LEAST_CURVE);
        (eta + (share.clamp(EDGE, 1.0 - EDGE) - fitted) / curve, weight * curve)
    });
    let (answer, curve): (Vec<f64>, Vec<f64>) = rows.unzip();
    (Array1::from(answer), curve)
}
