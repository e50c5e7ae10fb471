//! Estimates the density ratio of two columns from a smoothed histogram of their ranks.
//!
//! # References
//! Scott 1985 (averaged shifted histograms, equivalent to triangular weights).

use ndarray::{Array2, Axis};

/// Number of cells per column.
const CELLS: usize = 64;
/// Half-width of the triangular weights, in cells. A small width keeps edges sharp.
const WIDTH: usize = 3;
/// Pseudocount in rows for each smoothed area. It shrinks the table towards independence.
const PRIOR: f64 = 0.1;

/// Log density ratios over the rank cells of two columns.
#[derive(Debug, Clone)]
pub(crate) struct SmoothHistogram {
    x_cuts: Vec<f64>,
    y_cuts: Vec<f64>,
    /// Log density ratio of each cell, `(CELLS, CELLS)`.
    pub(crate) log: Array2<f64>,
}

impl SmoothHistogram {
    pub(crate) fn fit(s: &[f64], t: &[f64]) -> Self {
        let mut found = Self { x_cuts: cuts(s), y_cuts: cuts(t), log: Array2::zeros((CELLS, CELLS)) };
        let mut counts = Array2::<f64>::zeros((CELLS, CELLS));
        let (x, y) = found.cells(s, t);
        x.iter().zip(&y).for_each(|(a, b)| counts[[*a, *b]] += 1.0);
        let smooth = smoothed(&smoothed(&counts).reversed_axes()).reversed_axes();
        let n = smooth.sum();
        let (rows, columns) = (smooth.sum_axis(Axis(1)), smooth.sum_axis(Axis(0)));
        let prior = PRIOR * (CELLS as f64 / WIDTH as f64).powi(2);
        for ((a, b), log) in found.log.indexed_iter_mut() {
            let apart = (rows[a] * columns[b] / n).max(f64::MIN_POSITIVE);
            *log = ((smooth[[a, b]] + prior * apart / n) / (apart * (1.0 + prior / n))).ln();
        }
        found
    }

    /// The cell indices of the values of each column.
    pub(crate) fn cells(&self, s: &[f64], t: &[f64]) -> (Vec<usize>, Vec<usize>) {
        let of = |values: &[f64], cuts: &[f64]| -> Vec<usize> {
            values.iter().map(|value| cuts.partition_point(|cut| cut <= value)).collect()
        };
        (of(s, &self.x_cuts), of(t, &self.y_cuts))
    }
}

/// The boundaries of cells with equal numbers of values.
fn cuts(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    (1..CELLS).map(|cut| sorted[cut * sorted.len() / CELLS]).collect()
}

/// Averages neighbouring rows with triangular weights. Rows are reflected at the ends of the table.
fn smoothed(counts: &Array2<f64>) -> Array2<f64> {
    let mut out = Array2::<f64>::zeros(counts.raw_dim());
    let (last, most) = (counts.nrows() as isize - 1, WIDTH as isize - 1);
    for (at, mut row) in out.rows_mut().into_iter().enumerate() {
        for shift in -most..=most {
            let weight = (WIDTH as f64 - shift.unsigned_abs() as f64) / (WIDTH * WIDTH) as f64;
            let from = at as isize + shift;
            let from = if from < 0 { -from - 1 } else { from.min(2 * last + 1 - from) };
            row.scaled_add(weight, &counts.row(from.unsigned_abs()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smoothed_histogram_keeps_the_rows_and_ratios_of_independent_columns_are_near_one() {
        let counts = Array2::from_shape_fn((CELLS, CELLS), |(a, b)| ((a * 7 + b * 13) % 5) as f64);
        assert!((smoothed(&counts).sum() - counts.sum()).abs() < 1e-6);
        // A full grid combines every value of one column with every value of the other column, so the
        // columns are independent.
        let s: Vec<f64> = (0..128 * 128).map(|k| (k % 128) as f64).collect();
        let t: Vec<f64> = (0..128 * 128).map(|k| (k / 128) as f64).collect();
        let found = SmoothHistogram::fit(&s, &t);
        assert!(found.log.iter().all(|log| log.abs() < 1e-9), "{found:?}");
        // If the two columns are equal, all samples are on the diagonal.
        let found = SmoothHistogram::fit(&s, &s);
        assert!(found.log[[10, 10]] > 2.5 && found.log[[10, 40]] < -1.0);
    }
}
