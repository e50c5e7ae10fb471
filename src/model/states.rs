//! Computes residual streams at chosen positions of many windows. Each distinct prefix is computed once,
//! batches run on all cores, and only the requested rows are kept.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use super::batch::Trie;
use super::decoder::Decoder;
use super::store::Store;
use super::tensor_values::with_values;
use crate::error::{Error, Result};

/// Maximum number of tokens that a batch owns (see [`Trie::batches`]). Large batches make matrix products
/// fast, but the activations of a batch should stay in the CPU cache. The number is fixed, so that results
/// are bit-identical on any number of threads.
pub(super) const BATCH_TOKENS: usize = 512;

/// A position in a window: `(window, token)`, from 0.
pub type Point = (usize, usize);

/// The residual streams `h_0 .. h_L` at the requested points of some windows.
#[derive(Debug)]
pub struct States {
    trie: Trie,
    /// The row of each trie node; `None` for nodes without a requested point.
    row_of: Vec<Option<u32>>,
    store: Store,
}

impl States {
    /// Runs `decoder` over `windows` and keeps the rows at `points` in memory.
    ///
    /// # Errors
    /// [`Error::Window`] for a window that is empty, exceeds the model's number of positions, or contains a
    /// token outside its vocabulary; [`Error::NonFinite`] for NaN or infinity in a residual stream.
    pub fn of(decoder: &Decoder, model: &str, windows: &[Vec<u32>], points: &[Point]) -> Result<Self> {
        Self::within(decoder, model, windows, points, None)
    }

    /// Like [`States::of`], but writes the rows to a temporary file if they need more than `room_bytes`
    /// bytes.
    ///
    /// # Errors
    /// Returns the errors of [`States::of`], and [`Error::Write`] if the disk is full.
    pub fn within(
        decoder: &Decoder,
        model: &str,
        windows: &[Vec<u32>],
        points: &[Point],
        room_bytes: Option<u64>,
    ) -> Result<Self> {
        Self::with_progress(decoder, model, windows, points, room_bytes, &|_, _| ())
    }

    /// Like [`States::within`], but calls `progress` after each batch with the number of finished batches and
    /// the total.
    ///
    /// # Errors
    /// Returns the errors of [`States::within`].
    pub fn with_progress(
        decoder: &Decoder,
        model: &str,
        windows: &[Vec<u32>],
        points: &[Point],
        room_bytes: Option<u64>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        check(decoder, model, windows)?;
        let trie = Trie::new(windows);
        let mut row_of = vec![None; trie.len()];
        for (w, t) in points {
            row_of[trie.node(*w, *t) as usize] = Some(0);
        }
        for (row, slot) in row_of.iter_mut().flatten().enumerate() {
            *slot = row as u32;
        }
        let (spec, n_rows) = (decoder.spec(), row_of.iter().flatten().count());
        let store = Store::new(spec.n_layers + 1, n_rows, spec.d_model, room_bytes)?;
        let batches = trie.batches(trie.batch_tokens(BATCH_TOKENS));
        let (done, total) = (AtomicUsize::new(0), batches.len());
        batches.into_par_iter().try_for_each(|(owned, batch)| {
            let first = batch.len() - owned.len();
            let wanted: Vec<(usize, u32)> = owned
                .enumerate()
                .filter_map(|(i, node)| row_of[node as usize].map(|row| (first + i, row)))
                .collect();
            // Rows are numbered in the order of nodes, so the rows of a batch are consecutive.
            let Some((_, row)) = wanted.first().copied() else { return Ok::<(), Error>(()) };
            let mut layer = 0;
            let mut see = |_: usize, h: &candle_core::Tensor| {
                let d = spec.d_model;
                let mut kept = Vec::with_capacity(wanted.len() * d);
                with_values(h, |all| {
                    wanted.iter().for_each(|(i, _)| kept.extend_from_slice(&all[i * d..(i + 1) * d]));
                    Ok(())
                })?;
                finite(model, layer, row as usize, &kept, d)?;
                store.put(layer, row as usize, &kept)?;
                layer += 1;
                Ok(())
            };
            decoder.forward(&batch, &mut see)?;
            progress(1 + done.fetch_add(1, Ordering::Relaxed), total);
            Ok(())
        })?;
        Ok(Self { trie, row_of, store })
    }

    /// Number of distinct prefixes.
    pub fn n_prefixes(&self) -> usize {
        self.trie.len()
    }

    /// For each point, the index of its context. The context of a point is the prefix of the window that ends
    /// at the point; equal contexts have equal indices.
    pub fn contexts(&self, points: &[Point]) -> Vec<u32> {
        points.iter().map(|(w, t)| self.trie.node(*w, *t)).collect()
    }

    /// `h_l` at some of the requested points, `(points, d_model)`. Points with the same context get
    /// bit-identical rows. Points that were not requested at construction are left out.
    ///
    /// # Errors
    /// [`Error::Read`] if the rows are in a temporary file that can no longer be read.
    pub fn rows(&self, l: usize, points: &[Point]) -> Result<Array2<f32>> {
        let rows: Vec<usize> = points
            .iter()
            .filter_map(|(w, t)| self.row_of[self.trie.node(*w, *t) as usize].map(|row| row as usize))
            .collect();
        self.store.rows(l, &rows)
    }
}

/// Checks that every window fits the model.
pub(super) fn check(decoder: &Decoder, model: &str, windows: &[Vec<u32>]) -> Result<()> {
    let spec = decoder.spec();
    let fault = |w: usize, reason: String| Error::Window {
        model: model.into(),
        reason: format!("window {w} {reason}"),
    };
    for (w, window) in windows.iter().enumerate() {
        if window.is_empty() {
            return Err(fault(w, "is empty".into()));
        }
        if window.len() > spec.max_positions {
            let reason = format!(
                "has {} tokens, but the model has only {} positions; lower --entities (for texts: \
                 --window-tokens), or use a model with more positions",
                window.len(),
                spec.max_positions
            );
            return Err(fault(w, reason));
        }
        if let Some(id) = window.iter().find(|id| **id as usize >= spec.vocab_size) {
            return Err(fault(
                w,
                format!(
                    "contains token id {id}, but the model's vocabulary has only {} tokens",
                    spec.vocab_size
                ),
            ));
        }
    }
    Ok(())
}

/// Checks that logits over `width` tokens are finite.
pub(super) fn finite_logits(model: &str, values: &[f32], width: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NonFinite {
            what: format!("{model}: array `logits`"),
            row: at / width.max(1),
            column: at % width.max(1),
            count: values.iter().filter(|value| !value.is_finite()).count(),
        }),
    }
}

/// Checks that a residual stream is finite.
pub(super) fn finite(model: &str, layer: usize, first_row: usize, values: &[f32], d: usize) -> Result<()> {
    // The compiler can vectorise this loop because it has no early exit.
    if values.iter().fold(true, |finite, value| finite & value.is_finite()) {
        return Ok(());
    }
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NonFinite {
            what: format!("{model}: residual stream h_{layer}"),
            row: first_row + at / d,
            column: at % d,
            count: values.iter().filter(|value| !value.is_finite()).count(),
        }),
    }
}
