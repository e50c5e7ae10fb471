//! A Gaussian process with a linear and a squared exponential kernel and noise. Length, mixture and noise
//! maximise the marginal likelihood on a grid; the variance has a closed form (Rasmussen and Williams 2006,
//! sections 4.2 and 5.4.1). The crate `egobox-gp` is not used, because it has no sum of kernels and needs a
//! given noise.

use linfa_linalg::cholesky::Cholesky;
use linfa_linalg::triangular::{SolveTriangular, UPLO};
use ndarray::{Array2, Axis};

use super::{Rival, Setting};

/// Length scales of the squared exponential kernel, relative to the square root of the number of features.
const LENGTHS: [f64; 9] = [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0];
/// Variance of the linear kernel relative to the squared exponential kernel.
const LINEAR: [f64; 4] = [0.0, 0.1, 1.0, 10.0];
/// Variance of the noise relative to the squared exponential kernel.
const NOISE: [f64; 8] = [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];

pub struct GaussianProcess;

impl Rival for GaussianProcess {
    fn name(&self) -> &'static str {
        "Gaussian process"
    }

    fn predict(&self, setting: &Setting) -> Option<Vec<f64>> {
        let (near, far) = (&setting.x, &setting.asked);
        let (n, p) = near.dim();
        if p == 0 {
            return None;
        }
        let middle = setting.y.mean()?;
        let answer = (&setting.y - middle).insert_axis(Axis(1));
        let squares = (distances(near, near), distances(far, near));
        let products = (near.dot(&near.t()) / p as f64, far.dot(&near.t()) / p as f64);
        let mut best: Option<(f64, Vec<f64>)> = None;
        for length in LENGTHS {
            let bend = |squares: &Array2<f64>| {
                squares.mapv(|square| (-square / (2.0 * length * length * p as f64)).exp())
            };
            let (bent, across) = (bend(&squares.0), bend(&squares.1));
            for linear in LINEAR {
                let inside = &bent + &(&products.0 * linear);
                for noise in NOISE {
                    let whole = &inside + &(Array2::<f64>::eye(n) * noise);
                    let Ok(root) = whole.cholesky() else { continue };
                    let Ok(half) = root.solve_triangular(&answer, UPLO::Lower) else { continue };
                    let variance = half.mapv(|value| value * value).sum() / n as f64;
                    let determinant: f64 = root.diag().iter().map(|value| value.ln()).sum();
                    let likelihood = -(n as f64) / 2.0 * variance.ln() - determinant;
                    if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
                        let weights = root.t().solve_triangular(&half, UPLO::Upper).ok()?;
                        let predicted = (&across + &(&products.1 * linear)).dot(&weights);
                        best = Some((likelihood, predicted.iter().map(|y| y + middle).collect()));
                    }
                }
            }
        }
        best.map(|(_, predicted)| predicted)
    }
}

/// Squared distances between the rows of two tables.
fn distances(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((a.nrows(), b.nrows()), |(i, j)| {
        a.row(i).iter().zip(b.row(j)).map(|(a, b)| (a - b).powi(2)).sum()
    })
}
