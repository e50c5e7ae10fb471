//! Caches the keys and values of earlier tokens, so that adding a token to a sequence computes only that
//! token. Each row contains the keys or values of one token of one sequence. The rows of finished sequences
//! are reused.

use candle_core::{Result, Tensor};

use super::batch::Batch;

use super::spec::Spec;

/// Keys and values `(rows, n_kv_heads * head_dim)` of every block, after rotary positions are applied.
#[derive(Debug)]
pub struct Cache {
    pub(super) blocks: Vec<BlockCache>,
    width: usize,
    n_rows: usize,
    free: Vec<u32>,
}

/// Keys and values of one block.
#[derive(Debug, Default)]
pub(super) struct BlockCache {
    pub keys: Vec<f32>,
    pub values: Vec<f32>,
}

impl Cache {
    /// An empty cache for a decoder of this spec. The cache grows as needed.
    pub fn new(spec: &Spec) -> Self {
        let blocks = (0..spec.n_layers).map(|_| BlockCache::default()).collect();
        Self { blocks, width: spec.n_kv_heads * spec.head_dim, n_rows: 0, free: vec![] }
    }

    /// Number of bytes that the keys and values of one token occupy in all blocks.
    pub(crate) fn token_bytes(spec: &Spec) -> usize {
        2 * size_of::<f32>() * spec.n_layers * spec.n_kv_heads * spec.head_dim
    }

    /// Reserves `n` rows and returns their numbers.
    pub fn take(&mut self, n: usize) -> Vec<u32> {
        let mut rows = self.free.split_off(self.free.len().saturating_sub(n));
        let more = n - rows.len();
        rows.extend(self.n_rows as u32..(self.n_rows + more) as u32);
        self.n_rows += more;
        for kept in self.blocks.iter_mut().filter(|_| more > 0) {
            for rows in [&mut kept.keys, &mut kept.values] {
                let len = self.n_rows * self.width;
                if len > rows.capacity() {
                    // Grow by an eighth to save memory; `resize` alone would double the capacity.
                    rows.reserve_exact(len + len / 8 - rows.len());
                }
                rows.resize(len, 0.0);
            }
        }
        rows
    }

    /// Frees the rows of a finished sequence.
    pub fn free_rows(&mut self, rows: &[u32]) {
        self.free.extend_from_slice(rows);
    }
}

impl BlockCache {
    /// Writes the keys and values of a batch's tokens into their rows.
    pub(super) fn write(&mut self, rows: &[u32], keys: &Tensor, values: &Tensor) -> Result<()> {
        for (kept, new) in [(&mut self.keys, keys), (&mut self.values, values)] {
            let width = new.dim(1)?;
            let new = new.flatten_all()?.to_vec1::<f32>()?;
            for (row, new) in rows.iter().zip(new.chunks_exact(width)) {
                let at = *row as usize * width;
                kept[at..at + width].copy_from_slice(new);
            }
        }
        Ok(())
    }
}

impl Batch {
    /// A batch of tokens that continue sequences whose earlier tokens are in a cache. Each item of
    /// `sequences` consists of the ids of the new tokens and the cache rows of all tokens of the sequence,
    /// earlier and new. A sequence may have no earlier tokens.
    pub fn decode_step<'a>(sequences: impl IntoIterator<Item = (&'a [u32], &'a [u32])>) -> Self {
        let mut batch = Self::empty();
        for (ids, rows) in sequences {
            for (i, id) in ids.iter().enumerate() {
                let position = rows.len() - ids.len() + i;
                batch.push(*id, position as u32, rows[..=position].iter().copied());
                batch.cache_rows.push(rows[position]);
            }
        }
        batch
    }
}
