//! A tree of boxes for the Chebyshev distance. It finds the distance to the `k`-th neighbour, and counts the
//! points that are strictly nearer than a limit.
//!
//! The points are halved repeatedly along the widest side of their box, and every [`LANES`] boxes have one
//! parent. Vector instructions therefore process all children of a box, or all points of a leaf, at once.
//! Every distance, and every bound of a box, is one subtraction in `f32`. Rounding preserves order, so
//! skipping a box never changes a count, and the results are exact, including ties.
//!
//! # References
//! Bentley 1975; Friedman, Bentley, Finkel 1977.

use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

/// Values that a loop processes at once. This is also the maximum number of points in a leaf and of children
/// of a box.
const LANES: usize = 16;
/// Number of leaves per parallel task.
const BLOCK: usize = 16;

type Lanes = [f32; LANES];

/// The boxes at one depth of the tree. The children of one box form a group.
#[derive(Debug, Default)]
struct Level {
    /// Lower ends of the boxes, for each group and coordinate; infinite for missing boxes.
    low: Vec<Lanes>,
    high: Vec<Lanes>,
    /// Numbers of points in the boxes of each group.
    sizes: Vec<[u32; LANES]>,
}

#[derive(Debug)]
pub(crate) struct Tree {
    d: usize,
    n: usize,
    /// The levels from the root, which is a single group, to the leaves. The children of box `i` of a level
    /// are group `i` of the next level.
    levels: Vec<Level>,
    /// Values of the points, for each leaf and coordinate; infinite for missing points.
    leaves: Vec<Lanes>,
    /// For each leaf, the row indices of its points.
    rows: Vec<Vec<usize>>,
}

impl Tree {
    /// Builds the tree.
    ///
    /// # Shapes
    /// `points` is `(n, d)`.
    pub(crate) fn new(points: ArrayView2<'_, f64>) -> Self {
        let (n, d) = points.dim();
        let values: Vec<f32> = points.iter().map(|value| *value as f32).collect();
        let mut depth = 0;
        while n.div_ceil(1 << depth) > LANES {
            depth += 1;
        }
        let mut rows = Vec::with_capacity(1 << depth);
        halve(&mut (0..n).collect::<Vec<_>>(), depth, &values, d, &mut rows);
        let mut leaves = vec![[f32::INFINITY; LANES]; rows.len() * d];
        let mut boxes = Vec::with_capacity(rows.len());
        for (leaf, rows) in rows.iter().enumerate() {
            for (lane, row) in rows.iter().enumerate() {
                for column in 0..d {
                    leaves[leaf * d + column][lane] = values[row * d + column];
                }
            }
            boxes.push((enclose(rows, &values, d), rows.len() as u32));
        }
        let mut levels = vec![];
        loop {
            levels.push(Level::new(&boxes, d));
            if boxes.len() <= LANES {
                break;
            }
            let above = boxes.chunks(LANES).map(|group| {
                let sides = (0..d).map(|column| {
                    let ends = |of: fn(f32, f32) -> f32, end: usize| {
                        group.iter().map(|b| b.0[column][end]).fold(group[0].0[column][end], of)
                    };
                    [ends(f32::min, 0), ends(f32::max, 1)]
                });
                (sides.collect(), group.iter().map(|b| b.1).sum())
            });
            boxes = above.collect();
        }
        levels.reverse();
        Self { d, n, levels, leaves, rows }
    }

    /// The distance of each point to its `k`-th neighbour, in row order.
    pub(crate) fn distances(&self, k: usize) -> Vec<f32> {
        self.each(f32::INFINITY, |leaves| pulp::Arch::new().dispatch(Distances { tree: self, k, leaves }))
    }

    /// For each point, the number of points (including itself) that are nearer than its limit.
    pub(crate) fn counts(&self, limits: &[f32]) -> Vec<u32> {
        self.each(0, |leaves| pulp::Arch::new().dispatch(Counts { tree: self, limits, leaves }))
    }

