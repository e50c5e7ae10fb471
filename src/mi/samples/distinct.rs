//! Finds repeated rows, so that each distinct pair of rows is processed once.
//!
//! The state of a token prefix is computed once, so equal states are bit-identical. Rows are therefore
//! compared bit by bit.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::Result;
use crate::numeric::matrix::Matrix;

/// The distinct pairs `(x, y)`. Pairs that share `x` are adjacent.
#[derive(Debug)]
pub(crate) struct Distinct {
    /// For each distinct pair, the first row in which it occurs.
    pub(crate) first: Vec<usize>,
    /// How often each distinct pair occurs; the sum is `n`.
    pub(crate) counts: Vec<u32>,
    /// For each group of pairs that share `x`, its range in `first` and `counts`.
    pub(crate) groups: Vec<Range<usize>>,
}

impl Distinct {
    /// Finds the distinct pairs of rows of two matrices with the same number of rows.
    pub(crate) fn new(x: &Matrix<'_>, y: &Matrix<'_>) -> Self {
        Self::of(ids(x), y)
    }

    /// Like [`Distinct::new`], but takes a label for each row instead of `x`.
    pub(crate) fn labelled(labels: &[u32], y: &Matrix<'_>) -> Self {
        let mut sorted = labels.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        Self::of((labels.iter().map(|&label| label as usize).collect(), sorted.len()), y)
    }

    /// Finds the distinct pairs, given an index of `x` for each row and the number of distinct indices.
    fn of((x_ids, n_inputs): (Vec<usize>, usize), y: &Matrix<'_>) -> Self {
        let y_ids = if n_inputs == y.rows() {
            // No two rows share x, so no two pairs are equal, and y need not be compared.
            vec![0; y.rows()]
        } else {
            ids(y).0
        };
        let mut order: Vec<usize> = (0..y.rows()).collect();
        order.sort_unstable_by_key(|&row| (x_ids[row], y_ids[row], row));

        let mut distinct = Self {
            first: Vec::with_capacity(n_inputs),
            counts: Vec::with_capacity(n_inputs),
            groups: Vec::with_capacity(n_inputs),
        };
        let mut previous = None;
        for row in order {
            let (x_id, y_id) = (x_ids[row], y_ids[row]);
            match (previous, distinct.counts.last_mut()) {
                (Some(pair), Some(count)) if pair == (x_id, y_id) => *count += 1,
                (before, _) => {
                    let at = distinct.first.len();
                    distinct.first.push(row);
                    distinct.counts.push(1);
                    match distinct.groups.last_mut() {
                        Some(group) if before.is_some_and(|(before, _)| before == x_id) => {
                            group.end = at + 1;
                        }
                        _ => distinct.groups.push(at..at + 1),
                    }
                }
            }
            previous = Some((x_id, y_id));
        }
        distinct
    }

    /// Number of distinct pairs.
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether some rows that share `x` differ in `y`.
    pub(crate) fn is_grouped(&self) -> bool {
        self.groups.len() < self.first.len()
    }

    /// Entropy of `y` given `x`, in nats. If each distinct pair counts as a separate `x`, the information
    /// grows by at most this entropy.
    pub(crate) fn within_nats(&self) -> f64 {
        let n = self.count(&(0..self.len())) as f64;
        let of_group = |group: &Range<usize>| {
            let total = self.count(group) as f64;
            let of_pair = |count: &u32| f64::from(*count) / n * (total / f64::from(*count)).ln();
            self.counts[group.clone()].iter().map(of_pair).sum::<f64>()
        };
        self.groups.iter().map(of_group).sum()
    }

    /// Returns the same pairs in order of first occurrence. Each pair forms its own group.
    pub(crate) fn ungrouped(&self) -> Self {
        let mut pairs: Vec<(usize, u32)> =
            self.first.iter().copied().zip(self.counts.iter().copied()).collect();
        pairs.sort_unstable();
        let (first, counts) = pairs.into_iter().unzip();
        Self { first, counts, groups: (0..self.len()).map(|at| at..at + 1).collect() }
    }

    /// The total count of the distinct pairs in `range`.
    pub(crate) fn count(&self, range: &Range<usize>) -> u64 {
        self.counts[range.clone()].iter().map(|&count| u64::from(count)).sum()
    }
}

