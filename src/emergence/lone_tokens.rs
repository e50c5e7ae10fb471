//! Computes the states of tokens without context: each distinct token is alone in a window, after the prefix
//! of the tokenizer.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::decoder::Decoder;
use crate::model::{Point, States};

/// The states of distinct tokens, each alone in its window.
pub(super) struct LoneTokens {
    pub(super) states: States,
    points: BTreeMap<u32, Point>,
}

impl LoneTokens {
    /// Runs the decoder once on every distinct token of `ids`, each after `prefix`.
    ///
    /// # Errors
    /// Returns the errors of [`States::within`].
    pub(super) fn new(
        decoder: &Decoder,
        name: &str,
        prefix: &[u32],
        ids: impl Iterator<Item = u32>,
        room_bytes: Option<u64>,
    ) -> Result<Self> {
        let mut ids: Vec<u32> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let windows: Vec<Vec<u32>> =
            ids.iter().map(|id| prefix.iter().copied().chain([*id]).collect()).collect();
        let points: Vec<Point> = (0..windows.len()).map(|window| (window, prefix.len())).collect();
        let states = States::within(decoder, name, &windows, &points, room_bytes)?;
        Ok(Self { states, points: ids.into_iter().zip(points).collect() })
    }

    /// The points of the given tokens, at which `states` contains their states. All tokens must have been
    /// passed to [`Self::new`].
    pub(super) fn points(&self, ids: impl Iterator<Item = u32>) -> Vec<Point> {
        ids.map(|id| self.points[&id]).collect()
    }
}