    /// Evaluates a query for each point. It proceeds leaf by leaf, so that successive queries visit the same
    /// boxes.
    fn each<T: Copy + Send>(&self, none: T, of: impl Fn(Range<usize>) -> Vec<T> + Sync) -> Vec<T> {
        let leaves = self.rows.len();
        let blocks = (0..leaves.div_ceil(BLOCK)).into_par_iter();
        let found: Vec<Vec<T>> = blocks.map(|at| of(at * BLOCK..leaves.min((at + 1) * BLOCK))).collect();
        let mut out = vec![none; self.n];
        self.rows
            .iter()
            .flatten()
            .zip(found.into_iter().flatten())
            .for_each(|(row, value)| out[*row] = value);
        out
    }

    /// Distances of the points of a leaf from a given point.
    #[inline(always)]
    fn scan(&self, leaf: usize, from: &[f32]) -> Lanes {
        let mut out = [0.0_f32; LANES];
        for (chunk, own) in self.leaves[leaf * self.d..][..self.d].iter().zip(from) {
            for lane in 0..LANES {
                out[lane] = larger((chunk[lane] - own).abs(), out[lane]);
            }
        }
        out
    }

    #[inline(always)]
    fn point(&self, leaf: usize, lane: usize, out: &mut Vec<f32>) {
        out.clear();
        out.extend(self.leaves[leaf * self.d..][..self.d].iter().map(|chunk| chunk[lane]));
    }
}

impl Level {
    fn new(boxes: &[(Vec<[f32; 2]>, u32)], d: usize) -> Self {
        let groups = boxes.len().div_ceil(LANES);
        let mut level = Self {
            low: vec![[f32::INFINITY; LANES]; groups * d],
            high: vec![[f32::NEG_INFINITY; LANES]; groups * d],
            sizes: vec![[0; LANES]; groups],
        };
        for (at, (sides, size)) in boxes.iter().enumerate() {
            let (group, lane) = (at / LANES, at % LANES);
            level.sizes[group][lane] = *size;
            for (column, side) in sides.iter().enumerate() {
                level.low[group * d + column][lane] = side[0];
                level.high[group * d + column][lane] = side[1];
            }
        }
        level
    }

    /// The minimum distance from a point to each box of a group.
    #[inline(always)]
    fn least(&self, group: usize, from: &[f32]) -> Lanes {
        let d = from.len();
        let mut out = [0.0_f32; LANES];
        for ((low, high), own) in
            self.low[group * d..][..d].iter().zip(&self.high[group * d..][..d]).zip(from)
        {
            for lane in 0..LANES {
                out[lane] = larger(larger(low[lane] - own, own - high[lane]), out[lane]);
            }
        }
        out
    }

    /// The maximum distance from a point to each box of a group.
    #[inline(always)]
    fn most(&self, group: usize, from: &[f32]) -> Lanes {
        let d = from.len();
        let mut out = [0.0_f32; LANES];
        for ((low, high), own) in
            self.low[group * d..][..d].iter().zip(&self.high[group * d..][..d]).zip(from)
        {
            for lane in 0..LANES {
                out[lane] = larger(larger(own - low[lane], high[lane] - own), out[lane]);
            }
        }
        out
    }
}

/// The larger value. This compiles to one instruction, because unlike `f32::max` it does not check for NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The bounding box of some points: `[low, high]` for each coordinate.
fn enclose(rows: &[usize], values: &[f32], d: usize) -> Vec<[f32; 2]> {
    let mut sides = vec![[f32::INFINITY, f32::NEG_INFINITY]; d];
    for row in rows {
        for (side, value) in sides.iter_mut().zip(&values[row * d..][..d]) {
            *side = [side[0].min(*value), side[1].max(*value)];
        }
    }
    sides
}

/// Halves the rows along the widest side of their box, `depth` times.
fn halve(rows: &mut [usize], depth: usize, values: &[f32], d: usize, out: &mut Vec<Vec<usize>>) {
    if depth == 0 {
        out.push(rows.to_vec());
        return;
    }
    let sides = enclose(rows, values, d);
    let width = |column: &usize| sides[*column][1] - sides[*column][0];
    let widest = (0..d).max_by(|a, b| width(a).total_cmp(&width(b))).unwrap_or_default();
    let half = rows.len() / 2;
    rows.select_nth_unstable_by(half, |a, b| values[a * d + widest].total_cmp(&values[b * d + widest]));
    let (low, high) = rows.split_at_mut(half);
    halve(low, depth - 1, values, d, out);
    halve(high, depth - 1, values, d, out);
}

