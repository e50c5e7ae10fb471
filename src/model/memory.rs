//! Plans how to keep the weights of a decoder within a memory limit: all in memory at once, or read block by
//! block.

use super::spec::Spec;
use super::table::PIECE_VALUES;

/// Bytes of an f32 value.
const VALUE_BYTES: u64 = 4;

/// How the parameters of a decoder are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryPlan {
    /// Maximum number of blocks in memory at a time. If absent, all blocks and both vocabulary tables are in
    /// memory.
    pub(super) most_blocks: Option<usize>,
    /// Bytes of memory that the parameters occupy.
    pub(super) bytes: u64,
}

impl MemoryPlan {
    /// The plan for `n_params` parameters within `limit` bytes on `n_threads` threads. Each thread needs one
    /// block at a time.
    ///
    /// # Errors
    /// If the model does not fit within the limit, the error is the minimum number of bytes that it needs.
    pub(super) fn of(
        spec: &Spec,
        n_params: usize,
        limit: Option<u64>,
        n_threads: usize,
    ) -> Result<Self, u64> {
        let whole = VALUE_BYTES * n_params as u64;
        let Some(limit) = limit.filter(|limit| whole > *limit) else {
            return Ok(Self { most_blocks: None, bytes: whole });
        };
        let [block, piece] = least(spec);
        if block + piece > limit {
            return Err(block + piece);
        }
        // Half of the limit is reserved for states.
        let most = (limit / 2).saturating_sub(piece) / block.max(1);
        let most = most.clamp(1, n_threads.max(1) as u64);
        Ok(Self { most_blocks: Some(most as usize), bytes: most * block + piece })
    }

    /// The plan for a model that shares `limit` with a second model of the same size. The second model needs
    /// at least one block and one piece of a table in memory. If these do not fit next to all weights of the
    /// first model, the first model is read block by block, too.
    pub(super) fn beside(self, spec: &Spec, n_params: usize, limit: u64, n_threads: usize) -> Self {
        let needed: u64 = least(spec).iter().sum();
        if limit.saturating_sub(self.bytes) >= needed {
            return self;
        }
        let own = limit.saturating_sub(needed).min((VALUE_BYTES * n_params as u64).saturating_sub(1));
        Self::of(spec, n_params, Some(own), n_threads).unwrap_or(self)
    }
}

/// The bytes of the largest block and of a piece of a vocabulary table: the minimum that a model needs in
/// memory.
fn least(spec: &Spec) -> [u64; 2] {
    let (block, piece) = (VALUE_BYTES * largest_block(spec), VALUE_BYTES * PIECE_VALUES as u64);
    [block, piece.min(VALUE_BYTES * (spec.vocab_size * spec.d_embedding) as u64)]
}

/// The number of values in the linear maps of the largest block; its other parameters are negligible.
fn largest_block(spec: &Spec) -> u64 {
    let [d, d_mlp, head_dim] = [spec.d_model, spec.d_mlp, spec.head_dim].map(|size| size as u64);
    let (d_query, d_kv) = (spec.n_heads as u64 * head_dim, spec.n_kv_heads as u64 * head_dim);
    let mlp = |width: u64| (2 + u64::from(spec.gated)) * d * width;
    let mixture = spec.mixture.map_or(0, |mixture| {
        let shared = mixture.shared.map_or(0, |shared| mlp(shared.d_mlp as u64));
        mixture.n_experts as u64 * (d + mlp(mixture.d_expert as u64)) + shared
    });
    2 * d * (d_query + d_kv) + mlp(d_mlp).max(mixture)
}

/// Parses a number of bytes, with an optional suffix K, M, G or T for powers of 1024.
///
/// # Errors
/// The error is a message with the accepted forms.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[number.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
        "" => Some(0),
        "K" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        "T" => Some(40),
        _ => None,
    };
    let size = shift.and_then(|shift: u32| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    size.ok_or_else(|| "give a whole number of bytes, with an optional suffix K, M, G or T".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_held_as_a_whole_where_they_fit_and_in_blocks_where_they_do_not() {
        let spec = Spec {
            d_model: 100,
            d_embedding: 100,
            n_layers: 10,
            vocab_size: 1000,
            n_heads: 10,
            n_kv_heads: 10,
            head_dim: 10,
            d_mlp: 300,
            ..Spec::default()
        };
        // A block has four maps of 100 x 100 values and two maps of 100 x 300 values.
        assert_eq!(largest_block(&spec), 100_000);
        let n_params = 1_100_000;
        let plan = |limit, n_threads| MemoryPlan::of(&spec, n_params, limit, n_threads);
        assert_eq!(plan(None, 2), Ok(MemoryPlan { most_blocks: None, bytes: 4_400_000 }));
        assert_eq!(plan(Some(4_400_000), 2), Ok(MemoryPlan { most_blocks: None, bytes: 4_400_000 }));
        assert_eq!(plan(Some(4_399_999), 2), Ok(MemoryPlan { most_blocks: Some(2), bytes: 1_200_000 }));
        assert_eq!(plan(Some(4_399_999), 64), Ok(MemoryPlan { most_blocks: Some(4), bytes: 2_000_000 }));
        assert_eq!(plan(Some(800_000), 64), Ok(MemoryPlan { most_blocks: Some(1), bytes: 800_000 }));
        assert_eq!(plan(Some(799_999), 64), Err(800_000));

        // With 5 200 000 bytes, the second model fits next to the whole first model; with one byte less, the
        // first model must be read block by block.
        let beside = |limit| plan(Some(limit), 2).map(|plan| plan.beside(&spec, n_params, limit, 2));
        assert_eq!(beside(5_200_000), Ok(MemoryPlan { most_blocks: None, bytes: 4_400_000 }));
        let held = beside(5_199_999).expect("a plan");
        assert_eq!(held, MemoryPlan { most_blocks: Some(2), bytes: 1_200_000 });
        assert!(MemoryPlan::of(&spec, n_params, Some(5_199_999 - held.bytes), 2).is_ok());
        assert_eq!(beside(1_600_000), Ok(MemoryPlan { most_blocks: Some(1), bytes: 800_000 }));
    }
}
