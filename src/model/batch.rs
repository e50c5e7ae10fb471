//! Decides which tokens are computed together. Windows that begin with the same tokens share the computation
//! of these tokens: the windows form a trie whose nodes are the distinct prefixes, and each node is computed
//! once. Because attention is causal, one pass over a window computes all of its prefixes.

use std::collections::HashMap;
use std::ops::Range;

/// Tokens of one forward pass. The path of a token consists of the earlier tokens of its window and the token
/// itself. A token attends only to its path.
#[derive(Debug, Clone)]
pub struct Batch {
    pub(super) ids: Vec<u32>,
    /// Position of each token in its window, from 0.
    pub(super) positions: Vec<u32>,
    path_starts: Vec<usize>,
    path_nodes: Vec<u32>,
    /// `(n, t)` if the batch consists of `n` windows of `t` tokens each, one after the other.
    pub(super) rows: Option<(usize, usize)>,
    /// Row of each token in the cache; empty if the batch does not use a cache. With a cache, the paths
    /// contain cache rows instead of positions in the batch.
    pub(super) cache_rows: Vec<u32>,
}

impl Batch {
    /// A batch of whole windows. A prefix that several windows have in common is computed once per window.
    pub fn windows<W: AsRef<[u32]>>(windows: &[W]) -> Self {
        let t = windows.first().map_or(0, |window| window.as_ref().len());
        let mut batch = Self::empty();
        for window in windows {
            let start = batch.ids.len() as u32;
            for (depth, id) in window.as_ref().iter().enumerate() {
                batch.push(*id, depth as u32, start..start + depth as u32 + 1);
            }
        }
        batch.rows = windows.iter().all(|w| w.as_ref().len() == t).then_some((windows.len(), t));
        batch
    }

    pub(super) fn empty() -> Self {
        Self {
            ids: vec![],
            positions: vec![],
            path_starts: vec![0],
            path_nodes: vec![],
            rows: None,
            cache_rows: vec![],
        }
    }

    pub(super) fn push(&mut self, id: u32, position: u32, path: impl IntoIterator<Item = u32>) {
        self.ids.push(id);
        self.positions.push(position);
        self.path_nodes.extend(path);
        self.path_starts.push(self.path_nodes.len());
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the batch has no tokens.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The path of token `i`, from the start of its window to the token itself: positions in the batch, or
    /// rows of the cache if the batch uses one.
    pub fn path(&self, i: usize) -> &[u32] {
        &self.path_nodes[self.path_starts[i]..self.path_starts[i + 1]]
    }
}

/// The distinct prefixes of a set of windows, in depth-first order.
#[derive(Debug)]
pub struct Trie {
    ids: Vec<u32>,
    depths: Vec<u32>,
    parents: Vec<Option<u32>>,
    /// `nodes[w][t]` is the node of token `t` of window `w`.
    nodes: Vec<Vec<u32>>,
}

impl Trie {
    /// Builds the trie of `windows`, which may differ in length.
    pub fn new<W: AsRef<[u32]>>(windows: &[W]) -> Self {
        // In sorted order, the new nodes of the windows appear in depth-first order, and the nodes that a
        // window shares with any earlier window belong to the window directly before it.
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by(|a, b| windows[*a].as_ref().cmp(windows[*b].as_ref()));
        let mut trie =
            Self { ids: vec![], depths: vec![], parents: vec![], nodes: vec![vec![]; windows.len()] };
        let mut previous: (&[u32], Vec<u32>) = (&[], vec![]);
        for at in order {
            let window = windows[at].as_ref();
            let shared = window.iter().zip(previous.0).take_while(|(a, b)| a == b).count();
            let mut nodes = previous.1[..shared].to_vec();
            for (depth, id) in window.iter().enumerate().skip(shared) {
                trie.parents.push(nodes.last().copied());
                nodes.push(trie.ids.len() as u32);
                trie.ids.push(*id);
                trie.depths.push(depth as u32);
            }
            trie.nodes[at].clone_from(&nodes);
            previous = (window, nodes);
        }
        trie
    }