struct Distances<'a> {
    tree: &'a Tree,
    k: usize,
    leaves: Range<usize>,
}

impl pulp::NullaryFnOnce for Distances<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { tree, k, leaves } = self;
        let last = tree.levels.len() - 1;
        let mut found = Vec::with_capacity(leaves.len() * LANES);
        let (mut from, mut stack, mut nearest) = (vec![], vec![], vec![f32::INFINITY; k]);
        for own_leaf in leaves {
            let own_group = own_leaf / LANES;
            for own in 0..tree.rows[own_leaf].len() {
                tree.point(own_leaf, own, &mut from);
                nearest.fill(f32::INFINITY);
                let mut farthest = f32::INFINITY;
                // Visit the leaf of the point first, then its sibling leaves, then all others, so that near
                // points come first.
                let mut own_distances = tree.scan(own_leaf, &from);
                own_distances[own] = f32::INFINITY;
                offer(&mut nearest, &mut farthest, &own_distances);
                stack.push((0, 0));
                stack.push((last, own_group));
                let mut beside = true;
                while let Some((depth, group)) = stack.pop() {
                    if depth == last && group == own_group && !std::mem::take(&mut beside) {
                        continue;
                    }
                    let least = tree.levels[depth].least(group, &from);
                    for (lane, least) in least.into_iter().enumerate() {
                        let at = group * LANES + lane;
                        if least >= farthest || (depth == last && at == own_leaf) {
                            continue;
                        }
                        if depth == last {
                            offer(&mut nearest, &mut farthest, &tree.scan(at, &from));
                        } else {
                            stack.push((depth + 1, at));
                        }
                    }
                }
                found.push(farthest);
            }
        }
        found
    }
}

/// Inserts distances into an ascending list of fixed length and drops the largest ones.
#[inline(always)]
fn offer(nearest: &mut [f32], farthest: &mut f32, distances: &Lanes) {
    let last = nearest.len() - 1;
    if !distances.iter().fold(false, |some, distance| some | (*distance < *farthest)) {
        return;
    }
    for distance in distances {
        if *distance < *farthest {
            let mut at = last;
            while at > 0 && nearest[at - 1] > *distance {
                nearest[at] = nearest[at - 1];
                at -= 1;
            }
            nearest[at] = *distance;
            *farthest = nearest[last];
        }
    }
}

struct Counts<'a> {
    tree: &'a Tree,
    limits: &'a [f32],
    leaves: Range<usize>,
}

impl pulp::NullaryFnOnce for Counts<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { tree, limits, leaves } = self;
        let last = tree.levels.len() - 1;
        let mut found = Vec::with_capacity(leaves.len() * LANES);
        let (mut from, mut stack) = (vec![], vec![]);
        for own_leaf in leaves {
            for (own, row) in tree.rows[own_leaf].iter().enumerate() {
                tree.point(own_leaf, own, &mut from);
                let limit = limits[*row];
                let mut count = 0;
                stack.push((0, 0));
                while let Some((depth, group)) = stack.pop() {
                    let level = &tree.levels[depth];
                    let (least, most) = (level.least(group, &from), level.most(group, &from));
                    for lane in 0..LANES {
                        let at = group * LANES + lane;
                        if least[lane] >= limit {
                            continue;
                        }
                        if most[lane] < limit {
                            count += level.sizes[group][lane];
                        } else if depth == last {
                            let distances = tree.scan(at, &from);
                            count +=
                                distances.iter().map(|distance| u32::from(*distance < limit)).sum::<u32>();
                        } else {
                            stack.push((depth + 1, at));
                        }
                    }
                }
                found.push(count);
            }
        }
        found
    }
}
