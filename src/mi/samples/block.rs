//! One side of paired samples: its columns unchanged, standardised, and as normal scores.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rand_distr::{Distribution, StandardNormal};

use super::distinct;
use crate::Result;
use crate::numeric::matrix::Matrix;
use crate::numeric::normal_scores::{normal_quantiles, write_scores};
use crate::numeric::statistics::{entropy_nats, median};
use crate::seed::stream;

/// A column whose standard deviation is at most this fraction of its mean contains only rounding of `f32`.
const CONSTANT: f64 = 2e-7;
/// Standard deviations of the noise that breaks ties.
const JITTER: f64 = 1e-6;
/// Rows for each value of a column that is discrete, on average.
const ROWS_EACH_VALUE: usize = 5;

/// The distances of values from their median, and the median of those above 0; `None` for equal values.
fn distances(values: ArrayView1<'_, f32>) -> Option<(Vec<f64>, f64)> {
    let centre = median(values.iter().map(|value| f64::from(*value)).collect())?;
    let distances: Vec<f64> = values.iter().map(|value| (f64::from(*value) - centre).abs()).collect();
    let typical = median(distances.iter().copied().filter(|distance| *distance > 0.0).collect())?;
    Some((distances, typical))
}

/// The rows of a column whose value occurs in others too.
fn tied_rows(values: ArrayView1<'_, f32>) -> Vec<usize> {
    let mut sorted: Vec<(f32, usize)> = values.iter().copied().zip(0..).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let tied = sorted.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk.len() > 1);
    tied.flatten().map(|(_, row)| *row).collect()
}

/// One side of the pairs.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// `(n, d)`: columns that vary, unchanged. Where one value is far from the others, these differ here,
    /// but not after standardisation.
    raw: Array2<f32>,
    units: Vec<Unit>,
    /// Seeded noise that orders equal values of a column, 0 for others; empty without equal values.
    noise: Array2<f64>,
    /// Columns that do not vary.
    pub(crate) constant: Vec<usize>,
    /// For each row the number of its value, from 0 in order of appearance.
    pub(crate) ids: Vec<usize>,
    /// Number of different rows.
    pub(crate) n_distinct: usize,
    /// Number of columns of the input.
    pub(crate) columns: usize,
}

/// How a column is standardised.
#[derive(Debug, Clone, Copy)]
struct Unit {
    mean: f64,
    sd: f64,
    /// Standard deviation of the noise of equal values, in standard units.
    jitter: f64,
}

impl Block {
    pub(crate) fn new(what: &str, view: ArrayView2<'_, f32>) -> Result<Self> {
        // Zeros of either sign are the same value.
        let is_negative_zero = |value: &f32| value.to_bits() == (-0.0_f32).to_bits();
        if view.iter().any(is_negative_zero) {
            return Self::new(what, view.mapv(|value| value + 0.0).view());
        }
        let matrix = Matrix::new(what, view)?;
        let (ids, n_distinct) = distinct::ids(&matrix);
        let (n, columns) = view.dim();
        let (mut kept, mut constant) = (vec![], vec![]);
        for column in 0..columns {
            let values = || view.column(column).into_iter().map(|value| f64::from(*value));
            let mean = values().sum::<f64>() / n as f64;
            let sd = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            if sd > CONSTANT * mean.abs() {
                kept.push((column, Unit { mean, sd, jitter: 0.0 }));
            } else {
                constant.push(column);
            }
        }
        let (kept, units): (Vec<usize>, Vec<Unit>) = kept.into_iter().unzip();
        Ok(Self {
            raw: view.select(Axis(1), &kept),
            units,
            noise: Array2::zeros((0, 0)),
            constant,
            ids,
            n_distinct,
            columns,
        })
    }

    /// Number of columns that vary and are not known to be a function of others.
    pub(crate) fn width(&self) -> usize {
        self.raw.ncols()
    }

    pub(crate) fn keep_rows(&mut self, rows: &[usize]) {
        self.raw = self.raw.select(Axis(0), rows);
        self.ids = rows.iter().map(|row| self.ids[*row]).collect();
    }

    pub(crate) fn release_values(&mut self) {
        self.raw = Array2::zeros((0, self.width()));
    }

    pub(crate) fn keep_columns(&mut self, columns: &[usize]) {
        self.raw = self.raw.select(Axis(1), columns);
        self.units = columns.iter().map(|column| self.units[*column]).collect();
    }

    /// `(n, d)`: columns that vary, each of mean 0 and variance 1 but for the noise of equal values.
    pub(crate) fn values(&self) -> Array2<f64> {
        let mut values = Array2::zeros(self.raw.raw_dim());
        self.write_values(values.view_mut());
        values
    }

    /// Some rows of columns that vary, each of mean 0 and variance 1 among them, or 0 where it does not vary
    /// there.
    pub(crate) fn write_core(&self, core: &[usize], mut out: ArrayViewMut2<'_, f64>) {
        for (column, mut out) in self.raw.columns().into_iter().zip(out.columns_mut()) {
            out.iter_mut().zip(core).for_each(|(value, row)| *value = f64::from(column[*row]));
            let mean = out.mean().unwrap_or_default();
            let sd = out.mapv(|value| (value - mean).powi(2)).mean().unwrap_or_default().sqrt();
            out.mapv_inplace(|value| if sd > 0.0 { (value - mean) / sd } else { 0.0 });
        }
    }

