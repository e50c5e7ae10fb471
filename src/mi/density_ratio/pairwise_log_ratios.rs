//! Computes the log density ratios of every `x` with every `y` under a mixture of normals.
//!
//! The log density of a component is the sum of a quadratic form in `x`, a quadratic form in `y` and a
//! bilinear form, so one matrix product per component computes the bilinear form of all pairs.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

use super::held_out_score::DensityRatio;
use super::mixture::{Marginal, Mixture};
use crate::numeric::kernels;
use crate::numeric::kernels::exp;

impl DensityRatio for Mixture {
    fn log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f64>> {
        let (joint, x, y) =
            (self.log_densities(z)?, self.log_density(z, 0..dx)?, self.log_density(z, dx..z.ncols())?);
        Some(joint.iter().zip(&x).zip(&y).map(|((joint, x), y)| joint - x - y).collect())
    }

    fn pairwise_log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f32>> {
        const BLOCK: usize = 32;
        let (n, d) = z.dim();
        let (log_x, log_y) = (self.log_density(z, 0..dx)?, self.log_density(z, dx..d)?);
        let part = |own: &Marginal| {
            let centred = z - &own.mean;
            let (x, y) = (centred.slice(s![.., ..dx]), centred.slice(s![.., dx..]));
            let square = |values: ArrayView2<'_, f64>, range: Range<usize>| -> Vec<f64> {
                let turned = values.dot(&own.precision.slice(s![range.clone(), range]));
                turned.rows().into_iter().zip(values.rows()).map(|(a, b)| -0.5 * a.dot(&b)).collect()
            };
            let (to_x, to_y) = (square(x, 0..dx), square(y, dx..d));
            let turned = -x.dot(&own.precision.slice(s![..dx, dx..]));
            let to_x: Vec<f64> = to_x.iter().zip(&log_x).map(|(a, log)| own.log_weight + a - log).collect();
            let to_y: Vec<f64> = to_y.iter().zip(&log_y).map(|(b, log)| b - log).collect();
            (to_x, to_y, turned.as_standard_layout().to_owned(), y.as_standard_layout().to_owned())
        };
        let parts: Vec<_> = self.marginals(0..d)?.par_iter().map(part).collect();
        let blocks = (0..n.div_ceil(BLOCK)).into_par_iter().map(|block| {
            let rows = block * BLOCK..n.min((block + 1) * BLOCK);
            let mut cross = vec![0.0; rows.len() * n];
            let mut most = vec![f32::NEG_INFINITY; cross.len()];
            let mut sum = vec![0.0; cross.len()];
            for (to_x, to_y, turned, y) in &parts {
                let left = turned.as_slice().unwrap_or_default();
                let width = d - dx;
                let left = &left[rows.start * width..];
                kernels::matmul_t_f64(
                    (rows.len(), n, width),
                    width,
                    left,
                    y.as_slice().unwrap_or_default(),
                    &mut cross,
                );
                for (at, row) in rows.clone().enumerate() {
                    let range = at * n..(at + 1) * n;
                    let (most, sum) = (&mut most[range.clone()], &mut sum[range.clone()]);
                    pulp::Arch::new().dispatch(Add { own: to_x[row], to_y, cross: &cross[range], most, sum });
                }
            }
            most.iter().zip(&sum).map(|(most, sum)| most + sum.ln()).collect::<Vec<f32>>()
        });
        Some(blocks.collect::<Vec<_>>().concat())
    }
}

/// Adds one component to a running log-sum-exp over components.
struct Add<'a> {
    own: f64,
    to_y: &'a [f64],
    cross: &'a [f64],
    most: &'a mut [f32],
    sum: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let pairs = self.to_y.iter().zip(self.cross).zip(self.most.iter_mut().zip(self.sum.iter_mut()));
        for ((to_y, cross), (most, sum)) in pairs {
            let value = (self.own + to_y + cross) as f32;
            let small = exp(-(value - *most).abs());
            *sum = if value > *most { *sum * small + 1.0 } else { *sum + small };
            *most = if value > *most { value } else { *most };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mi::density_ratio::mixture::CovarianceStructure;
    use crate::seed::stream;
    use rand::Rng;

    #[test]
    fn ratios_of_all_pairs_are_those_of_rows_put_together() {
        let mut generator = stream("test", "across", 1);
        let z = Array2::from_shape_simple_fn((90, 3), || generator.random::<f64>());
        for sharing in [CovarianceStructure::All, CovarianceStructure::Rows(0.1)] {
            let mixture = Mixture::fit(&z, 2, sharing, 1).expect("a fit");
            let pairwise = mixture.pairwise_log_ratios(&z, 1).expect("ratios");
            for shift in [0, 1, 47] {
                let mut pairs = z.clone();
                for row in 0..90 {
                    pairs.slice_mut(s![row, 1..]).assign(&z.slice(s![(row + shift) % 90, 1..]));
                }
                for (row, exact) in mixture.log_ratios(&pairs, 1).expect("ratios").into_iter().enumerate() {
                    let found = f64::from(pairwise[row * 90 + (row + shift) % 90]);
                    assert!((found - exact).abs() < 1e-4 * (1.0 + exact.abs()), "{found} {exact}");
                }
            }
        }
    }
}
