//! A random forest (Breiman 2001): 200 regression trees on bootstrap samples, at least two rows in a leaf,
//! all features tried at each split. `linfa-trees` and `linfa-ensemble` only support classification.

use ndarray::{Array2, ArrayView1};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Rival, Setting};

const TREES: u64 = 200;
const LEAST_IN_LEAF: usize = 2;
/// Squared deviations below this count as zero.
const FLAT: f64 = 1e-12;

pub struct Forest;

impl Rival for Forest {
    fn name(&self) -> &'static str {
        "random forest"
    }

    fn predict(&self, setting: &Setting) -> Option<Vec<f64>> {
        if setting.x.ncols() == 0 {
            return None;
        }
        let y: Vec<f64> = setting.y.to_vec();
        let mut sums = vec![0.0; setting.asked.nrows()];
        for seed in 0..TREES {
            let tree = Tree::grow(&setting.x, &y, ChaCha8Rng::seed_from_u64(seed));
            for (sum, row) in sums.iter_mut().zip(setting.asked.outer_iter()) {
                *sum += tree.predict(row);
            }
        }
        Some(sums.into_iter().map(|sum| sum / TREES as f64).collect())
    }
}

enum Node {
    Leaf(f64),
    /// Feature, threshold, and the indices of the nodes for values up to the threshold and above it.
    Split(usize, f64, usize, usize),
}

struct Tree<'a> {
    x: &'a Array2<f64>,
    y: &'a [f64],
    /// How often the bootstrap drew each row.
    weights: Vec<f64>,
    nodes: Vec<Node>,
    random: ChaCha8Rng,
}

/// The best split so far: its score, feature and threshold.
struct Best {
    score: f64,
    feature: usize,
    threshold: f64,
}

impl<'a> Tree<'a> {
    fn grow(x: &'a Array2<f64>, y: &'a [f64], mut random: ChaCha8Rng) -> Self {
        let mut weights = vec![0.0; y.len()];
        for _ in 0..y.len() {
            weights[random.random_range(0..y.len())] += 1.0;
        }
        let rows: Vec<usize> = (0..y.len()).filter(|&row| weights[row] > 0.0).collect();
        let mut tree = Self { x, y, weights, nodes: vec![], random };
        tree.add(rows);
        tree
    }

    /// Adds the node of some rows and the nodes below it; returns its index.
    fn add(&mut self, rows: Vec<usize>) -> usize {
        let weight: f64 = rows.iter().map(|&row| self.weights[row]).sum();
        let mean = rows.iter().map(|&row| self.weights[row] * self.y[row]).sum::<f64>() / weight;
        let place = self.nodes.len();
        self.nodes.push(Node::Leaf(mean));
        let spread: f64 = rows.iter().map(|&row| self.weights[row] * (self.y[row] - mean).powi(2)).sum();
        if rows.len() < 2 * LEAST_IN_LEAF || spread < FLAT {
            return place;
        }
        if let Some(Best { feature, threshold, .. }) = self.split(&rows, weight, mean) {
            let (below, above): (Vec<usize>, Vec<usize>) =
                rows.into_iter().partition(|&row| self.x[[row, feature]] <= threshold);
            let (below, above) = (self.add(below), self.add(above));
            self.nodes[place] = Node::Split(feature, threshold, below, above);
        }
        place
    }

    /// The split with the smallest squared deviations; among equally good features, the first in a random
    /// order.
    fn split(&mut self, rows: &[usize], weight: f64, mean: f64) -> Option<Best> {
        let (features, mut order) = (self.x.ncols(), rows.to_vec());
        let first = self.random.random_range(0..features);
        let mut best: Option<Best> = None;
        for feature in (0..features).map(|at| (first + at) % features) {
            order.sort_unstable_by(|&a, &b| self.x[[a, feature]].total_cmp(&self.x[[b, feature]]));
            let (mut sum, mut below) = (0.0, 0.0);
            for at in 1..order.len() {
                let (row, next) = (order[at - 1], order[at]);
                sum += self.weights[row] * (self.y[row] - mean);
                below += self.weights[row];
                let (low, high) = (self.x[[row, feature]], self.x[[next, feature]]);
                if at < LEAST_IN_LEAF || order.len() - at < LEAST_IN_LEAF || low == high {
                    continue;
                }
                let score = sum * sum / below + sum * sum / (weight - below);
                if best.as_ref().is_none_or(|best| score > best.score + FLAT) {
                    best = Some(Best { score, feature, threshold: (low + high) / 2.0 });
                }
            }
        }
        best
    }

    fn predict(&self, row: ArrayView1<f64>) -> f64 {
        let mut place = 0;
        loop {
            match self.nodes[place] {
                Node::Leaf(mean) => return mean,
                Node::Split(feature, threshold, below, above) => {
                    place = if row[feature] <= threshold { below } else { above };
                }
            }
        }
    }
}
