//! Residual streams at chosen positions of many windows: each distinct prefix is computed once, batches run on all cores, and only the wanted
//! rows are kept.

use ndarray::Array2;
use rayon::prelude::*;

use super::batch::{Batch, Trie};
use super::decoder::Decoder;
use crate::error::{Error, Result};

/// Tokens per batch: large enough for full matrix-multiply speed, small enough that activations stay in cache. It is fixed, so that
/// the same windows give the same bits on any number of threads.
pub(super) const BATCH_TOKENS: usize = 1024;

/// A position of a window: `(window, token)`, from 0.
pub type Point = (usize, usize);

/// The residual streams `h_0 .. h_L` at the wanted points of some windows.
#[derive(Debug)]
pub struct States {
    trie: Trie,
    /// Row of a trie node, where it was wanted.
    row_of: Vec<Option<u32>>,
    /// `h_0 .. h_L`, each `(distinct points, d_model)`.
    streams: Vec<Array2<f32>>,
}

impl States {
    /// Runs `decoder` over `windows` and keeps the rows of `points`.
    ///
    /// # Errors
    /// [`Error::Window`] for a window that is empty or longer than the model's positions or holds a token beyond its vocabulary,
    /// [`Error::NonFinite`] for NaN or infinity in a residual stream.
    pub fn of(decoder: &Decoder, model: &str, windows: &[Vec<u32>], points: &[Point]) -> Result<Self> {
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
        let kept: Vec<Vec<Vec<f32>>> = trie
            .batches(BATCH_TOKENS)
            .into_par_iter()
            .map(|(owned, batch)| {
                let first = batch.len() - owned.len();
                let wanted: Vec<usize> = owned
                    .enumerate()
                    .filter(|(_, node)| row_of[*node as usize].is_some())
                    .map(|(i, _)| first + i)
                    .collect();
                run(decoder, &batch, &wanted)
            })
            .collect::<Result<_>>()?;
        let streams = (0..=spec.n_layers)
            .map(|l| {
                let values: Vec<f32> = kept.iter().flat_map(|layers| layers[l].iter().copied()).collect();
                finite(model, l, &values, spec.d_model)?;
                Array2::from_shape_vec((n_rows, spec.d_model), values)
                    .map_err(|source| candle_core::Error::Msg(source.to_string()).into())
            })
            .collect::<Result<_>>()?;
        Ok(Self { trie, row_of, streams })
    }

    /// Number of distinct prefixes that were computed.
    pub fn n_prefixes(&self) -> usize {
        self.trie.len()
    }

    /// For each point the number of its context, the distinct prefix that ends there.
    pub fn contexts(&self, points: &[Point]) -> Vec<u32> {
        points.iter().map(|(w, t)| self.trie.node(*w, *t)).collect()
    }

    /// `h_l` at some of the wanted points, `(points, d_model)`: points with the same tokens so far get bit-equal rows. A point that was not wanted
    /// at construction gives no row.
    pub fn rows(&self, l: usize, points: &[Point]) -> Array2<f32> {
        let rows: Vec<usize> = points
            .iter()
            .filter_map(|(w, t)| self.row_of[self.trie.node(*w, *t) as usize].map(|row| row as usize))
            .collect();
        self.streams[l].select(ndarray::Axis(0), &rows)
    }
}

/// One forward pass; for each layer the values of the `wanted` tokens, row after row.
fn run(decoder: &Decoder, batch: &Batch, wanted: &[usize]) -> Result<Vec<Vec<f32>>> {
    let d = decoder.spec().d_model;
    let mut kept = Vec::with_capacity(decoder.spec().n_layers + 1);
    decoder.forward(batch, &mut |_, h| {
        let all = h.flatten_all()?.to_vec1::<f32>()?;
        kept.push(wanted.iter().flat_map(|i| all[i * d..(i + 1) * d].iter().copied()).collect());
        Ok(())
    })?;
    Ok(kept)
}

/// Whether every window fits the model.
pub(super) fn check(decoder: &Decoder, model: &str, windows: &[Vec<u32>]) -> Result<()> {
    let spec = decoder.spec();
    let fault =
        |w: usize, reason: String| Error::Window { model: model.into(), reason: format!("window {w} {reason}") };
    for (w, window) in windows.iter().enumerate() {
        if window.is_empty() {
            return Err(fault(w, "is empty".into()));
        }
        if window.len() > spec.max_positions {
            let reason = format!(
                "has {} tokens, the model has {} positions; lower --shots or take a model with more",
                window.len(),
                spec.max_positions
            );
            return Err(fault(w, reason));
        }
        if let Some(id) = window.iter().find(|id| **id as usize >= spec.vocab_size) {
            return Err(fault(w, format!("holds token id {id}, the model's vocabulary has {}", spec.vocab_size)));
        }
    }
    Ok(())
}

/// Whether a residual stream holds numbers only.
pub(super) fn finite(model: &str, layer: usize, values: &[f32], d: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NonFinite {
            what: format!("{model}: residual stream h_{layer}"),
            row: at / d,
            column: at % d,
            count: values.iter().filter(|value| !value.is_finite()).count(),
        }),
    }
}
