//! Defines the paired samples that every estimator except `channel` uses. The values are checked and
//! standardised in `f64`, and constant columns are removed.

use ndarray::{Array2, ArrayViewMut2, s};

use super::block::Block;
use crate::mi::{Ceilings, Estimate, Flag, Kind, Pairs};
use crate::numeric::linear;
use crate::numeric::statistics::entropy_nats;
use crate::{Error, Result};

/// Samples with fewer rows than this are flagged.
pub(crate) const SMALL_SAMPLE: usize = 50;
/// A row is an outlier if one of its values is this many typical distances from the median of its column.
const FAR: f64 = 1e3;
/// Estimates above this fraction of `log n` are flagged.
pub(crate) const TRUSTED: f64 = 0.60;
/// The fraction of rows that must be distinct for nearest neighbours, and the fraction of pairs that must be
/// distinct for a reliable standard error.
pub(crate) const LEAST_DISTINCT: f64 = 0.99;

/// Minimum number of rows per cell of a discrete column.
const LEAST_CELL_ROWS: usize = 12;
/// Maximum number of cells of a discrete column.
const MOST_CELLS: usize = 96;

/// How often each pair of values occurs.
pub(crate) fn pair_counts(x: &[usize], y: &[usize]) -> Vec<u64> {
    let mut pairs: Vec<(usize, usize)> = x.iter().copied().zip(y.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.chunk_by(|a, b| a == b).map(|chunk| chunk.len() as u64).collect()
}

/// Both sides of the samples, and the fields that all estimates from these samples have in common.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    pub(crate) estimator: &'static str,
    pub(crate) x: Block,
    pub(crate) y: Block,
    pub(crate) n: usize,
    ceilings: Ceilings,
    pub(crate) flags: Vec<Flag>,
}

/// The part of an estimate that depends on the estimator.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawEstimate {
    pub(crate) mi_nats: f64,
    pub(crate) lower_nats: Option<f64>,
    pub(crate) upper_nats: Option<f64>,
    pub(crate) stderr_nats: Option<f64>,
    pub(crate) optimism_nats: Option<f64>,
    /// Logarithm of the number of pairs that a contrastive bound compares.
    pub(crate) compared_nats: Option<f64>,
    pub(crate) flags: Vec<Flag>,
}

impl Samples {
    /// Checks and standardises both sides.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for a value that is NaN or infinite.
    pub(crate) fn new(estimator: &'static str, pairs: &Pairs<'_>) -> Result<Self> {
        let n = pairs.n();
        let (x, y) = (Block::new("x", pairs.x())?, Block::new("y", pairs.y())?);
        let ceilings = Ceilings {
            log_n_nats: (n as f64).ln(),
            input_entropy_nats: x.entropy_nats(),
            output_entropy_nats: Some(y.entropy_nats()),
            gaussian_nats: None,
            compared_nats: None,
        };
        let flags = if n < SMALL_SAMPLE { vec![Flag::SmallSample] } else { vec![] };
        Ok(Self { estimator, x, y, n, ceilings, flags })
    }

    pub(crate) fn dx(&self) -> usize {
        self.x.width()
    }

    pub(crate) fn dy(&self) -> usize {
        self.y.width()
    }

    /// Returns an estimate of zero if no column of a side varies; otherwise `None`.
    pub(crate) fn constant(&self, kind: Kind) -> Option<Estimate> {
        (self.dx() == 0 || self.dy() == 0).then(|| {
            let zero =
                RawEstimate { stderr_nats: Some(0.0), flags: vec![Flag::Constant], ..RawEstimate::default() };
            self.report(kind, zero)
        })
    }

    /// How often each distinct pair of rows occurs.
    pub(crate) fn pair_counts(&self) -> Vec<u64> {
        pair_counts(&self.x.ids, &self.y.ids)
    }

    /// Flags the samples if more than 1 % of the pairs are copies of other pairs. Estimators that use all
    /// copies need this flag, because copies make the standard error too small.
    pub(crate) fn flag_duplicates(&mut self) {
        if (self.pair_counts().len() as f64) < LEAST_DISTINCT * self.n as f64 {
            self.flags.push(Flag::Repeated);
        }
    }

