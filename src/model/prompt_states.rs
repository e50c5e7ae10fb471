//! Computes states and outputs of a decoder at the last tokens of prompts: the state after each block,
//! normalised like the input of the next block, and the logits of chosen tokens. Each distinct prefix of the
//! prompts is computed once.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::Tensor;
use ndarray::Array2;
use rayon::prelude::*;

use super::batch::{Batch, Trie};
use super::decoder::Decoder;
use super::states::{BATCH_TOKENS, check, finite, finite_logits};
use super::store::Store;
use crate::error::Result;

/// Maximum number of rows of logits over the whole vocabulary that are in memory at once.
const LOGIT_ROWS: usize = 64;

/// States and outputs at the last token of each prompt.
#[derive(Debug)]
pub struct PromptStates {
    /// Row of each prompt; prompts with the same tokens share a row.
    rows: Vec<usize>,
    n_blocks: usize,
    store: Store,
    output: Option<Output>,
}

/// The model's output at each row.
#[derive(Debug)]
struct Output {
    /// The requested tokens, sorted.
    tokens: Vec<u32>,
    /// For each row, logits `(n_blocks, tokens)` by the logit lens.
    logits: Vec<Vec<f32>>,
    /// For each row, the log-sum-exp of the logits over the vocabulary, and the most likely token.
    totals: Vec<(f64, u32)>,
}

/// Results at the requested rows of one batch.
#[derive(Default)]
struct Found {
    logits: Vec<Vec<f32>>,
    totals: Vec<(f64, u32)>,
}

impl PromptStates {
    /// Runs `decoder` over `prompts`. Keeps logits of `tokens` if the list is not empty and the model has a
    /// head. Writes states to a temporary file if they need more than `room_bytes` bytes.
    ///
    /// The result is bit-identical on any number of threads.
    ///
    /// # Errors
    /// [`Error::Window`](crate::Error::Window) for a prompt that does not fit the model,
    /// [`Error::NonFinite`](crate::Error::NonFinite) for NaN or infinity in a state,
    /// [`Error::Write`](crate::Error::Write) if the disk is full.
    pub fn of(
        decoder: &Decoder,
        model: &str,
        prompts: &[Vec<u32>],
        tokens: &[u32],
        room_bytes: Option<u64>,
    ) -> Result<Self> {
        Self::with_progress(decoder, model, prompts, tokens, room_bytes, &|_, _| ())
    }

    /// Like [`PromptStates::of`], but calls `progress` after each batch with the number of finished batches
    /// and the total.
    ///
    /// # Errors
    /// Returns the errors of [`PromptStates::of`].
    pub fn with_progress(
        decoder: &Decoder,
        model: &str,
        prompts: &[Vec<u32>],
        tokens: &[u32],
        room_bytes: Option<u64>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        check(decoder, model, prompts)?;
        let trie = Trie::new(prompts);
        let last: Vec<u32> = (0..prompts.len()).map(|w| trie.node(w, prompts[w].len() - 1)).collect();
        let mut row_of = vec![None; trie.len()];
        last.iter().for_each(|node| row_of[*node as usize] = Some(0));
        for (row, slot) in row_of.iter_mut().flatten().enumerate() {
            *slot = row;
        }
        let mut tokens = tokens.to_vec();
        tokens.sort_unstable();
        tokens.dedup();
        tokens.retain(|_| decoder.head().is_ok());
        let (spec, n_rows) = (decoder.spec(), row_of.iter().flatten().count());
        let store = Store::new(spec.n_layers, n_rows, spec.d_model, room_bytes)?;
        let batches = trie.batches(trie.batch_tokens(BATCH_TOKENS));
        let (done, total) = (AtomicUsize::new(0), batches.len());
        let found: Vec<Found> = batches
            .into_par_iter()
            .map(|(owned, batch)| {
                let wanted = Wanted::of(&owned, &batch, &row_of);
                let found = wanted.map_or(Ok(Found::default()), |wanted| {
                    wanted.run(decoder, model, &batch, &tokens, &store)
                });
                progress(1 + done.fetch_add(1, Ordering::Relaxed), total);
                found
            })
            .collect::<Result<_>>()?;
        let output = (!tokens.is_empty()).then(|| {
            let (mut logits, mut totals) = (Vec::with_capacity(n_rows), Vec::with_capacity(n_rows));
            for found in found {
                logits.extend(found.logits);
                totals.extend(found.totals);
            }
            Output { tokens, logits, totals }
        });
        let rows = last.iter().filter_map(|node| row_of[*node as usize]).collect();
        Ok(Self { rows, n_blocks: spec.n_layers, store, output })
    }

