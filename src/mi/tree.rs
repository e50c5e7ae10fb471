//! A k-d tree for the largest coordinate difference: the distance to the `k`-th neighbour, and how many points are strictly nearer than a limit.
//!
//! Leaves hold up to [`LANES`] points side by side, so that a vector unit looks at all of them at once. Every distance is one subtraction in `f32`, and so is every bound of a
//! box; rounding keeps order, so that what is left out could not have counted, and the results are those of the definition to the last tie.
//!
//! # References
//! Bentley 1975; Friedman, Bentley, Finkel 1977.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// Values that a loop handles at once.
const LANES: usize = 16;
/// Queries that a thread takes at a time.
const BLOCK: usize = 256;

/// Points by halves along the widest side of their box, all leaves at the same depth.
#[derive(Debug)]
pub(super) struct Tree {
    d: usize,
    /// Inner nodes, which come before the leaves; the children of node `i` are `2 i + 1` and `2 i + 2`.
    inner: usize,
    /// For each node and coordinate the ends of its box.
    boxes: Vec<[f32; 2]>,
    /// For each node the number of its points.
    sizes: Vec<u32>,
    /// For each leaf and coordinate its values; infinite where there is no point.
    leaves: Vec<[f32; LANES]>,
    /// For each leaf in turn the rows of its points.
    rows: Vec<Vec<usize>>,
}

impl Tree {
    /// # Shapes
    /// `points` is `(n, d)`.
    pub(super) fn new(points: ArrayView2<'_, f64>) -> Self {
        let (n, d) = points.dim();
        let mut depth = 0;
        while n.div_ceil(1 << depth) > LANES {
            depth += 1;
        }
        let inner = (1 << depth) - 1;
        let nodes = 2 * inner + 1;
        let mut tree = Self {
            d,
            inner,
            boxes: vec![[f32::INFINITY, f32::NEG_INFINITY]; nodes * d],
            sizes: vec![0; nodes],
            leaves: vec![[f32::INFINITY; LANES]; (inner + 1) * d],
            rows: vec![vec![]; inner + 1],
        };
        let values: Vec<f32> = points.iter().map(|value| *value as f32).collect();
        tree.build(0, &mut (0..n).collect::<Vec<_>>(), &values);
        tree
    }

    fn build(&mut self, node: usize, rows: &mut [usize], values: &[f32]) {
        let d = self.d;
        self.sizes[node] = rows.len() as u32;
        let sides = &mut self.boxes[node * d..][..d];
        for row in rows.iter() {
            for (side, value) in sides.iter_mut().zip(&values[row * d..][..d]) {
                *side = [side[0].min(*value), side[1].max(*value)];
            }
        }
        if node >= self.inner {
            let leaf = node - self.inner;
            for (lane, row) in rows.iter().enumerate() {
                for column in 0..d {
                    self.leaves[leaf * d + column][lane] = values[row * d + column];
                }
            }
            self.rows[leaf] = rows.to_vec();
            return;
        }
        let width = |column: &usize| sides[*column][1] - sides[*column][0];
        let widest = (0..d).max_by(|a, b| width(a).total_cmp(&width(b))).unwrap_or_default();
        let half = rows.len() / 2;
        rows.select_nth_unstable_by(half, |a, b| values[a * d + widest].total_cmp(&values[b * d + widest]));
        let (low, high) = rows.split_at_mut(half);
        self.build(2 * node + 1, low, values);
        self.build(2 * node + 2, high, values);
    }

    /// For each point the distance to its `k`-th neighbour, in the order of the rows.
    pub(super) fn distances(&self, k: usize) -> Vec<f32> {
        self.each(f32::INFINITY, |leaves| pulp::Arch::new().dispatch(Distances { tree: self, k, leaves }))
    }

    /// For each point how many points, itself among them, are nearer than its limit.
    pub(super) fn counts(&self, limits: &[f32]) -> Vec<u32> {
        self.each(0, |leaves| pulp::Arch::new().dispatch(Counts { tree: self, limits, leaves }))
    }

    /// Something of each point, found leaf by leaf, so that queries that follow each other go the same way.
    fn each<T: Copy + Send>(&self, none: T, of: impl Fn(std::ops::Range<usize>) -> Vec<T> + Sync) -> Vec<T> {
        let leaves = self.rows.len();
        let step = (BLOCK / LANES).max(1);
        let blocks = (0..leaves.div_ceil(step)).into_par_iter();
        let found: Vec<Vec<T>> = blocks.map(|at| of(at * step..leaves.min((at + 1) * step))).collect();
        let mut out = vec![none; self.sizes[0] as usize];
        self.rows.iter().flatten().zip(found.into_iter().flatten()).for_each(|(row, value)| out[*row] = value);
        out
    }

