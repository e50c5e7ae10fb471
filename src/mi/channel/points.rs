//! Defines the input of the bounds of `channel`: standardised points, and draws of noise at these points.
//!
//! A *point* is a distinct pair `(x, y)` with its count `c` among the `n` pairs. A *draw* is one noise vector
//! at a point. A point has one draw for each of its pairs, so merging equal pairs lowers the cost without
//! changing the distribution of the result. If there are more than [`DRAWS`] pairs, repeated points get fewer
//! draws, in proportion to their counts.

use std::ops::Range;

use super::scale::Standardised;
use crate::mi::samples::distinct::Distinct;
use crate::numeric::kernels;

/// Target number of draws. The term of one draw has a standard deviation of about one nat, so the mean over
/// 4096 draws has an error of less than .02 nats due to noise.
const DRAWS: u64 = 4096;

/// Points with their counts, in the layouts that the matrix products need.
#[derive(Debug)]
pub(crate) struct Points {
    /// The standardised points, `(m, d)`.
    pub(crate) values: Vec<f32>,
    /// The transpose of `values`, `(d, m)`.
    pub(crate) transposed: Vec<f32>,
    /// Number of coordinates.
    pub(crate) d: usize,
    /// Half squared norms, `|y_j|^2 / 2`.
    pub(crate) half_norms: Vec<f32>,
    /// The counts of the points, `c_j`.
    pub(crate) counts: Vec<f32>,
    /// The sum of the counts.
    pub(crate) n: f64,
    /// The groups of points; the points of a group share `x`.
    pub(crate) groups: Vec<Group>,
    /// The draws, in the order of the points.
    pub(crate) draws: Vec<NoiseSample>,
}

/// Points that share one value of `x`.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) points: Range<usize>,
    /// Number of pairs at these points.
    pub(crate) count: f64,
}

/// The point to which a noise vector is added, and its group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoiseSample {
    pub(crate) point: usize,
    pub(crate) group: usize,
}

impl Points {
    pub(crate) fn new(standardised: Standardised, distinct: &Distinct) -> Self {
        let Standardised { values, d, .. } = standardised;
        let m = distinct.len();
        let n = distinct.count(&(0..m));
        let half_norms = values.chunks_exact(d).map(|row| {
            let squares = row.iter().map(|&value| f64::from(value).powi(2));
            (0.5 * squares.sum::<f64>()) as f32
        });
        let groups = distinct
            .groups
            .iter()
            .map(|points| Group { points: points.clone(), count: distinct.count(points) as f64 });
        let mut draws = Vec::with_capacity(m);
        for (group, points) in distinct.groups.iter().enumerate() {
            for point in points.clone() {
                let count = draws_at(u64::from(distinct.counts[point]), n);
                draws.extend((0..count).map(|_| NoiseSample { point, group }));
            }
        }
        Self {
            transposed: kernels::transpose(m, d, &values),
            d,
            half_norms: half_norms.collect(),
            counts: distinct.counts.iter().map(|&count| count as f32).collect(),
            n: n as f64,
            groups: groups.collect(),
            draws,
            values,
        }
    }

    /// The number of points.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether some pairs that share `x` differ in `y`.
    pub(crate) fn is_grouped(&self) -> bool {
        self.groups.len() < self.len()
    }

    /// The share of the pairs at each point, `c_j / n`.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let shares = self.counts.iter().map(|&count| f64::from(count) / self.n);
        shares.collect()
    }
}

/// The number of draws at a point with `count` of the `n` pairs.
fn draws_at(count: u64, n: u64) -> u64 {
    let share = (count * DRAWS).div_ceil(n);
    // A point with several pairs needs at least two draws, to estimate their variance.
    share.max(2).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_a_draw_per_pair_or_its_share_of_enough_draws() {
        assert_eq!(draws_at(1, 4096), 1);
        assert_eq!(draws_at(4000, 4096), 4000);
        assert_eq!(draws_at(500_000, 1_000_000), DRAWS / 2);
        assert_eq!(draws_at(3, 1_000_000), 2);
        assert_eq!(draws_at(1, 1_000_000), 1);
    }
}