    /// Number of blocks, L.
    pub fn n_blocks(&self) -> usize {
        self.n_blocks
    }

    /// The states of some prompts after `block` (counted from 1), `(prompts, d_model)`, normalised like the
    /// input of the next block.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) if the rows are in a temporary file that can no longer be read.
    pub fn rows(&self, block: usize, prompts: Range<usize>) -> Result<Array2<f32>> {
        self.store.rows(block - 1, &self.rows[prompts])
    }

    /// Whether logits of the requested tokens are available.
    pub fn has_output(&self) -> bool {
        self.output.is_some()
    }

    /// The logit of `token` as the next token of a prompt, by the logit lens after `block`. For the last
    /// block, this is the model's own logit. `None` without a head, or for a token that was not requested.
    pub fn logit(&self, block: usize, prompt: usize, token: u32) -> Option<f64> {
        let output = self.output.as_ref()?;
        let at = output.tokens.binary_search(&token).ok()?;
        let logits = &output.logits[self.rows[prompt]];
        logits.get((block - 1) * output.tokens.len() + at).map(|logit| f64::from(*logit))
    }

    /// The log-probability in nats of `token` as the next token of a prompt.
    pub fn log_probability(&self, prompt: usize, token: u32) -> Option<f64> {
        let (total, _) = self.output.as_ref()?.totals[self.rows[prompt]];
        Some(self.logit(self.n_blocks, prompt, token)? - total)
    }

    /// The most likely next token of a prompt.
    pub fn top_token(&self, prompt: usize) -> Option<u32> {
        Some(self.output.as_ref()?.totals[self.rows[prompt]].1)
    }
}

/// In one batch, the tokens whose states are kept.
struct Wanted {
    /// Positions of these tokens in the batch.
    places: Vec<u32>,
    /// The row of the first of these tokens. The following rows belong to the other tokens, because rows are
    /// numbered in the order of trie nodes.
    first_row: usize,
}

impl Wanted {
    fn of(owned: &Range<u32>, batch: &Batch, row_of: &[Option<usize>]) -> Option<Self> {
        let first = batch.len() - owned.len();
        let rows = owned.clone().enumerate().filter_map(|(i, node)| Some((i, row_of[node as usize]?)));
        let (places, rows): (Vec<u32>, Vec<usize>) = rows.map(|(i, row)| ((first + i) as u32, row)).unzip();
        rows.first().map(|row| Self { places, first_row: *row })
    }

    fn run(
        &self,
        decoder: &Decoder,
        model: &str,
        batch: &Batch,
        tokens: &[u32],
        store: &Store,
    ) -> Result<Found> {
        let (d, n) = (decoder.spec().d_model, self.places.len());
        let mut found = Found { logits: vec![vec![]; if tokens.is_empty() { 0 } else { n }], totals: vec![] };
        let mut last = None;
        let mut see = |l: usize, h: &Tensor| {
            if l == 0 {
                return Ok(());
            }
            let places = Tensor::from_slice(&self.places, n, h.device())?;
            let h = h.index_select(&places, 0)?;
            let states = decoder.next_input(l, &h)?.flatten_all()?.to_vec1::<f32>()?;
            finite(model, l, self.first_row, &states, d)?;
            store.put(l - 1, self.first_row, &states)?;
            if !tokens.is_empty() {
                let logits = decoder.logits_of(&h, tokens)?.to_vec2::<f32>()?;
                logits.iter().try_for_each(|row| finite_logits(model, row, tokens.len()))?;
                found.logits.iter_mut().zip(logits).for_each(|(row, logits)| row.extend(logits));
            }
            last = Some(h);
            Ok(())
        };
        decoder.forward(batch, &mut see)?;
        if let Some(h) = last.filter(|_| !tokens.is_empty()) {
            for start in (0..n).step_by(LOGIT_ROWS) {
                let logits = decoder.logits(&h.narrow(0, start, LOGIT_ROWS.min(n - start))?.contiguous()?)?;
                let logits = logits.to_vec2::<f32>()?;
                logits.iter().try_for_each(|row| finite_logits(model, row, row.len()))?;
                found.totals.extend(logits.iter().map(|logits| total(logits)));
            }
        }
        Ok(found)
    }
}

/// The log-sum-exp of the logits, and the index of the largest logit; the first index if several logits are
/// largest.
fn total(logits: &[f32]) -> (f64, u32) {
    let mut top = 0;
    for (at, logit) in logits.iter().enumerate() {
        if *logit > logits[top] {
            top = at;
        }
    }
    let most = logits[top];
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
    (f64::from(most) + sum.ln(), top as u32)
}
