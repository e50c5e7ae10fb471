//! Rows that occur more than once, counted: each distinct pair of rows is worked on once.
//!
//! States are computed once per distinct prefix, so rows that mean the same are equal bit by bit, and equality of bits is what is
//! tested here. Only where rows that share `x` do differ in `y` is there a second look, for rows that would share `x` but for rounding.

use std::ops::Range;

use super::matrix::Matrix;

/// Rows that share `x` and differ in `y` are a matter of rounding while they are fewer than this share of all: `x` determines `y`, but for
/// a few states that `f32` cannot tell apart. Ignoring them costs at most this share times the log of their group's size.
const FEW: f64 = 0.01;

/// Coordinates that agree to this fraction of their column's largest value, eight units in the last place of `f32`, differ by rounding.
const ROUNDING: f32 = 1.0 / (1 << 20) as f32;

/// The distinct rows of the pair `(x, y)`, those that share `x` next to each other.
#[derive(Debug)]
pub(crate) struct Distinct {
    /// For each distinct pair the first row at which it occurs.
    pub(crate) first: Vec<usize>,
    /// How often each distinct pair occurs; the sum is `n`.
    pub(crate) counts: Vec<u32>,
    /// For each group of pairs that share `x`, in order, where it lies in `first` and `counts`.
    pub(crate) groups: Vec<Range<usize>>,
}

impl Distinct {
    /// Finds the distinct rows of two matrices with the same number of rows.
    pub(crate) fn new(x: &Matrix<'_>, y: &Matrix<'_>) -> Self {
        let (x_ids, n_inputs) = ids(x);
        let y_ids = if n_inputs == x.rows() {
            // No two rows share x, so no two pairs are equal and y need not be looked at.
            vec![0; x.rows()]
        } else {
            ids(y).0
        };
        let mut order: Vec<usize> = (0..x.rows()).collect();
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

    /// Distinct pairs.
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// True where more than a few rows that share `x` differ in `y`.
    pub(crate) fn is_grouped(&self) -> bool {
        let shared: u64 = self.groups.iter().filter(|group| group.len() > 1).map(|group| self.count(group)).sum();
        shared as f64 > FEW * self.count(&(0..self.len())) as f64
    }

    /// For each group that is a single row, another group whose `x` is the same but for rounding, the largest there is.
    ///
    /// An attention that falls all but entirely on one token leaves the others' share in the last bits of a state: such rows are alone by accident.
    pub(crate) fn near(&self, x: &Matrix<'_>) -> Vec<Option<usize>> {
        let mut within = vec![0.0_f32; x.columns()];
        for row in 0..x.rows() {
            within.iter_mut().zip(x.row(row)).for_each(|(most, value)| *most = most.max(value.abs() * ROUNDING));
        }
        let row_of = |group: usize| x.row(self.first[self.groups[group].start]);
        let same = |a: usize, b: usize| {
            row_of(a).iter().zip(row_of(b)).zip(&within).all(|((a, b), within)| (a - b).abs() <= *within)
        };
        let groups = 0..self.groups.len();
        let size = |group: usize| self.count(&self.groups[group]);
        let largest = |alone: usize| {
            groups.clone().filter(|&other| other != alone && same(alone, other)).max_by_key(|&g| size(g))
        };
        groups.clone().map(|group| if size(group) == 1 { largest(group) } else { None }).collect()
    }

    /// How often the distinct pairs in `range` occur together.
    pub(crate) fn count(&self, range: &Range<usize>) -> u64 {
        self.counts[range.clone()].iter().map(|&count| u64::from(count)).sum()
    }
}

/// For each row the number of its value, numbered by first occurrence; and how many values there are.
fn ids(matrix: &Matrix<'_>) -> (Vec<usize>, usize) {
    let mut by_hash: Vec<(u64, usize)> = (0..matrix.rows()).map(|row| (hash(matrix.row(row)), row)).collect();
    by_hash.sort_unstable();

    // For each row the first row that equals it. Rows of one hash are compared, so a collision costs time and never correctness.
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

/// A hash of the bits of a row: four chains of multiply and rotate, so that one need not wait for another.
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
    let start = states.into_iter().fold(0_u64, |hash, state| (hash ^ state).wrapping_mul(MULTIPLIER).rotate_left(29));
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
    }

    #[test]
    fn rows_with_one_y_for_each_x_are_not_grouped() {
        let x = array![[1.0, 0.0], [1.0, -0.0], [1.0, 0.0]];
        let y = array![[5.0], [6.0], [5.0]];
        let found = distinct(&x, &y);
        assert_eq!(found.counts, [2, 1]);
        assert!(!found.is_grouped());
    }

    #[test]
    fn a_row_alone_by_rounding_finds_its_group() {
        let next = f32::from_bits(3.0_f32.to_bits() + 1);
        let x = array![[3.0], [3.0], [next], [3.1], [3.0 - 1e-3]];
        let y = array![[5.0], [6.0], [7.0], [8.0], [9.0]];
        let found = distinct(&x, &y);
        let matrix = Matrix::new("x", x.view()).expect("finite");
        assert_eq!(found.near(&matrix), [None, Some(0), None, None]);
    }

    #[test]
    fn a_few_collisions_do_not_group_the_rest() {
        let collide = |pairs: usize| {
            let x = Array2::from_shape_fn((1000, 1), |(row, _)| if row < 2 * pairs { row / 2 } else { row } as f32);
            distinct(&x, &Array2::from_shape_fn((1000, 1), |(row, _)| row as f32)).is_grouped()
        };
        assert!(!collide(0) && !collide(5) && collide(6));
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
