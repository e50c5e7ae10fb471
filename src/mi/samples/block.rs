//! Defines one side of paired samples, with its unchanged columns, standardised values and normal scores.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rand_distr::{Distribution, StandardNormal};

use super::distinct;
use crate::Result;
use crate::numeric::matrix::Matrix;
use crate::numeric::normal_scores::{normal_quantiles, write_scores};
use crate::numeric::statistics::{entropy_nats, median};
use crate::seed::stream;

/// A column whose standard deviation is at most this fraction of its mean counts as constant, because such
/// variation is `f32` rounding error.
const CONSTANT: f64 = 2e-7;
/// Size of the noise that breaks ties, relative to the typical distance of the values of a column from their
/// median.
const JITTER: f64 = 1e-6;
/// A column is discrete if each value occurs in at least this many rows on average.
const ROWS_EACH_VALUE: usize = 5;

/// The distances of values from their median, and the *typical distance*: the median of the nonzero
/// distances. `None` if all values are equal.
fn distances(values: ArrayView1<'_, f32>) -> Option<(Vec<f64>, f64)> {
    let centre = median(values.iter().map(|value| f64::from(*value)).collect())?;
    let distances: Vec<f64> = values.iter().map(|value| (f64::from(*value) - centre).abs()).collect();
    let typical = median(distances.iter().copied().filter(|distance| *distance > 0.0).collect())?;
    Some((distances, typical))
}

/// The rows whose value also occurs in other rows of the column.
fn tied_rows(values: ArrayView1<'_, f32>) -> Vec<usize> {
    let mut sorted: Vec<(f32, usize)> = values.iter().copied().zip(0..).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let tied = sorted.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk.len() > 1);
    tied.flatten().map(|(_, row)| *row).collect()
}

/// One side of the pairs.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The unchanged values of the columns that vary, `(n, d)`. If a column has one extreme value, its other
    /// values can differ here but coincide after standardisation.
    raw: Array2<f32>,
    units: Vec<Unit>,
    /// Seeded noise that orders equal values of a column; 0 for values that occur once. The array is empty
    /// until [`Block::jitter`] is called.
    noise: Array2<f64>,
    /// Columns that do not vary.
    pub(crate) constant: Vec<usize>,
    /// For each row, the index of the distinct row that it equals. Distinct rows are numbered from 0 in order
    /// of first occurrence.
    pub(crate) ids: Vec<usize>,
    /// Number of distinct rows.
    pub(crate) n_distinct: usize,
    /// Number of columns of the input.
    pub(crate) columns: usize,
}

/// How a column is standardised.
#[derive(Debug, Clone, Copy)]
struct Unit {
    mean: f64,
    sd: f64,
    /// Size of the noise that separates equal values, in standard deviations of the column.
    jitter: f64,
}

impl Block {
    pub(crate) fn new(what: &str, view: ArrayView2<'_, f32>) -> Result<Self> {
        // Replace -0 by +0, so that both are the same value.
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

    /// Number of columns in use, without constant and collinear columns.
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

    /// The standardised columns, `(n, d)`: mean 0 and variance 1 before the noise is added.
    pub(crate) fn values(&self) -> Array2<f64> {
        let mut values = Array2::zeros(self.raw.raw_dim());
        self.write_values(values.view_mut());
        values
    }

    /// Writes the rows of `core`. Each column is standardised over these rows. A column that does not vary
    /// over these rows becomes 0.
    pub(crate) fn write_core(&self, core: &[usize], mut out: ArrayViewMut2<'_, f64>) {
        for (column, mut out) in self.raw.columns().into_iter().zip(out.columns_mut()) {
            out.iter_mut().zip(core).for_each(|(value, row)| *value = f64::from(column[*row]));
            let mean = out.mean().unwrap_or_default();
            let sd = out.mapv(|value| (value - mean).powi(2)).mean().unwrap_or_default().sqrt();
            out.mapv_inplace(|value| if sd > 0.0 { (value - mean) / sd } else { 0.0 });
        }
    }

    /// For each row, the maximum over columns of the distance from the column median, divided by the typical
    /// distance of the column.
    pub(crate) fn max_scaled_deviation(&self) -> Vec<f64> {
        let mut far = vec![0.0_f64; self.raw.nrows()];
        for (distances, typical) in self.raw.columns().into_iter().filter_map(distances) {
            far.iter_mut().zip(distances).for_each(|(far, distance)| *far = far.max(distance / typical));
        }
        far
    }

    /// The bit patterns of the given columns, row by row.
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

    /// The largest share, over columns, of rows whose value also occurs in other rows of the column.
    pub(crate) fn tied_share(&self) -> f64 {
        let most = self.raw.columns().into_iter().map(|column| tied_rows(column).len()).max();
        most.unwrap_or_default() as f64 / self.raw.nrows().max(1) as f64
    }

    /// Adds noise to equal values. The noise is small relative to the spread of most values, even if there
    /// are extreme values. It is drawn independently of the other side, so it does not change the
    /// information.
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

    /// For each row, the index of its cell, in the order of the values. Rare neighbouring values share a cell
    /// of at least `least` rows. `None` unless the side is a single discrete column with at least two cells.
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
            // If fewer than `least` rows remain, they belong to the last cell.
            if rows >= least && left >= least {
                (cell, rows) = (cell + 1.0, 0);
            }
            tied.iter().for_each(|row| cells[*row] = cell);
            (rows, left) = (rows + tied.len(), left - tied.len());
        }
        (cell > 0.0).then_some(cells)
    }

    /// The typical distance of each column in standard deviations, at most 1. It is computed from the
    /// unchanged columns, because after standardisation close values of a column with an extreme value can
    /// coincide.
    fn typical_distances(&self) -> Vec<f64> {
        let of = |(column, unit): (ArrayView1<'_, f32>, &Unit)| {
            distances(column).map_or(1.0, |(_, typical)| (typical / unit.sd).min(1.0))
        };
        self.raw.columns().into_iter().zip(&self.units).map(of).collect()
    }

    /// Writes the normal scores of each column. Equal values are ordered by their noise.
    pub(crate) fn write_scores(&self, mut out: ArrayViewMut2<'_, f64>) {
        let quantiles = normal_quantiles(out.nrows());
        for (column, out) in out.columns_mut().into_iter().enumerate() {
            // Copy the column, because its values are far apart in memory.
            let raw = self.raw.column(column).to_vec();
            let noise = |row: usize| self.noise.get((row, column)).copied().unwrap_or_default();
            let compare =
                |a: usize, b: usize| raw[a].total_cmp(&raw[b]).then_with(|| noise(a).total_cmp(&noise(b)));
            write_scores(out, compare, &quantiles);
        }
    }

    /// The minimum over columns of the typical distance, in standard deviations. It is far below 1 if one
    /// value is far from all others.
    pub(crate) fn least_distance(&self) -> f64 {
        self.typical_distances().into_iter().fold(1.0, f64::min)
    }

    pub(crate) fn entropy_nats(&self) -> f64 {
        let mut counts = vec![0_u64; self.n_distinct];
        self.ids.iter().for_each(|id| counts[*id] += 1);
        entropy_nats(counts.into_iter())
    }
}
