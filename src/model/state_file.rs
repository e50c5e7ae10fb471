//! Writes the residual streams of whole windows, at every layer and every token, to a safetensors file for
//! other tools. Each batch is written when it is computed, so that the streams need not fit in memory.
//!
//! # Shapes
//! f32 `h_0 .. h_L`, each `(n, t, d_model)`: the residual stream after `l` blocks, before the final norm; f32
//! `logits` `(n, t, vocab_size)` if requested; int64 `input_ids` `(n, t)`, the token ids.

use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rayon::prelude::*;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::batch::Trie;
use super::states;
use super::states::BATCH_TOKENS;
use super::tensor_values::{le_bytes, with_values};
use super::weights::Checkpoint;
use super::{LoadedDecoder, ModelInfo, Precision};
use crate::disk::Partial;
use crate::error::{Error, Result};

/// Maximum number of rows of logits that are in memory at once.
const LOGIT_ROWS: usize = 64;

/// Reads windows from the array `input_ids`, int64 `(n, t)`, of a safetensors file. Other arrays are ignored.
///
/// # Errors
/// [`Error::Read`] if the file cannot be read; [`Error::Weights`] if it is not a safetensors file;
/// [`Error::Tensor`] if the array is missing, has the wrong shape, or contains invalid ids.
pub fn read_windows(path: &Path) -> Result<Vec<Vec<u32>>> {
    const NAME: &str = "input_ids";
    let fault = |reason: String| Error::Tensor { path: path.into(), tensor: NAME.into(), reason };
    let file = Checkpoint::open(path, Precision::F32)?;
    let (shape, values) = file.int64(NAME)?;
    let &[n, t] = shape.as_slice() else {
        return Err(fault(format!("has shape {shape:?}; give token ids of shape (n, t)")));
    };
    if n == 0 || t == 0 {
        return Err(fault(format!("has shape {shape:?}; give at least one token")));
    }
    let id = |id: &i64| {
        u32::try_from(*id)
            .map_err(|_| fault(format!("contains {id}, which is not a token id; token ids are 0 or larger")))
    };
    let ids = values.iter().map(id).collect::<Result<Vec<_>>>()?;
    Ok(ids.chunks(t).map(<[u32]>::to_vec).collect())
}

/// Runs the decoder over `windows`, which must have the same length, and writes `h_0 .. h_L`, `input_ids`
/// and, if requested, `logits` to `path`. On failure, no file remains. Calls `step` with the completed share
/// of the work, from 0 to 1.
///
/// # Errors
/// [`Error::Window`] if the windows differ in length or do not fit the model; [`Error::NoHead`] if logits are
/// requested and the checkpoint has no head; [`Error::NonFinite`] for NaN or infinity in the results;
/// [`Error::Write`] if the file cannot be written.
pub fn write(
    loaded: &LoadedDecoder,
    windows: &[Vec<u32>],
    logits: bool,
    path: &Path,
    step: &(dyn Fn(f64) + Sync),
) -> Result<()> {
    let (info, decoder) = (&loaded.info, &loaded.decoder);
    states::check(decoder, &info.id, windows)?;
    if logits {
        decoder.head()?;
    }
    let t = windows.first().map_or(0, Vec::len);
    if let Some((w, other)) = windows.iter().enumerate().find(|(_, window)| window.len() != t) {
        let reason = format!(
            "window {w} has {} tokens, but window 0 has {t}, and all windows of a file need the same length; \
             give --tokens, or a corpus whose entities all have the same number of tokens",
            other.len()
        );
        return Err(Error::Window { model: info.id.clone(), reason });
    }
    let layout = Layout::new(info, windows.len(), t, logits)?;
    let mut partial = Partial::begin(path)?;
    partial.file().write_all(&layout.header).map_err(|source| Error::Write { path: path.into(), source })?;
    partial.file().set_len(layout.len()).map_err(|source| Error::Write { path: path.into(), source })?;
    let out = Out { file: Mutex::new(&mut partial), path };
    let ids: Vec<u8> = windows.iter().flatten().flat_map(|id| i64::from(*id).to_le_bytes()).collect();
    out.put(layout.starts[0], &ids)?;
    let trie = Trie::new(windows);
    let batches = trie.batches(trie.batch_tokens(BATCH_TOKENS));
    let runs = runs(&trie, windows.len(), batches.first().map_or(1, |(owned, _)| owned.len()), batches.len());
    let n_nodes: usize = batches.iter().map(|(owned, _)| owned.len()).sum();
    let done = AtomicUsize::new(0);
    let ends = |owned: &Range<u32>| {
        let done = done.fetch_add(owned.len(), Relaxed) + owned.len();
        step(done as f64 / n_nodes as f64);
    };
    batches.into_par_iter().zip(runs).try_for_each(|((owned, batch), runs)| {
        let before = batch.len() - owned.len();
        let row = |node: u32| before + (node - owned.start) as usize;
        // The values of a prefix are computed once and written for every window that begins with this prefix.
        let write = |array: usize, width: usize, values: &[f32]| {
            runs.iter().try_for_each(|run| {
                let nodes = &trie.nodes(run.window)[run.tokens.clone()];
                // Consecutive rows are written together.
                let mut place = run.window * t + run.tokens.start;
                nodes.chunk_by(|a, b| a + 1 == *b).try_for_each(|nodes| {
                    let first = row(nodes[0]);
                    let rows = &values[first * width..(first + nodes.len()) * width];
                    let start = layout.starts[array] + 4 * (place * width) as u64;
                    place += nodes.len();
                    out.floats(start, rows)
                })
            })
        };
        let last = decoder.forward(&batch, &mut |l, h| {
            with_values(h, |values| {
                states::finite(&info.id, l, 0, values, info.d_model)?;
                write(1 + l, info.d_model, values)
            })
        })?;
        if !logits {
            ends(&owned);
            return Ok(());
        }
        // The logits of a batch are far larger than its states, so they are computed for a few nodes at a
        // time.
        let (array, width) = (2 + info.n_layers, info.vocab_size);
        for first in owned.clone().step_by(LOGIT_ROWS) {
            let some = first..owned.end.min(first + LOGIT_ROWS as u32);
            let h = last.narrow(0, row(first), some.len())?.contiguous()?;
            let values = decoder.logits(&h)?.flatten_all()?.to_vec1::<f32>()?;
            states::finite_logits(&info.id, &values, width)?;
            for run in &runs {
                for (t_in_window, node) in run.tokens.clone().zip(&trie.nodes(run.window)[run.tokens.clone()])
                {
                    if some.contains(node) {
                        let at = (node - first) as usize * width;
                        let place = (run.window * t + t_in_window) * width;
                        out.floats(layout.starts[array] + 4 * place as u64, &values[at..at + width])?;
                    }
                }
            }
        }
        ends(&owned);
        Ok::<_, Error>(())
    })?;
    partial.commit()
}