    /// Removes repeated pairs if at least half of the pairs are distinct and one side is enough to
    /// distinguish the distinct pairs. In that case, equal pairs are copies, as in a bootstrap sample, and
    /// would appear as dependence in nearest-neighbour estimates and held-out scores. Values that repeat with
    /// different partners are kept.
    pub(crate) fn count_copies_once(&mut self) {
        let pairs = self.pair_counts().len();
        if pairs == self.n || pairs < self.n / 2 || pairs != self.x.n_distinct.max(self.y.n_distinct) {
            return;
        }
        let finer = if self.x.n_distinct == pairs { &self.x.ids } else { &self.y.ids };
        let mut seen = vec![false; pairs];
        let first: Vec<usize> =
            (0..self.n).filter(|row| !std::mem::replace(&mut seen[finer[*row]], true)).collect();
        for block in [&mut self.x, &mut self.y] {
            block.keep_rows(&first);
        }
        self.n = first.len();
        self.ceilings.log_n_nats = (self.n as f64).ln();
        self.ceilings.input_entropy_nats = self.x.entropy_nats();
        self.ceilings.output_entropy_nats = Some(self.y.entropy_nats());
        self.flags.push(Flag::Copies);
    }

    /// Checks that there are enough rows for a joint covariance, and flags samples with fewer than 1.5 rows
    /// for each column.
    ///
    /// # Errors
    /// [`Error::Samples`] if `n < d_x + d_y + 2`.
    pub(crate) fn need_covariance(&mut self) -> Result<()> {
        let d = self.dx() + self.dy();
        if self.n < d + 2 {
            let reason = format!(
                "{} rows are too few for {} + {} columns; give at least {} rows, or reduce the number of \
                 columns",
                self.n,
                self.dx(),
                self.dy(),
                d + 2
            );
            return Err(Error::Samples { estimator: self.estimator, reason });
        }
        if (self.n as f64) < 1.5 * d as f64 {
            self.flags.push(Flag::FewRows);
        }
        Ok(())
    }

    /// Removes columns that are linear functions of other columns on their side. Returns the estimate if a
    /// remaining column of one side is a linear function of the other side; otherwise `None`.
    pub(crate) fn need_independence(&mut self, kind: Kind) -> Option<Estimate> {
        match self.core() {
            None => self.determined(kind, self.n, &Block::write_values),
            Some(core) => {
                self.determined(kind, core.len(), &|block: &Block, out| block.write_core(&core, out))
            }
        }
    }

    /// Like [`Samples::need_independence`], but also tests the ranks, because rank-based estimators give the
    /// same result for `x` and `exp x`.
    pub(crate) fn need_independent_ranks(&mut self, kind: Kind) -> Option<Estimate> {
        self.need_independence(kind).or_else(|| self.determined(kind, self.n, &Block::write_scores))
    }

    /// The rows without outliers; `None` if there are no outliers. A single extreme row makes two columns
    /// nearly proportional, regardless of the other rows. A truly linear dependence remains when outliers are
    /// removed.
    fn core(&self) -> Option<Vec<usize>> {
        let far: Vec<f64> = self
            .x
            .max_scaled_deviation()
            .into_iter()
            .zip(self.y.max_scaled_deviation())
            .map(|(x, y)| x.max(y))
            .collect();
        let least = (self.n / 2).max(2 * (self.dx() + self.dy() + 1)).clamp(1, self.n);
        let mut sorted = far.clone();
        let limit = sorted.select_nth_unstable_by(least - 1, f64::total_cmp).1.max(FAR);
        let core: Vec<usize> = (0..self.n).filter(|row| far[*row] <= limit).collect();
        (core.len() < self.n).then_some(core)
    }

