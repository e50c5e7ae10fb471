//! Models a joint density by latent classes. Each side is a mixture of normals, fitted separately, or the
//! cells of its values if it is discrete. A table contains the joint probabilities of the classes of `x` and
//! of `y`.
//!
//! ```text
//! p(x, y)                    = sum_ab W_ab f_a(x) g_b(y)
//! log p(x, y) / p(x) p(y)    = log sum_ab W_ab / (w_a v_b) P(a | x) P(b | y)
//! ```
//!
//! If a few classes on each side combine in many ways, a mixture of the joint rows needs one component for
//! every combination. In this model, each combination is one cell of the table. If a side has no clusters,
//! many overlapping classes cover it. So in few columns this model can represent any dependence, including
//! dependence with sharp edges.
//!
//! # References
//! Lazarsfeld & Henry 1968 (latent classes); Dempster, Laird, Rubin 1977 (expectation-maximisation for the
//! table).

use ndarray::{Array2, Axis, s};

use super::held_out_score::DensityRatio;
use super::mixture::{CovarianceStructure, Mixture};
use crate::numeric::kernels;

/// Maximum number of expectation-maximisation steps for the table.
const STEPS: usize = 100;
/// Pseudocount per cell, in rows. It shrinks the table towards independence.
const PRIOR: f64 = 0.1;
/// The steps end when a step changes the joint probabilities in the table by less than this in total.
const LEAST_CHANGE: f64 = 1e-4;
/// Pseudocount of each class of a discrete side, in rows. It is needed because a class may have no rows in
/// one part of the samples.
const LEAST_CELL_ROWS: f64 = 0.01;
/// Lower limit of a density ratio, so that its logarithm is finite.
const LEAST_RATIO: f64 = 1e-30;

/// The classes of one side.
#[derive(Debug, Clone)]
enum Classes {
    /// The components of a mixture.
    Components(Mixture),
    /// The probabilities of the cells of a discrete column, numbered from 0.
    Cells(Vec<f64>),
}

impl Classes {
    /// Fits the classes of one side. `None` if a component collapses.
    fn fit(z: &Array2<f64>, k: usize, cells: Option<usize>, seed: u64) -> Option<Self> {
        let Some(cells) = cells else {
            return Some(Self::Components(Mixture::fit(z, k, CovarianceStructure::All, seed)?));
        };
        let mut weights = vec![LEAST_CELL_ROWS; cells];
        z.iter().for_each(|cell| weights[*cell as usize] += 1.0);
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        Some(Self::Cells(weights))
    }

    fn weights(&self) -> &[f64] {
        match self {
            Self::Components(mixture) => mixture.weights(),
            Self::Cells(weights) => weights,
        }
    }

    /// The probability of each class for each row, `(n, classes)`.
    fn shares(&self, z: &Array2<f64>) -> Option<Array2<f64>> {
        match self {
            Self::Components(mixture) => mixture.shares(z),
            Self::Cells(weights) => {
                let mut shares = Array2::zeros((z.nrows(), weights.len()));
                z.iter().enumerate().for_each(|(row, cell)| shares[[row, *cell as usize]] = 1.0);
                Some(shares)
            }
        }
    }
}

/// Classes of both sides and their joint probabilities.
#[derive(Debug, Clone)]
pub(crate) struct LatentClasses {
    x: Classes,
    y: Classes,
    /// `W_ab / (w_a v_b)`: the probability that two classes occur together, relative to independence.
    lift: Array2<f64>,
}