/// For each row, the index of the distinct row that it equals, and the number of distinct rows. Distinct rows
/// are numbered by first occurrence.
pub(crate) fn ids(matrix: &Matrix<'_>) -> (Vec<usize>, usize) {
    let mut by_hash: Vec<(u64, usize)> = (0..matrix.rows()).map(|row| (hash(matrix.row(row)), row)).collect();
    by_hash.sort_unstable();

    // For each row, the first row that equals it. Rows with the same hash are compared, so a hash collision
    // only costs time.
    let mut leader: Vec<usize> = vec![0; matrix.rows()];
    for same_hash in by_hash.chunk_by(|a, b| a.0 == b.0) {
        let mut leaders: Vec<usize> = Vec::new();
        for &(_, row) in same_hash {
            let found = leaders.iter().copied().find(|&leader| matrix.rows_equal(leader, row));
            leader[row] = found.unwrap_or(row);
            if found.is_none() {
                leaders.push(row);
            }
        }
    }

    let mut ids = vec![0; matrix.rows()];
    let mut next = 0;
    for row in 0..matrix.rows() {
        if leader[row] == row {
            ids[row] = next;
            next += 1;
        } else {
            ids[row] = ids[leader[row]];
        }
    }
    (ids, next)
}

/// A label for each row. Bit-identical rows have the same label; labels are numbered from 0 in order of first
/// occurrence.
///
/// # Errors
/// [`crate::Error::NonFinite`] for NaN and infinity; the message names the matrix `what`.
pub(crate) fn row_labels(what: &str, rows: ArrayView2<'_, f32>) -> Result<Vec<u32>> {
    let (ids, _) = ids(&Matrix::new(what, rows)?);
    Ok(ids.into_iter().map(|id| id as u32).collect())
}

/// A hash of the bits of a row. Four independent chains of multiplication and rotation can run in parallel.
fn hash(row: &[f32]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 divided by the golden ratio (Knuth).
    let mix = |state: u64, low: f32, high: f32| {
        let bits = u64::from(low.to_bits()) | (u64::from(high.to_bits()) << 32);
        (state ^ bits).wrapping_mul(MULTIPLIER).rotate_left(29)
    };
    let (chunks, rest) = row.as_chunks::<8>();
    let mut states = [1_u64, 2, 3, 4];
    for chunk in chunks {
        for (lane, state) in states.iter_mut().enumerate() {
            *state = mix(*state, chunk[2 * lane], chunk[2 * lane + 1]);
        }
    }
    let start =
        states.into_iter().fold(0_u64, |hash, state| (hash ^ state).wrapping_mul(MULTIPLIER).rotate_left(29));
    rest.iter().fold(start, |hash, &value| mix(hash, value, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn distinct(x: &Array2<f32>, y: &Array2<f32>) -> Distinct {
        let x = Matrix::new("x", x.view()).expect("finite");
        let y = Matrix::new("y", y.view()).expect("finite");
        Distinct::new(&x, &y)
    }

    #[test]
    fn equal_pairs_are_counted_and_pairs_that_share_x_lie_together() {
        let x = array![[1.0], [2.0], [1.0], [2.0], [1.0], [3.0]];
        let y = array![[5.0], [6.0], [7.0], [6.0], [5.0], [6.0]];
        let found = distinct(&x, &y);
        assert_eq!(found.first, [0, 2, 1, 5]);
        assert_eq!(found.counts, [2, 1, 2, 1]);
        assert_eq!(found.groups, [0..2, 2..3, 3..4]);
        assert!(found.is_grouped());
        assert_eq!(found.count(&(0..2)), 3);
        // Three rows share x; two of these also share y.
        let exact = 2.0 / 6.0 * 1.5_f64.ln() + 1.0 / 6.0 * 3.0_f64.ln();
        assert!((found.within_nats() - exact).abs() < 1e-15);
        let apart = found.ungrouped();
        assert_eq!(
            (apart.first, apart.counts, apart.groups),
            (vec![0, 1, 2, 5], vec![2, 2, 1, 1], vec![0..1, 1..2, 2..3, 3..4])
        );
    }

    #[test]
    fn rows_with_one_y_for_each_x_are_not_grouped() {
        let x = array![[1.0, 0.0], [1.0, 1e-40], [1.0, -0.0]];
        let y = array![[5.0], [6.0], [5.0]];
        let found = distinct(&x, &y);
        assert_eq!(found.counts, [2, 1]);
        assert!(!found.is_grouped());
    }

    #[test]
    fn rows_wider_than_the_chunk_of_the_hash_differ_by_any_column() {
        for column in 0..19 {
            let mut x = Array2::<f32>::ones((2, 19));
            x[[1, column]] = 2.0;
            assert_eq!(distinct(&x, &x).len(), 2, "column {column}");
        }
    }
}
