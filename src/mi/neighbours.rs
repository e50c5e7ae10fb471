//! Nearest neighbours in the largest of two Chebyshev distances, by brute force in blocks of lanes.
//!
//! For n = 5000 a vector unit goes through all 25 million pairs faster than a k-d tree in scalar code finds its way, in two
//! dimensions and far more so in twelve; beyond some 100,000 rows a tree would win. Nothing is approximated: a count is over distances
//! that are computed twice by the same instructions, so that "strictly nearer" means what it says.

use rayon::prelude::*;

/// Values that a loop handles at once.
const LANES: usize = 16;
/// Rows that a thread takes at a time.
const BLOCK: usize = 64;

/// Columns of points, each padded to a multiple of [`LANES`].
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    values: Vec<Vec<[f32; LANES]>>,
    n: usize,
}

impl Columns {
    /// # Shapes
    /// `values` is `(n, d)`.
    pub(crate) fn new(values: ndarray::ArrayView2<'_, f64>) -> Self {
        let pad = |column: ndarray::ArrayView1<'_, f64>| {
            // Padding is infinitely far from every point.
            let mut chunks = vec![[f32::INFINITY; LANES]; column.len().div_ceil(LANES)];
            for (at, value) in column.iter().enumerate() {
                chunks[at / LANES][at % LANES] = *value as f32;
            }
            chunks
        };
        Self { values: values.columns().into_iter().map(pad).collect(), n: values.nrows() }
    }
}

/// For each point, how many points (itself among them) are nearer to it in `x` and in `y` than its `k`-th neighbour is in the larger
/// of both distances.
pub(crate) fn counts(x: &Columns, y: &Columns, k: usize) -> Vec<(u32, u32)> {
    let blocks = (0..x.n.div_ceil(BLOCK)).into_par_iter().map_init(Scratch::default, |scratch, block| {
        let rows = block * BLOCK..x.n.min((block + 1) * BLOCK);
        pulp::Arch::new().dispatch(Counts { x, y, k, rows, scratch })
    });
    blocks.collect::<Vec<_>>().concat()
}

#[derive(Default)]
struct Scratch {
    x: Vec<[f32; LANES]>,
    y: Vec<[f32; LANES]>,
}

struct Counts<'a> {
    x: &'a Columns,
    y: &'a Columns,
    k: usize,
    rows: std::ops::Range<usize>,
    scratch: &'a mut Scratch,
}

impl pulp::NullaryFnOnce for Counts<'_> {
    type Output = Vec<(u32, u32)>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { x, y, k, rows, scratch: Scratch { x: to_x, y: to_y } } = self;
        let mut found = Vec::with_capacity(rows.len());
        let mut nearest = vec![f32::INFINITY; k];
        for row in rows {
            distances(x, row, to_x);
            distances(y, row, to_y);
            // Its own distance must not be its nearest.
            let own = to_x[row / LANES][row % LANES];
            to_x[row / LANES][row % LANES] = f32::INFINITY;
            nearest.fill(f32::INFINITY);
            let mut farthest = f32::INFINITY;
            for (a, b) in to_x.iter().zip(to_y.iter()) {
                let mut larger = [0.0_f32; LANES];
                let mut some = false;
                for lane in 0..LANES {
                    larger[lane] = if a[lane] > b[lane] { a[lane] } else { b[lane] };
                    some |= larger[lane] < farthest;
                }
                if some {
                    for distance in larger {
                        if distance < farthest {
                            insert(&mut nearest, distance);
                            farthest = nearest[k - 1];
                        }
                    }
                }
            }
            to_x[row / LANES][row % LANES] = own;
            found.push((nearer(to_x, farthest), nearer(to_y, farthest)));
        }
        found
    }
}

/// Chebyshev distances of all points from one.
#[inline(always)]
fn distances(points: &Columns, row: usize, out: &mut Vec<[f32; LANES]>) {
    out.clear();
    out.resize(points.n.div_ceil(LANES), [0.0; LANES]);
    for column in &points.values {
        let own = column[row / LANES][row % LANES];
        for (out, chunk) in out.iter_mut().zip(column) {
            for lane in 0..LANES {
                let distance = (chunk[lane] - own).abs();
                out[lane] = if distance > out[lane] { distance } else { out[lane] };
            }
        }
    }
}

/// How many distances are strictly below a limit.
#[inline(always)]
fn nearer(distances: &[[f32; LANES]], limit: f32) -> u32 {
    let mut counts = [0_u32; LANES];
    for chunk in distances {
        for lane in 0..LANES {
            counts[lane] += u32::from(chunk[lane] < limit);
        }
    }
    counts.iter().sum()
}

/// Puts a value into an ascending list, whose last falls out.
fn insert(nearest: &mut [f32], value: f32) {
    let mut at = nearest.len() - 1;
    while at > 0 && nearest[at - 1] > value {
        nearest[at] = nearest[at - 1];
        at -= 1;
    }
    nearest[at] = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn counts_are_those_of_the_definition() {
        let (n, k) = (83, 3);
        let value = |row: usize, column: usize| ((row * 37 + column * 101) as f64 * 0.7).sin();
        let x = Array2::from_shape_fn((n, 2), |(row, column)| value(row, column));
        let y = Array2::from_shape_fn((n, 3), |(row, column)| value(row, column + 2));
        let far = |a: &Array2<f64>, i: usize, j: usize| {
            (0..a.ncols()).map(|c| (a[[i, c]] as f32 - a[[j, c]] as f32).abs()).fold(0.0_f32, f32::max)
        };
        let found = counts(&Columns::new(x.view()), &Columns::new(y.view()), k);
        for (i, found) in found.iter().enumerate() {
            let mut joint: Vec<f32> = (0..n).filter(|j| *j != i).map(|j| far(&x, i, j).max(far(&y, i, j))).collect();
            joint.sort_by(f32::total_cmp);
            let count = |a: &Array2<f64>| (0..n).filter(|j| far(a, i, *j) < joint[k - 1]).count() as u32;
            assert_eq!(*found, (count(&x), count(&y)), "{i}");
        }
    }
}
