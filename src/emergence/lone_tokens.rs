//! Tokens without their context: each distinct token alone in a window, behind the tokenizer's prefix.

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
    /// Runs the decoder on every token of `ids` once. Tokens stand behind `prefix`, in the order of their
    /// ids.
    ///
    /// # Errors
    /// Those of [`States::within`].
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

    /// Where the states of some of its tokens are.
    pub(super) fn points(&self, ids: impl Iterator<Item = u32>) -> Vec<Point> {
        ids.map(|id| self.points[&id]).collect()
    }
}