    /// For each row the maximum over columns of its distance from the median, in median distances.
    pub(crate) fn max_scaled_deviation(&self) -> Vec<f64> {
        let mut far = vec![0.0_f64; self.raw.nrows()];
        for (distances, typical) in self.raw.columns().into_iter().filter_map(distances) {
            far.iter_mut().zip(distances).for_each(|(far, distance)| *far = far.max(distance / typical));
        }
        far
    }

    /// The bits of some columns, row by row.
    pub(crate) fn bits(&self, columns: &[usize]) -> Vec<Vec<u32>> {
        let row = |row: ArrayView1<'_, f32>| columns.iter().map(|column| row[*column].to_bits()).collect();
        self.raw.rows().into_iter().map(row).collect()
    }

    pub(crate) fn write_values(&self, mut out: ArrayViewMut2<'_, f64>) {
        for (row, mut out) in out.rows_mut().into_iter().enumerate() {
            for ((value, raw), unit) in out.iter_mut().zip(self.raw.row(row)).zip(&self.units) {
                *value = (f64::from(*raw) - unit.mean) / unit.sd;
            }
            if !self.noise.is_empty() {
                let noise = self.noise.row(row).into_iter().zip(&self.units);
                out.iter_mut().zip(noise).for_each(|(value, (noise, unit))| *value += unit.jitter * noise);
            }
        }
    }

    /// The largest share of the rows of a column whose value occurs in others too.
    pub(crate) fn tied_share(&self) -> f64 {
        let most = self.raw.columns().into_iter().map(|column| tied_rows(column).len()).max();
        most.unwrap_or_default() as f64 / self.raw.nrows().max(1) as f64
    }

    /// Noise that is small relative to the spread of most values, however far the others are. It is drawn
    /// for each value by itself: given the values, noise knows nothing of the other side, so that the
    /// information stays as it is.
    pub(crate) fn jitter(&mut self, label: &str, seed: u64) {
        let mut generator = stream("mi/jitter", label, seed);
        let drawn: Array2<f64> =
            Array2::from_shape_simple_fn(self.raw.raw_dim(), || StandardNormal.sample(&mut generator));
        self.noise = Array2::zeros(self.raw.raw_dim());
        for (column, values) in self.raw.columns().into_iter().enumerate() {
            for row in tied_rows(values) {
                self.noise[[row, column]] = drawn[[row, column]];
            }
        }
        let distances = self.typical_distances();
        self.units.iter_mut().zip(distances).for_each(|(unit, distance)| unit.jitter = JITTER * distance);
    }

    /// Where the side is a single column most values of which occur often: for each row the number of its
    /// cell, in the order of the values. Neighbouring values that are rare share a cell of `least` rows.
    pub(crate) fn cells(&self, least: usize) -> Option<Vec<f64>> {
        let (1, n) = (self.width(), self.raw.nrows()) else { return None };
        if self.n_distinct * ROWS_EACH_VALUE > n {
            return None;
        }
        let column = self.raw.column(0);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_unstable_by(|a, b| column[*a].total_cmp(&column[*b]).then(a.cmp(b)));
        let mut cells = vec![0.0; n];
        let (mut cell, mut rows, mut left) = (0.0, 0, n);
        for tied in order.chunk_by(|a, b| column[*a] == column[*b]) {
            // What is left behind the last cell belongs to it.
            if rows >= least && left >= least {
                (cell, rows) = (cell + 1.0, 0);
            }
            tied.iter().for_each(|row| cells[*row] = cell);
            (rows, left) = (rows + tied.len(), left - tied.len());
        }
        (cell > 0.0).then_some(cells)
    }

    /// In standard deviations, at most 1. From the unchanged columns: after standardisation, values that
    /// are near each other in a column with a far one coincide.
    fn typical_distances(&self) -> Vec<f64> {
        let of = |(column, unit): (ArrayView1<'_, f32>, &Unit)| {
            distances(column).map_or(1.0, |(_, typical)| (typical / unit.sd).min(1.0))
        };
        self.raw.columns().into_iter().zip(&self.units).map(of).collect()
    }

    /// Normal scores of each column, equal values in the order of their noise.
    pub(crate) fn write_scores(&self, mut out: ArrayViewMut2<'_, f64>) {
        let quantiles = normal_quantiles(out.nrows());
        for (column, out) in out.columns_mut().into_iter().enumerate() {
            // Values of a column are far apart in memory.
            let raw = self.raw.column(column).to_vec();
            let noise = |row: usize| self.noise.get((row, column)).copied().unwrap_or_default();
            let compare =
                |a: usize, b: usize| raw[a].total_cmp(&raw[b]).then_with(|| noise(a).total_cmp(&noise(b)));
            write_scores(out, compare, &quantiles);
        }
    }

    /// The minimum over columns of the median distance between values, in standard deviations: far below 1
    /// where one value is far from all others.
    pub(crate) fn least_distance(&self) -> f64 {
        self.typical_distances().into_iter().fold(1.0, f64::min)
    }

    pub(crate) fn entropy_nats(&self) -> f64 {
        let mut counts = vec![0_u64; self.n_distinct];
        self.ids.iter().for_each(|id| counts[*id] += 1);
        entropy_nats(counts.into_iter())
    }
}