    /// Number of distinct prefixes.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the trie has no prefixes.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The node of position `t` of window `w`; windows with the same first `t + 1` tokens have the same node.
    pub fn node(&self, w: usize, t: usize) -> u32 {
        self.nodes[w][t]
    }

    /// The number of tokens per batch: a quarter of the trie, so that four cores have work, but at least
    /// `most / 2`, because small matrix products are slow, and at most `most`. The number does not depend on
    /// the machine.
    pub fn batch_tokens(&self, most: usize) -> usize {
        self.len().div_ceil(4).clamp(most / 2, most)
    }

    /// The nodes of window `w`, from its first token on, in increasing order.
    pub fn nodes(&self, w: usize) -> &[u32] {
        &self.nodes[w]
    }

    /// Splits the trie into batches. Each batch owns `tokens` consecutive nodes; the last batch may own
    /// fewer. The returned range contains the owned nodes. The tokens of a batch are the ancestors of its
    /// first owned node, which are computed again, followed by the owned nodes. The split does not depend on
    /// the number of threads, so results do not depend on it either.
    pub fn batches(&self, tokens: usize) -> Vec<(Range<u32>, Batch)> {
        (0..self.len())
            .step_by(tokens.max(1))
            .map(|start| self.batch(start..(start + tokens.max(1)).min(self.len())))
            .collect()
    }

    fn batch(&self, owned: Range<usize>) -> (Range<u32>, Batch) {
        let mut ancestors = vec![];
        let mut at = self.parents[owned.start];
        while let Some(node) = at {
            ancestors.push(node);
            at = self.parents[node as usize];
        }
        let mut batch = Batch::empty();
        let mut place: HashMap<u32, u32> = HashMap::new();
        // In depth-first order, the parent of an owned node is either owned too or an ancestor of the first
        // owned node, so `place` already contains the parent.
        for node in ancestors.into_iter().rev().chain(owned.start as u32..owned.end as u32) {
            let here = batch.len() as u32;
            let mut path = match self.parents[node as usize] {
                Some(parent) => batch.path(place[&parent] as usize).to_vec(),
                None => vec![],
            };
            path.push(here);
            batch.push(self.ids[node as usize], self.depths[node as usize], path);
            place.insert(node, here);
        }
        (owned.start as u32..owned.end as u32, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distinct_prefix_is_one_node() {
        let trie = Trie::new(&[vec![1, 2, 3], vec![1, 2, 4], vec![5], vec![1, 2, 3], vec![1, 2]]);
        assert_eq!(trie.len(), 5); // 1, 12, 123, 124, 5
        assert_eq!(trie.node(0, 1), trie.node(1, 1));
        assert_eq!(trie.node(0, 2), trie.node(3, 2));
        assert_ne!(trie.node(0, 2), trie.node(1, 2));
        assert_eq!(trie.node(4, 1), trie.node(0, 1));
    }

    #[test]
    fn a_batch_gives_every_token_its_whole_window_so_far() {
        let windows: Vec<Vec<u32>> = (0..40).map(|i| vec![i % 3, i % 5, i % 7, i % 2]).collect();
        let trie = Trie::new(&windows);
        for size in [1, 2, 5, 1000] {
            let mut seen: HashMap<u32, Vec<u32>> = HashMap::new();
            for (owned, batch) in trie.batches(size) {
                let before = batch.len() - owned.len();
                for (offset, node) in owned.enumerate() {
                    let path = batch.path(before + offset);
                    seen.insert(node, path.iter().map(|i| batch.ids[*i as usize]).collect());
                    assert_eq!(batch.positions[before + offset] as usize, path.len() - 1);
                }
            }
            for (w, window) in windows.iter().enumerate() {
                for t in 0..window.len() {
                    assert_eq!(seen[&trie.node(w, t)], window[..=t], "batches of {size}");
                }
            }
        }
    }
}
