//! Computes the gradient of the InfoNCE objective in [`crate::mi::density_ratio::contrast`].
//!
//! # References
//! van den Oord et al. 2018; Poole et al. 2019.

use crate::numeric::kernels;
use crate::numeric::kernels::exp;

struct Softmax<'a>(&'a mut [f32]);

impl pulp::NullaryFnOnce for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let most = self.0.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.0.iter_mut().for_each(|value| *value = exp(*value - most));
        let (chunks, rest) = self.0.as_chunks::<16>();
        let mut sums = [0.0_f32; 16];
        for chunk in chunks {
            for lane in 0..16 {
                sums[lane] += chunk[lane];
            }
        }
        let factor = (sums.iter().sum::<f32>() + rest.iter().sum::<f32>()).recip();
        self.0.iter_mut().for_each(|value| *value *= factor);
    }
}

/// Replaces the scores `(n, n)` by the gradient of the negative bound with respect to them.
pub(crate) fn gradient(scores: &mut [f32], n: usize) {
    let mut transposed = kernels::transpose(n, n, scores);
    for matrix in [&mut *scores, &mut transposed] {
        for row in matrix.chunks_exact_mut(n) {
            pulp::Arch::new().dispatch(Softmax(row));
        }
    }
    let columns = kernels::transpose(n, n, &transposed);
    let half = 0.5 / n as f32;
    scores.iter_mut().zip(&columns).for_each(|(row, column)| *row = half * (*row + column));
    for diagonal in scores.iter_mut().step_by(n + 1) {
        *diagonal -= 2.0 * half;
    }
}

/// Computes the gradient of the outputs of one side, `(n, width + 1)`, from the gradient `d` of the scores.
/// `other` contains the features of the other side, `(n, width)`. `transposed` is true for the `y` side.
pub(crate) fn side_gradient(
    d: &[f32],
    other: &[f32],
    (n, width): (usize, usize),
    transposed: bool,
) -> Vec<f32> {
    let turned;
    let d = if transposed {
        turned = kernels::transpose(n, n, d);
        &turned
    } else {
        d
    };
    let mut features = vec![0.0; n * width];
    kernels::matmul(n, width, n, d, other, &mut features);
    let rows = d.chunks_exact(n).zip(features.chunks_exact(width));
    rows.flat_map(|(d, features)| features.iter().copied().chain([d.iter().sum::<f32>()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_definition() {
        let n = 3;
        let scores: Vec<f32> = (0..n * n).map(|k| (k as f32 * 1.7).sin()).collect();
        let by_definition = |scores: &[f32]| -> f64 {
            let t = |i: usize, j: usize| f64::from(scores[i * n + j]);
            let mean = |of: &dyn Fn(usize) -> f64| ((0..n).map(|j| of(j).exp()).sum::<f64>() / n as f64).ln();
            let term = |i: usize| t(i, i) - 0.5 * mean(&|j| t(i, j)) - 0.5 * mean(&|j| t(j, i));
            (0..n).map(term).sum::<f64>() / n as f64
        };
        let mut slopes = scores.clone();
        gradient(&mut slopes, n);
        for (at, slope) in slopes.iter().enumerate() {
            let moved = |step: f32| {
                let mut scores = scores.clone();
                scores[at] += step;
                by_definition(&scores)
            };
            let difference = (moved(-1e-3) - moved(1e-3)) / 2e-3;
            assert!((difference - f64::from(*slope)).abs() < 1e-4, "{at}: {difference} {slope}");
        }
    }
}
