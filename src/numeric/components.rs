//! Independent component analysis: finds a rotation of whitened columns that makes them as independent as
//! possible.
//!
//! # References
//! Hyvärinen 1999 (symmetric fixed-point steps with the logistic contrast).

use linfa_linalg::svd::SVD;
use ndarray::{Array1, Array2, Axis};

use super::linear::{cholesky, covariance, invert_lower};

/// Maximum number of fixed-point steps.
const STEPS: usize = 200;
/// The steps end when every direction changes by less than this.
const LEAST_CHANGE: f64 = 1e-6;

/// A linear map to independent components.
#[derive(Debug, Clone)]
pub(crate) struct Components {
    pub(crate) mean: Array1<f64>,
    /// `(d, d)`: each row maps `value - mean` to one component.
    pub(crate) map: Array2<f64>,
}

impl Components {
    /// Fits the components. `None` if the covariance is singular.
    ///
    /// # Shapes
    /// `z` is `(n, d)`.
    pub(crate) fn fit(z: &Array2<f64>) -> Option<Self> {
        let (n, d) = z.dim();
        let mean = z.mean_axis(Axis(0))?;
        let centred = z - &mean;
        let whiten = invert_lower(&cholesky(&covariance(centred.view()), 1e-9)?);
        let white = centred.dot(&whiten.t());
        let mut rotation = Array2::<f64>::eye(d);
        for _ in 0..STEPS {
            let bent = white.dot(&rotation.t()).mapv(f64::tanh);
            let slopes = bent.mapv(|value| 1.0 - value * value).mean_axis(Axis(0))?;
            let next = bent.t().dot(&white) / n as f64 - &rotation * &slopes.insert_axis(Axis(1));
            let (left, _, right) = next.svd(true, true).ok()?;
            let next = left?.dot(&right?);
            let change = (&next * &rotation).sum_axis(Axis(1)).mapv(|cosine| 1.0 - cosine.abs());
            rotation = next;
            if change.iter().all(|change| *change < LEAST_CHANGE) {
                break;
            }
        }
        rotation.iter().all(|value| value.is_finite()).then(|| Self { mean, map: rotation.dot(&whiten) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use ndarray::array;
    use rand::Rng;

    #[test]
    fn independent_columns_that_were_mixed_are_found_again() {
        let mut generator = stream("test", "components", 1);
        let sources = Array2::from_shape_simple_fn((4000, 3), || generator.random_range(-1.0..1.0));
        let mix = array![[1.0, 0.3, -0.5], [0.2, 1.0, 0.4], [-0.6, 0.1, 1.0]];
        let mixed = sources.dot(&mix) + 3.0;
        let Components { mean, map } = Components::fit(&mixed).expect("regular");
        let found = (&mixed - &mean).dot(&map.t());
        // Each source equals one component up to sign and scale.
        let correlations = |k: usize| -> Vec<f64> {
            let pearson = crate::numeric::statistics::pearson;
            (0..3).map(|j| pearson(&sources.column(k).to_vec(), &found.column(j).to_vec()).abs()).collect()
        };
        for k in 0..3 {
            let mut of = correlations(k);
            of.sort_by(f64::total_cmp);
            assert!(of[2] > 0.995 && of[1] < 0.08, "{of:?}");
        }
    }
}