    /// The least distance that a point in the box of a node can have.
    #[inline(always)]
    fn least(&self, node: usize, from: &[f32]) -> f32 {
        let sides = &self.boxes[node * self.d..][..self.d];
        sides.iter().zip(from).fold(0.0_f32, |least, (side, own)| least.max(side[0] - own).max(own - side[1]))
    }

    /// The greatest.
    #[inline(always)]
    fn most(&self, node: usize, from: &[f32]) -> f32 {
        let sides = &self.boxes[node * self.d..][..self.d];
        sides.iter().zip(from).fold(0.0_f32, |most, (side, own)| most.max(side[1] - own).max(own - side[0]))
    }

    /// Distances of the points of a leaf.
    #[inline(always)]
    fn scan(&self, leaf: usize, from: &[f32]) -> [f32; LANES] {
        let mut out = [0.0_f32; LANES];
        for (chunk, own) in self.leaves[leaf * self.d..][..self.d].iter().zip(from) {
            for lane in 0..LANES {
                let distance = (chunk[lane] - own).abs();
                out[lane] = if distance > out[lane] { distance } else { out[lane] };
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

struct Distances<'a> {
    tree: &'a Tree,
    k: usize,
    leaves: std::ops::Range<usize>,
}

impl pulp::NullaryFnOnce for Distances<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { tree, k, leaves } = self;
        let mut found = Vec::with_capacity(leaves.len() * LANES);
        let (mut from, mut stack, mut nearest) = (vec![], vec![], vec![f32::INFINITY; k]);
        for own_leaf in leaves {
            for own in 0..tree.rows[own_leaf].len() {
                tree.point(own_leaf, own, &mut from);
                nearest.fill(f32::INFINITY);
                let mut farthest = f32::INFINITY;
                stack.push((0, 0.0));
                while let Some((mut node, mut least)) = stack.pop() {
                    while least < farthest {
                        if node >= tree.inner {
                            let leaf = node - tree.inner;
                            let mut distances = tree.scan(leaf, &from);
                            if leaf == own_leaf {
                                distances[own] = f32::INFINITY;
                            }
                            for distance in distances {
                                if distance < farthest {
                                    insert(&mut nearest, distance);
                                    farthest = nearest[k - 1];
                                }
                            }
                            break;
                        }
                        let (a, b) = (2 * node + 1, 2 * node + 2);
                        let (to_a, to_b) = (tree.least(a, &from), tree.least(b, &from));
                        let (near, far) = if to_b < to_a { ((b, to_b), (a, to_a)) } else { ((a, to_a), (b, to_b)) };
                        stack.push(far);
                        (node, least) = near;
                    }
                }
                found.push(farthest);
            }
        }
        found
    }
}

struct Counts<'a> {
    tree: &'a Tree,
    limits: &'a [f32],
    leaves: std::ops::Range<usize>,
}

impl pulp::NullaryFnOnce for Counts<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { tree, limits, leaves } = self;
        let mut found = Vec::with_capacity(leaves.len() * LANES);
        let (mut from, mut stack) = (vec![], vec![]);
        for own_leaf in leaves {
            for (own, row) in tree.rows[own_leaf].iter().enumerate() {
                tree.point(own_leaf, own, &mut from);
                let limit = limits[*row];
                let mut count = 0;
                stack.push(0);
                while let Some(node) = stack.pop() {
                    if tree.least(node, &from) >= limit {
                        continue;
                    }
                    if tree.most(node, &from) < limit {
                        count += tree.sizes[node];
                    } else if node >= tree.inner {
                        let distances = tree.scan(node - tree.inner, &from);
                        count += distances.iter().map(|distance| u32::from(*distance < limit)).sum::<u32>();
                    } else {
                        stack.extend([2 * node + 1, 2 * node + 2]);
                    }
                }
                found.push(count);
            }
        }
        found
    }
}

/// Puts a value into an ascending list, whose last falls out.
#[inline(always)]
fn insert(nearest: &mut [f32], value: f32) {
    let mut at = nearest.len() - 1;
    while at > 0 && nearest[at - 1] > value {
        nearest[at] = nearest[at - 1];
        at -= 1;
    }
    nearest[at] = value;
}
