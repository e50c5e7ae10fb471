//! Extremely randomised trees (Geurts, Ernst and Wehenkel 2006) on raw features and the log10 size. A split
//! sends missing cells to the side where they fit better (as in Chen and Guestrin 2016, section 3.4), so a
//! row may lack any cell. linfa's trees and forests can only classify, so the regression trees are
//! implemented here.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::basis::Basis;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;
use crate::error::Result;
use crate::seed::stream;

const TREES: u64 = 30;
const LEAST_ROWS: usize = 12;
const LEAST_LEAF: usize = 3;
/// A leaf has at least 1 / 150 of the rows of its tree, so that trees of many rows stay small.
const ROWS_PER_LEAF: usize = 150;
const MOST_DEPTH: usize = 16;
/// Maximum number of rows of a tree. For a larger table, each tree uses evenly spaced rows; successive trees
/// start at different rows.
const MOST_ROWS: usize = 3000;

/// A forest of regression trees.
#[derive(Debug)]
pub(super) struct Forest;

/// A node of a tree: a split, or a leaf with its value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Node {
    /// Column, threshold, whether a missing cell goes left, and the index of the right child. The left child
    /// is the next node.
    Split(u32, f64, bool, u32),
    /// The mean response.
    Leaf(f64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FittedForest {
    with_size: bool,
    trees: Vec<Vec<Node>>,
    importance: Vec<f64>,
}

impl Candidate for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn complexity(&self) -> u32 {
        90
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let (n, p) = train.sample.x.dim();
        let with_size = train.has_sizes();
        if n < LEAST_ROWS || p + usize::from(with_size) == 0 {
            return Ok(None);
        }
        let mut columns: Vec<Vec<f64>> = train.sample.x.columns().into_iter().map(|c| c.to_vec()).collect();
        if with_size {
            columns.push(train.sample.log10_sizes.clone());
        }
        let mut importance = vec![0.0; columns.len()];
        let step = n.div_ceil(MOST_ROWS);
        let trees = (0..TREES).map(|seed| {
            let rows: Vec<usize> = (seed as usize % step..n).step_by(step).collect();
            let mut growth = Growth {
                columns: &columns,
                y: &train.sample.y,
                weights: &train.sample.weights,
                least_leaf: LEAST_LEAF.max(rows.len() / ROWS_PER_LEAF),
                random: stream("calibration", "forest", seed),
                importance: &mut importance,
                nodes: vec![],
            };
            growth.grow(rows, 0);
            growth.nodes
        });
        let trees = trees.collect();
        importance.truncate(p);
        Ok(Some(Arc::new(FittedForest { with_size, trees, importance })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        serde_json::from_value::<FittedForest>(parameters)
            .map(|model| -> Arc<dyn FittedModel> { Arc::new(model) })
    }
}

/// A tree while it grows.
struct Growth<'a> {
    columns: &'a [Vec<f64>],
    y: &'a [f64],
    weights: &'a [f64],
    least_leaf: usize,
    random: ChaCha8Rng,
    importance: &'a mut [f64],
    nodes: Vec<Node>,
}

/// Sums over one side of a split.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    n: usize,
    weight: f64,
    sum: f64,
}

impl Side {
    fn add(&mut self, weight: f64, y: f64) {
        (self.n, self.weight, self.sum) = (self.n + 1, self.weight + weight, self.sum + weight * y);
    }

    fn with(self, other: Self) -> Self {
        Self { n: self.n + other.n, weight: self.weight + other.weight, sum: self.sum + other.sum }
    }

    /// The part of the sum of squares that the mean of this side explains.
    fn explained(self) -> f64 {
        if self.weight > 0.0 { self.sum * self.sum / self.weight } else { 0.0 }
    }
}

/// A split and its gain in the explained sum of squares.
struct Best {
    gain: f64,
    column: usize,
    threshold: f64,
    missing_left: bool,
}