    /// Tests for linear functions, within each side and then between the sides. `seen` writes `rows` rows of
    /// the values or ranks to test.
    fn determined(
        &mut self,
        kind: Kind,
        rows: usize,
        seen: &dyn Fn(&Block, ArrayViewMut2<'_, f64>),
    ) -> Option<Estimate> {
        // A column that does not vary over these rows does not count as a function of other columns.
        let independent = |z: Array2<f64>| {
            let mut covariance = linear::covariance(z.view());
            covariance.diag_mut().mapv_inplace(|variance| if variance > 0.0 { variance } else { 1.0 });
            linear::independent_columns(&covariance)
        };
        for block in [&mut self.x, &mut self.y] {
            let mut z = Array2::zeros((rows, block.width()));
            seen(block, z.view_mut());
            let kept = independent(z);
            if kept.iter().any(|kept| !kept) {
                let columns: Vec<usize> = (0..kept.len()).filter(|column| kept[*column]).collect();
                block.keep_columns(&columns);
                if !self.flags.contains(&Flag::Collinear) {
                    self.flags.push(Flag::Collinear);
                }
            }
        }
        let kept = independent(self.written(rows, seen));
        let dependent: Vec<usize> = (self.dx()..kept.len()).filter(|column| !kept[*column]).collect();
        if dependent.is_empty() {
            return None;
        }
        // If the dependent columns have few distinct values, the information is at least the entropy of these
        // columns. The additional information of the other columns is unknown.
        let mut shared = self.y.bits(&dependent.iter().map(|column| column - self.dx()).collect::<Vec<_>>());
        shared.sort_unstable();
        let counts: Vec<u64> = shared.chunk_by(|a, b| a == b).map(|chunk| chunk.len() as u64).collect();
        if counts.len() <= self.n / 2 && (dependent.len() < self.dy() || self.x.n_distinct == self.n) {
            let least = entropy_nats(counts.into_iter());
            let found = RawEstimate {
                mi_nats: least,
                lower_nats: Some(least),
                flags: vec![Flag::SharedValues],
                ..RawEstimate::default()
            };
            return Some(self.report(kind, found));
        }
        // If values repeat, the information is finite: it is the entropy that both sides share.
        let least = self.ceilings.least_nats();
        let repeated = self.x.n_distinct.min(self.y.n_distinct) < self.n;
        let mi_nats = if repeated { least } else { f64::INFINITY };
        Some(
            self.report(kind, RawEstimate { mi_nats, flags: vec![Flag::Infinite], ..RawEstimate::default() }),
        )
    }

    /// Standardised values of all columns, `(n, d_x + d_y)`.
    pub(crate) fn joint(&self) -> Array2<f64> {
        self.written(self.n, &Block::write_values)
    }

    /// Normal scores of all columns, `(n, d_x + d_y)`. Equal values are ordered by their noise.
    pub(crate) fn scores(&self) -> Array2<f64> {
        self.written(self.n, &Block::write_scores)
    }

    /// Like [`Samples::scores`], but releases the memory of the values, which cannot be used afterwards.
    pub(crate) fn take_scores(&mut self) -> Array2<f64> {
        let scores = self.scores();
        self.x.release_values();
        self.y.release_values();
        scores
    }

    fn written(&self, rows: usize, seen: &dyn Fn(&Block, ArrayViewMut2<'_, f64>)) -> Array2<f64> {
        let mut out = Array2::zeros((rows, self.dx() + self.dy()));
        seen(&self.x, out.slice_mut(s![.., ..self.dx()]));
        seen(&self.y, out.slice_mut(s![.., self.dx()..]));
        out
    }

    /// Adds seeded noise to values that occur more than once in their column. Flags the samples if rows are
    /// equal or more than 1 % of the values of a column are tied.
    pub(crate) fn jitter(&mut self, seed: u64) {
        for (label, block) in [("x", &mut self.x), ("y", &mut self.y)] {
            let (has_equal_rows, tied) = (block.n_distinct < self.n, block.tied_share());
            if has_equal_rows || tied > 0.0 {
                block.jitter(label, seed);
            }
            let is_flagged = has_equal_rows || tied > 1.0 - LEAST_DISTINCT;
            if is_flagged && !self.flags.contains(&Flag::Jittered) {
                self.flags.push(Flag::Jittered);
            }
        }
    }

    /// The cells of each side; `None` for a side that is not a discrete column.
    pub(crate) fn cells(&self) -> [Option<Vec<f64>>; 2] {
        let least = LEAST_CELL_ROWS.max(self.n / MOST_CELLS);
        [self.x.cells(least), self.y.cells(least)]
    }

    /// Completes an estimate: adds the fields that all estimates from these samples have in common, and
    /// applies the ceiling.
    pub(crate) fn report(&self, kind: Kind, found: RawEstimate) -> Estimate {
        let ceilings = Ceilings { compared_nats: found.compared_nats, ..self.ceilings };
        let ceiling_nats = ceilings.least_nats();
        let mut flags = self.flags.clone();
        flags.extend(found.flags);
        let mut mi_nats = found.mi_nats;
        if !flags.contains(&Flag::Infinite) {
            if mi_nats > TRUSTED * self.ceilings.log_n_nats {
                flags.push(Flag::NearCeiling);
            }
            let chance = if kind == Kind::Consistent { 0.0 } else { 3.0 * found.stderr_nats.unwrap_or(0.0) };
            if mi_nats > ceiling_nats + chance + 1e-9 {
                flags.push(Flag::AboveCeiling);
            }
            // Samples cannot support a bound above the ceiling (McAllester & Stratos 2020). A larger bound is
            // an artefact of too few informative pairs, so cap the bound.
            if matches!(kind, Kind::Consistent | Kind::LowerBound) {
                mi_nats = mi_nats.min(ceiling_nats);
            }
        }
        Estimate {
            noise_scale: None,
            kind,
            mi_nats,
            lower_nats: found.lower_nats.map(|nats| nats.min(ceiling_nats)),
            upper_nats: found.upper_nats,
            stderr_nats: found.stderr_nats,
            ceiling_nats,
            ceilings,
            optimism_nats: found.optimism_nats,
            n: self.n,
            n_distinct: self.x.n_distinct,
            dims: [self.x.columns, self.y.columns],
            constant_x: self.x.constant.clone(),
            constant_y: self.y.constant.clone(),
            flags,
        }
    }
}