impl LatentClasses {
    /// Fits `k` components on each side. A side with `cells` is one column of cell numbers, and its classes
    /// are the cells. `None` if a component collapses.
    ///
    /// # Shapes
    /// `z` is `(n, d)`; its first `dx` columns are `x`.
    pub(crate) fn fit(
        z: &Array2<f64>,
        dx: usize,
        k: usize,
        cells: [Option<usize>; 2],
        seed: u64,
    ) -> Option<Self> {
        let (x, y) = (z.slice(s![.., ..dx]).to_owned(), z.slice(s![.., dx..]).to_owned());
        let (of_x, of_y) = (Classes::fit(&x, k, cells[0], seed)?, Classes::fit(&y, k, cells[1], seed)?);
        let (px, py) = (of_x.shares(&x)?, of_y.shares(&y)?);
        let n = z.nrows() as f64;
        // `apart` is `W_ab` under independence. The prior shrinks the table towards independence.
        let size = (of_x.weights().len(), of_y.weights().len());
        let apart = Array2::from_shape_fn(size, |(a, b)| of_x.weights()[a] * of_y.weights()[b]);
        let prior = PRIOR * (size.0 * size.1) as f64;
        let mut lift = Array2::<f64>::ones(size);
        for _ in 0..STEPS {
            let ratios = (px.dot(&lift) * &py).sum_axis(Axis(1)).mapv(|ratio| ratio.max(LEAST_RATIO));
            let met = (&px / &ratios.insert_axis(Axis(1))).t().dot(&py);
            let next = (&lift * &met / &apart + prior) / (n + prior);
            let moved = ((&next - &lift).mapv(f64::abs) * &apart).sum();
            lift = next;
            if moved < LEAST_CHANGE {
                break;
            }
        }
        Some(Self { x: of_x, y: of_y, lift })
    }

    fn sides(&self, z: &Array2<f64>, dx: usize) -> Option<(Array2<f64>, Array2<f64>)> {
        let px = self.x.shares(&z.slice(s![.., ..dx]).to_owned())?;
        let py = self.y.shares(&z.slice(s![.., dx..]).to_owned())?;
        Some((px.dot(&self.lift), py))
    }
}

impl DensityRatio for LatentClasses {
    fn log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f64>> {
        let (left, right) = self.sides(z, dx)?;
        Some((left * &right).sum_axis(Axis(1)).iter().map(|ratio| ratio.max(LEAST_RATIO).ln()).collect())
    }

    fn pairwise_log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f32>> {
        let (left, right) = self.sides(z, dx)?;
        let (left, right) = (left.as_standard_layout(), right.as_standard_layout());
        let (n, k) = right.dim();
        let mut ratios = vec![0.0; n * n];
        kernels::matmul_t_f64((n, n, k), k, left.as_slice()?, right.as_slice()?, &mut ratios);
        Some(ratios.iter().map(|ratio| ratio.max(LEAST_RATIO).ln() as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use rand::Rng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn a_table_of_classes_is_found_again() {
        // Each side has four classes, ten standard deviations apart. With probability .7 the class of y is
        // the successor of the class of x; otherwise it is random.
        let mut generator = stream("test", "classes", 1);
        let (n, k, kept) = (4000, 4, 0.7);
        let mut z = Array2::zeros((n, 2));
        for mut row in z.rows_mut() {
            let a = generator.random_range(0..k);
            let b = if generator.random::<f64>() < kept { (a + 1) % k } else { generator.random_range(0..k) };
            for (value, class) in row.iter_mut().zip([a, b]) {
                let noise: f64 = StandardNormal.sample(&mut generator);
                *value = 10.0 * class as f64 + noise;
            }
        }
        let found = LatentClasses::fit(&z, 1, k, [None, None], 1).expect("a fit");
        let (same, other) = (kept * k as f64 + 1.0 - kept, 1.0 - kept);
        let exact = (same * same.ln() + (k as f64 - 1.0) * other * other.ln()) / k as f64;
        let ratios = found.log_ratios(&z, 1).expect("ratios");
        let mean = crate::numeric::statistics::mean(&ratios);
        assert!((mean - exact).abs() < 0.03, "{mean} {exact}");
        let pairwise = found.pairwise_log_ratios(&z, 1).expect("ratios");
        for (row, ratio) in ratios.iter().enumerate().step_by(97) {
            assert!((f64::from(pairwise[row * n + row]) - ratio).abs() < 1e-5);
            // The exact density ratio depends on whether the pair of classes is frequent or rare.
            let (a, b) = ((z[[row, 0]] / 10.0).round() as usize, (z[[0, 1]] / 10.0).round() as usize);
            let exact = if (a + 1) % k == b { same } else { other };
            assert!((f64::from(pairwise[row * n]) - exact.ln()).abs() < 0.2);
        }
    }
}
