//! Solves non-negative least squares with the active-set method of Lawson and Hanson 1974, on normal
//! equations.

use ndarray::{Array1, Array2};

use super::linear::cholesky;

/// A gradient below this, relative to the largest initial gradient, counts as rounding error.
const LEAST_GRADIENT: f64 = 1e-10;
/// If a pivot is below this (for columns of length 1), the columns count as linearly dependent.
const LEAST_PIVOT: f64 = 1e-12;

/// Returns the `s >= 0` that minimises `|A s - b|^2`, given `gram = A^T A` and `along = A^T b`. At most
/// `most` entries are above 0. If `b` is a sum of a few columns, most entries are 0.
pub(crate) fn nonnegative_least_squares(gram: &Array2<f64>, along: &Array1<f64>, most: usize) -> Vec<f64> {
    let p = along.len();
    // Scale all columns to length 1, so that one threshold applies to all columns.
    let length: Vec<f64> = gram.diag().iter().map(|square| square.sqrt()).collect();
    let scale = |j: usize| if length[j] > 0.0 { length[j].recip() } else { 0.0 };
    let gram = Array2::from_shape_fn((p, p), |(i, j)| gram[[i, j]] * scale(i) * scale(j));
    let along: Vec<f64> = (0..p).map(|j| along[j] * scale(j)).collect();
    let least = LEAST_GRADIENT * along.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let (mut solution, mut active, mut barred) = (vec![0.0; p], Vec::<usize>::new(), vec![false; p]);
    for _ in 0..3 * p {
        let gradient = |j: usize| along[j] - active.iter().map(|&k| gram[[j, k]] * solution[k]).sum::<f64>();
        let free = (0..p).filter(|j| !active.contains(j) && !barred[*j]).map(|j| (j, gradient(j)));
        let Some((next, rise)) = free.max_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        if rise <= least || active.len() >= most {
            break;
        }
        active.push(next);
        loop {
            let Some(wanted) = solve(&gram, &along, &active) else {
                // Leave out the new column, because it is a linear combination of the active columns.
                active.retain(|&j| j != next);
                barred[next] = true;
                break;
            };
            if wanted.iter().all(|value| *value > 0.0) {
                active.iter().zip(wanted).for_each(|(&j, value)| solution[j] = value);
                break;
            }
            // Move towards the unrestricted solution until an entry reaches 0; that entry leaves the active
            // set.
            let steps = active.iter().zip(&wanted).filter(|(_, value)| **value <= 0.0);
            let step = steps.map(|(&j, value)| solution[j] / (solution[j] - value)).fold(1.0, f64::min);
            for (&j, value) in active.iter().zip(&wanted) {
                solution[j] += step * (value - solution[j]);
            }
            let is_out = |j: usize| solution[j] <= 1e-14;
            let out: Vec<usize> = active.iter().copied().filter(|&j| is_out(j)).collect();
            out.iter().for_each(|&j| solution[j] = 0.0);
            if out.contains(&next) {
                barred[next] = true;
            }
            active.retain(|j| !out.contains(j));
            if active.is_empty() || out.is_empty() {
                break;
            }
        }
    }
    solution.iter().enumerate().map(|(j, value)| value * scale(j)).collect()
}

/// The unrestricted solution over the given columns; `None` if they are linearly dependent.
fn solve(gram: &Array2<f64>, along: &[f64], columns: &[usize]) -> Option<Vec<f64>> {
    let k = columns.len();
    let own = Array2::from_shape_fn((k, k), |(i, j)| gram[[columns[i], columns[j]]]);
    let factor = cholesky(&own, LEAST_PIVOT)?;
    let mut x: Vec<f64> = columns.iter().map(|&j| along[j]).collect();
    for i in 0..k {
        let before: f64 = (0..i).map(|j| factor[[i, j]] * x[j]).sum();
        x[i] = (x[i] - before) / factor[[i, i]];
    }
    for i in (0..k).rev() {
        let behind: f64 = (i + 1..k).map(|j| factor[[j, i]] * x[j]).sum();
        x[i] = (x[i] - behind) / factor[[i, i]];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_three_columns_is_found_among_twenty_and_a_negative_weight_becomes_0() {
        let a = Array2::from_shape_fn((40, 20), |(i, j)| ((i * (j + 3)) as f64 * 0.77).sin() + 0.5);
        let b = (&a.column(2) + &a.column(7)) * 0.5 + &a.column(11) * 2.0;
        let found = nonnegative_least_squares(&a.t().dot(&a), &a.t().dot(&b), 20);
        for (j, value) in found.iter().enumerate() {
            let truth = match j {
                2 | 7 => 0.5,
                11 => 2.0,
                _ => 0.0,
            };
            assert!((value - truth).abs() < 1e-6, "{j}: {value}");
        }
        // The columns are orthogonal. The unrestricted weight of the second column is negative, so its weight
        // becomes 0.
        let gram = Array2::from_diag(&Array1::from(vec![2.0, 5.0]));
        let found = nonnegative_least_squares(&gram, &Array1::from(vec![4.0, -5.0]), 2);
        assert!((found[0] - 2.0).abs() < 1e-9 && found[1] == 0.0, "{found:?}");
    }
}
