//! Ridge regressions on all features or on their first two components, on the target or on its logit.

use linfa_linalg::eigh::{EigSort, Eigh};
use ndarray::{Array1, Array2, s};

use super::lines::least_squares;
use super::{Rival, Setting};

/// Number of penalties to choose from by leave-one-out, from .01 to 1000 and equally spaced on the log scale.
const PENALTIES: usize = 16;
const COMPONENTS: usize = 2;
/// A component is ignored if its variance is below this fraction of the largest variance.
const LEAST_VARIANCE: f64 = 1e-12;

/// A kind of linear regression.
pub struct Linear {
    name: &'static str,
    on_components: bool,
    is_logit: bool,
    is_penalised: bool,
}

pub const RIDGE: Linear = Linear { name: "ridge", on_components: false, is_logit: false, is_penalised: true };
pub const LOGIT_RIDGE: Linear =
    Linear { name: "logit ridge", on_components: false, is_logit: true, is_penalised: true };
pub const PCA_RIDGE: Linear =
    Linear { name: "PCA-2 ridge", on_components: true, is_logit: false, is_penalised: true };
pub const LOGIT_PCA: Linear =
    Linear { name: "logit PCA-2", on_components: true, is_logit: true, is_penalised: false };

impl Rival for Linear {
    fn name(&self) -> &'static str {
        self.name
    }

    fn predict(&self, setting: &Setting) -> Option<Vec<f64>> {
        if setting.x.ncols() == 0 {
            return None;
        }
        let (x, asked) = if self.on_components {
            components(&setting.x, &setting.asked)?
        } else {
            (setting.x.clone(), setting.asked.clone())
        };
        let targets = if self.is_logit { setting.logits() } else { setting.y.clone() };
        let predicted =
            if self.is_penalised { ridge(&x, &targets, &asked)? } else { least_squares(x, targets, &asked)? };
        Some(predicted.into_iter().map(|y| if self.is_logit { setting.target_at(y) } else { y }).collect())
    }
}

/// Eigenvalues and eigenvectors of the Gram matrix, the largest first.
fn gram(x: &Array2<f64>) -> Option<(Array1<f64>, Array2<f64>)> {
    let (values, vectors) = x.dot(&x.t()).eigh().ok()?.sort_eig_desc();
    Some((values.mapv(|value| value.max(0.0)), vectors))
}

/// Scores on the first principal components, for the fitted rows and the rows to predict.
fn components(x: &Array2<f64>, asked: &Array2<f64>) -> Option<(Array2<f64>, Array2<f64>)> {
    let (values, vectors) = gram(x)?;
    let most = COMPONENTS.min(x.ncols()).min(x.nrows().checked_sub(2)?);
    let kept = values.iter().take(most).filter(|value| **value > values[0] * LEAST_VARIANCE).count();
    let (roots, vectors) = (values.slice(s![..kept]).mapv(f64::sqrt), vectors.slice(s![.., ..kept]));
    Some((&vectors * &roots, asked.dot(&x.t()).dot(&vectors) / &roots))
}

/// Ridge with an unpenalised intercept and the penalty with the smallest leave-one-out error, by the identity
/// of Rifkin and Lippert (2007): the leave-one-out error is `c / diag(G^-1)` with `c = G^-1 y`. Columns have
/// mean 0, so the constant is an eigenvector of the Gram matrix.
fn ridge(x: &Array2<f64>, y: &Array1<f64>, asked: &Array2<f64>) -> Option<Vec<f64>> {
    let n = y.len() as f64;
    let middle = y.mean()?;
    let centred = y - middle;
    let (values, vectors) = gram(x)?;
    let turned = vectors.t().dot(&centred);
    let mut best: Option<(f64, Array1<f64>)> = None;
    for at in 0..PENALTIES {
        let penalty = 10f64.powf(-2.0 + 5.0 * at as f64 / (PENALTIES - 1) as f64);
        let inverse = values.mapv(|value| 1.0 / (value + penalty));
        let weights = vectors.dot(&(&turned * &inverse));
        let diagonal = vectors.mapv(|v| v * v).dot(&inverse) - 1.0 / (n * penalty);
        let error: f64 =
            weights.iter().zip(&diagonal).map(|(weight, diagonal)| (weight / diagonal).powi(2)).sum();
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            best = Some((error, weights));
        }
    }
    let (_, weights) = best?;
    Some(asked.dot(&x.t().dot(&weights)).iter().map(|y| y + middle).collect())
}
