//! The states of one condition, that is, of one model, category, block and number of shots, in a full
//! factorial design.

use ndarray::ArrayView2;
use rand::Rng;
use rand_distr::StandardNormal;

use super::query_kernel::QueryKernel;
use crate::seed;

/// A prompt of a design: the indices of its relation, example set and query.
pub type Crossing = (usize, usize, usize);

/// The sizes of a factorial design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Number of queries, X.
    pub queries: usize,
    /// Number of relations, R.
    pub relations: usize,
    /// Number of example sets, S.
    pub sets: usize,
}

impl Layout {
    /// Number of states.
    pub fn len(&self) -> usize {
        self.queries * self.per_query()
    }

    /// Whether the design has no states.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of a prompt in the order `(queries, relations, sets)`.
    pub fn place(&self, (relation, set, query): Crossing) -> usize {
        (query * self.relations + relation) * self.sets + set
    }

    /// Number of states of one query.
    pub(super) fn per_query(&self) -> usize {
        self.relations * self.sets
    }
}

/// The states of a condition, centred, and their variance.
#[derive(Debug)]
pub(super) struct Centred {
    layout: Layout,
    d: usize,
    values: Vec<f64>,
    /// `sum_c Var_c(Y)`, the variance of each coordinate over all states, summed over coordinates.
    pub(super) total_variance: f64,
    /// The squared norm of the mean state divided by the mean squared norm of the states.
    pub(super) mean_power_share: f64,
}

impl Centred {
    /// Centres the states and computes their variance.
    ///
    /// # Shapes
    /// `states` is `(layout.len(), d)`, in the order of [`Layout::place`].
    pub(super) fn new(states: ArrayView2<'_, f32>, layout: Layout) -> Self {
        let (n, d) = states.dim();
        let mut mean = vec![0.0; d];
        for row in states.rows() {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value));
        }
        mean.iter_mut().for_each(|mean| *mean /= n as f64);
        let centred = |row: ndarray::ArrayView1<'_, f32>| -> Vec<f64> {
            row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean).collect()
        };
        let values: Vec<f64> = states.rows().into_iter().flat_map(centred).collect();
        let total_variance = values.iter().map(|value| value * value).sum::<f64>() / n as f64;
        let of_mean: f64 = mean.iter().map(|mean| mean * mean).sum();
        let power = of_mean + total_variance;
        let mean_power_share = if power > 0.0 { of_mean / power } else { 0.0 };
        Self { layout, d, values, total_variance, mean_power_share }
    }

    /// The distances between the states of query `x`, with the noise of each state.
    pub(super) fn kernel(&self, x: usize, noise: &Noise) -> QueryKernel {
        let n = self.layout.per_query() * self.d;
        let of_query = x * n..(x + 1) * n;
        let sizes = (self.layout.relations, self.layout.sets);
        QueryKernel::new(sizes, self.d, &self.values[of_query.clone()], &noise.values[of_query])
    }
}

/// Standard normal noise for every state of a design. Every block, number of shots and noise scale uses the
/// same draws, so differences between their estimates contain no additional noise.
#[derive(Debug)]
pub struct Noise {
    values: Vec<f64>,
}

impl Noise {
    /// Draws noise for states with `d` coordinates. Each state has its own random stream.
    pub fn draw(layout: Layout, d: usize, seed: u64) -> Self {
        let mut values = Vec::with_capacity(layout.len() * d);
        for state in 0..layout.len() {
            let mut rng = seed::stream("noise", "semantic", seed);
            rng.set_stream(state as u64);
            values.extend((0..d).map(|_| rng.sample::<f64, _>(StandardNormal)));
        }
        Self { values }
    }

    /// Uses given noise, `(layout.len(), d)`, row-major.
    pub fn given(values: Vec<f64>) -> Self {
        Self { values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn variance_and_mean_power_are_those_one_can_compute_by_hand() {
        let layout = Layout { queries: 1, relations: 2, sets: 2 };
        let states = array![[1.0, 5.0], [3.0, 5.0], [1.0, 5.0], [3.0, 5.0]];
        let centred = Centred::new(states.view(), layout);
        assert_eq!(centred.total_variance, 1.0);
        // The mean is (2, 5) with squared norm 29, and the mean squared norm is 29 + 1.
        assert!((centred.mean_power_share - 29.0 / 30.0).abs() < 1e-12);
    }
}