impl Growth<'_> {
    fn grow(&mut self, rows: Vec<usize>, depth: usize) {
        let mut whole = Side::default();
        rows.iter().for_each(|&i| whole.add(self.weights[i], self.y[i]));
        let best = if rows.len() < 2 * self.least_leaf || depth >= MOST_DEPTH {
            None
        } else {
            self.split(&rows, whole)
        };
        let Some(Best { gain, column, threshold, missing_left }) = best else {
            return self.nodes.push(Node::Leaf(whole.sum / whole.weight));
        };
        self.importance[column] += gain;
        let goes_left = |i: &usize| is_left(self.columns[column][*i], threshold, missing_left);
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(goes_left);
        let at = self.nodes.len();
        self.nodes.push(Node::Leaf(0.0));
        self.grow(left, depth + 1);
        let right_at = self.nodes.len() as u32;
        self.grow(right, depth + 1);
        self.nodes[at] = Node::Split(column as u32, threshold, missing_left, right_at);
    }

    /// The best of several random splits: one random threshold for each column of a random half of the
    /// columns. If none of these splits is possible, more columns are tried.
    fn split(&mut self, rows: &[usize], whole: Side) -> Option<Best> {
        let d = self.columns.len();
        let mut order: Vec<usize> = (0..d).collect();
        for at in (1..d).rev() {
            order.swap(at, (self.random.next_u64() % (at as u64 + 1)) as usize);
        }
        let (wanted, mut tried) = (d.div_ceil(2), 0);
        let mut best: Option<Best> = None;
        for column in order {
            let cells = &self.columns[column];
            let known = rows.iter().map(|&i| cells[i]).filter(|value| value.is_finite());
            let (low, high) =
                known.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            if low >= high {
                continue;
            }
            let share = (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            let threshold = low + share * (high - low);
            let (mut left, mut right, mut missing) = (Side::default(), Side::default(), Side::default());
            for &i in rows {
                let side = match cells[i] {
                    value if !value.is_finite() => &mut missing,
                    value if value <= threshold => &mut left,
                    _ => &mut right,
                };
                side.add(self.weights[i], self.y[i]);
            }
            for (a, b, missing_left) in
                [(left.with(missing), right, true), (left, right.with(missing), false)]
            {
                let gain = a.explained() + b.explained() - whole.explained();
                let is_enough = a.n >= self.least_leaf && b.n >= self.least_leaf;
                if is_enough && best.as_ref().is_none_or(|best| gain > best.gain) {
                    best = Some(Best { gain, column, threshold, missing_left });
                }
            }
            tried += 1;
            if tried >= wanted && best.is_some() {
                break;
            }
        }
        best.filter(|best| best.gain > 0.0)
    }
}

fn is_left(cell: f64, threshold: f64, missing_left: bool) -> bool {
    if cell.is_finite() { cell <= threshold } else { missing_left }
}

impl FittedForest {
    fn of_tree(tree: &[Node], cells: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match tree.get(at) {
                Some(Node::Split(column, threshold, missing_left, right)) => {
                    let cell = cells.get(*column as usize).copied().unwrap_or(f64::NAN);
                    at = if is_left(cell, *threshold, *missing_left) { at + 1 } else { *right as usize };
                }
                Some(Node::Leaf(value)) => return *value,
                None => return f64::NAN,
            }
        }
    }
}

impl FittedModel for FittedForest {
    fn predict(&self, _: &[f64], predictors: &Predictors, _: &Basis, _: Link) -> f64 {
        let features = predictors.x.iter().map(|value| value.unwrap_or(f64::NAN));
        let size = self.with_size.then(|| predictors.log10_size.unwrap_or(f64::NAN));
        let cells: Vec<f64> = features.chain(size).collect();
        self.trees.iter().map(|tree| Self::of_tree(tree, &cells)).sum::<f64>() / self.trees.len() as f64
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> std::result::Result<(), String> {
        let width = p + usize::from(self.with_size);
        let is_sound = |tree: &Vec<Node>| {
            tree.iter().enumerate().all(|(at, node)| match node {
                // The right child must come after the left child, so that no walk through the tree can loop.
                Node::Split(column, _, _, right) => {
                    (*column as usize) < width && (*right as usize) > at + 1 && (*right as usize) < tree.len()
                }
                Node::Leaf(_) => true,
            })
        };
        let ends_in_a_leaf = |tree: &Vec<Node>| matches!(tree.last(), Some(Node::Leaf(_)));
        if self.trees.is_empty() || !self.trees.iter().all(|tree| is_sound(tree) && ends_in_a_leaf(tree)) {
            return Err(format!(
                "trees is empty, or contains a node with an invalid column or child, for {width} columns"
            ));
        }
        if self.importance.len() == p {
            Ok(())
        } else {
            Err("importance does not have one number for each feature".into())
        }
    }

    fn is_finite(&self) -> bool {
        self.trees.iter().flatten().all(|node| match node {
            Node::Split(_, threshold, ..) => threshold.is_finite(),
            Node::Leaf(value) => value.is_finite(),
        })
    }

    fn feature_importance(&self, _: &Basis) -> Vec<f64> {
        self.importance.clone()
    }

    fn uses_size(&self) -> bool {
        self.with_size
    }
}