/// Consecutive positions of one window. Their trie nodes belong to one batch.
struct Run {
    window: usize,
    tokens: Range<usize>,
}

/// For each of `n_batches` batches of `size` nodes, the runs whose nodes belong to the batch, at most one per
/// window. Nodes increase along a window, so the positions of a run are consecutive.
fn runs(trie: &Trie, n_windows: usize, size: usize, n_batches: usize) -> Vec<Vec<Run>> {
    let mut runs: Vec<Vec<Run>> = (0..n_batches).map(|_| vec![]).collect();
    for window in 0..n_windows {
        let nodes = trie.nodes(window);
        let mut start = 0;
        while start < nodes.len() {
            let batch = nodes[start] as usize / size;
            let len = nodes[start..].iter().take_while(|node| **node as usize / size == batch).count();
            runs[batch].push(Run { window, tokens: start..start + len });
            start += len;
        }
    }
    runs
}

/// The offsets of the arrays in the file: `input_ids`, `h_0 .. h_L`, `logits`.
struct Layout {
    header: Vec<u8>,
    starts: Vec<u64>,
    end: u64,
}

impl Layout {
    fn new(info: &ModelInfo, n: usize, t: usize, logits: bool) -> Result<Self> {
        let too_large = || Error::Window {
            model: info.id.clone(),
            reason: "the states exceed the maximum file size; give fewer windows".into(),
        };
        let mut arrays = vec![("input_ids".to_owned(), Dtype::I64, vec![n, t])];
        arrays.extend((0..=info.n_layers).map(|l| (format!("h_{l}"), Dtype::F32, vec![n, t, info.d_model])));
        if logits {
            arrays.push(("logits".into(), Dtype::F32, vec![n, t, info.vocab_size]));
        }
        let mut infos = vec![];
        let mut end = 0_usize;
        for (name, dtype, shape) in arrays {
            let bytes = shape.iter().try_fold(dtype.bitsize() / 8, |bytes, size| bytes.checked_mul(*size));
            let stop = bytes.and_then(|bytes| end.checked_add(bytes)).ok_or_else(too_large)?;
            infos.push((name, TensorInfo { dtype, shape, data_offsets: (end, stop) }));
            end = stop;
        }
        let starts: Vec<u64> = infos.iter().map(|(_, info)| info.data_offsets.0 as u64).collect();
        let about = [
            ("model", info.id.clone()),
            ("weights_sha256", info.weights_sha256.clone()),
            ("tool", format!("surmise {}", env!("CARGO_PKG_VERSION"))),
        ];
        let about = about.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let malformed =
            |source: &dyn std::fmt::Display| Error::from(candle_core::Error::Msg(source.to_string()));
        let metadata = Metadata::new(Some(about), infos).map_err(|source| malformed(&source))?;
        // Convert the metadata to a JSON value, which sorts its keys, so that every run writes the same
        // bytes.
        let value = serde_json::to_value(&metadata).map_err(|source| malformed(&source))?;
        let mut json = value.to_string().into_bytes();
        // Data begins at a multiple of eight bytes, as the safetensors format requires.
        json.resize(json.len().next_multiple_of(8), b' ');
        let header = [&(json.len() as u64).to_le_bytes()[..], &json].concat();
        let starts = starts.into_iter().map(|start| start + header.len() as u64).collect();
        let end = header.len() as u64 + end as u64;
        Ok(Self { header, starts, end })
    }

    fn len(&self) -> u64 {
        self.end
    }
}

/// The temporary file, which all threads write to.
struct Out<'a> {
    file: Mutex<&'a mut Partial>,
    path: &'a Path,
}

impl Out<'_> {
    fn floats(&self, start: u64, values: &[f32]) -> Result<()> {
        self.put(start, &le_bytes(values))
    }

    fn put(&self, start: u64, bytes: &[u8]) -> Result<()> {
        let mut partial = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let file = partial.file();
        let wrote = file.seek(SeekFrom::Start(start)).and_then(|_| file.write_all(bytes));
        wrote.map_err(|source| Error::Write { path: self.path.into(), source })
    }
}
