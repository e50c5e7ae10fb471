//! Finds the distance to the `k`-th nearest neighbour, and counts the points that are nearer on each side.
//! The joint distance is the larger of the Chebyshev distances in `x` and in `y`.
//!
//! [`Tree`] computes joint distances, and counts in two or more columns; bisection computes counts in one
//! column. The counts are exact: every distance is one subtraction in `f32`, so comparisons are exact too,
//! including ties.

use ndarray::{ArrayView1, ArrayView2, Axis, concatenate};

use super::tree::Tree;

/// For each point, counts the points (including itself) whose distance is smaller than the joint distance to
/// the `k`-th neighbour, once with the distance in `x` and once with the distance in `y`.
///
/// # Shapes
/// `x` is `(n, d_x)` and `y` is `(n, d_y)`.
pub(crate) fn counts(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, k: usize) -> Vec<(u32, u32)> {
    let limits = Tree::new(concatenate![Axis(1), x, y].view()).distances(k);
    let side = |points: ArrayView2<'_, f64>| match points.ncols() {
        1 => sorted_counts(points.column(0), &limits),
        _ => Tree::new(points).counts(&limits),
    };
    let (x, y) = rayon::join(|| side(x), || side(y));
    x.into_iter().zip(y).collect()
}

/// For each value, counts by bisection the values (including itself) whose distance is below its limit.
fn sorted_counts(values: ArrayView1<'_, f64>, limits: &[f32]) -> Vec<u32> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    let mut sorted = values.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let of = |(own, limit): (&f32, &f32)| {
        // `own - value` decreases along the sorted values and is negative for larger values, and limits are
        // never negative. So each step of the bisection needs one comparison.
        let below = sorted.partition_point(|value| own - value >= *limit);
        let within = sorted.partition_point(|value| value - own < *limit);
        within.saturating_sub(below) as u32
    };
    values.iter().zip(limits).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use ndarray::Array2;
    use rand::Rng;

    /// Counts over all pairs, directly from the definition.
    fn defined(x: &Array2<f64>, y: &Array2<f64>, k: usize) -> Vec<(u32, u32)> {
        let n = x.nrows();
        let far = |a: &Array2<f64>, i: usize, j: usize| {
            (0..a.ncols()).map(|c| (a[[i, c]] as f32 - a[[j, c]] as f32).abs()).fold(0.0_f32, f32::max)
        };
        let of = |i: usize| {
            let mut joint: Vec<f32> =
                (0..n).filter(|j| *j != i).map(|j| far(x, i, j).max(far(y, i, j))).collect();
            joint.sort_by(f32::total_cmp);
            let count = |a: &Array2<f64>| (0..n).filter(|j| far(a, i, *j) < joint[k - 1]).count() as u32;
            (count(x), count(y))
        };
        (0..n).map(of).collect()
    }

    #[test]
    fn counts_are_those_of_the_definition_in_any_dimension() {
        let mut generator = stream("test", "neighbours", 1);
        for (n, dx, dy) in [
            (5, 1, 1),
            (16, 1, 1),
            (17, 2, 1),
            (33, 1, 3),
            (500, 1, 1),
            (500, 2, 2),
            (700, 1, 4),
            (700, 6, 6),
        ] {
            let mut draw = |d| Array2::from_shape_simple_fn((n, d), || generator.random_range(-1.0..1.0));
            let (x, y) = (draw(dx), draw(dy));
            assert_eq!(counts(x.view(), y.view(), 3), defined(&x, &y, 3), "{n} rows, {dx} + {dy}");
        }
    }

    #[test]
    fn ties_and_rows_that_repeat_are_counted_as_defined() {
        let mut generator = stream("test", "ties", 1);
        for values in [1, 2, 4, 20] {
            for (dx, dy) in [(1, 1), (2, 1), (2, 3)] {
                let mut draw = |d| {
                    Array2::from_shape_simple_fn((300, d), || {
                        f64::from(generator.random_range(0..values)) * 0.1
                    })
                };
                let (x, y) = (draw(dx), draw(dy));
                assert_eq!(counts(x.view(), y.view(), 3), defined(&x, &y, 3), "{values} values, {dx} + {dy}");
            }
        }
    }

    #[test]
    fn values_of_very_different_size_are_counted_as_defined() {
        let mut generator = stream("test", "sizes", 1);
        let mut draw =
            |d| Array2::from_shape_simple_fn((400, d), || 10_f64.powf(generator.random_range(-20.0..20.0)));
        let (x, y) = (draw(1), draw(2));
        assert_eq!(counts(x.view(), y.view(), 3), defined(&x, &y, 3));
    }
}
