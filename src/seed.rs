//! Derives random streams from one `u64` seed. Each use draws from its own stream, named by a domain and a
//! label, so that weights, data and noise never share random numbers. Sharing a stream once moved an estimate
//! by 0.3 nats.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// A random generator for one purpose. The same `(domain, label, seed)` gives the same stream on every
/// platform (ChaCha8 keyed by SHA-256).
pub fn stream(domain: &str, label: &str, seed: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update((domain.len() as u64).to_le_bytes());
    hash.update(domain);
    hash.update((label.len() as u64).to_le_bytes());
    hash.update(label);
    hash.update(seed.to_le_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// Derives the seed of one purpose from a general seed.
pub fn derive(domain: &str, label: &str, seed: u64) -> u64 {
    stream(domain, label, seed).next_u64()
}

/// The SHA-256 of some bytes in lower-case hexadecimal, the form in which every output records its inputs.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The first 16 bytes of a SHA-256 hash: enough to distinguish texts, in half the memory of a full hash.
pub fn sha256_half(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    half
}

/// A digest in lower-case hexadecimal.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_domain_label_and_seed() {
        let first = |d, l, s| stream(d, l, s).next_u64();
        assert_eq!(first("weights", "wte", 1), first("weights", "wte", 1));
        assert_ne!(first("weights", "wte", 1), first("data", "wte", 1));
        assert_ne!(first("weights", "wte", 1), first("weights", "wpe", 1));
        assert_ne!(first("weights", "wte", 1), first("weights", "wte", 2));
        // The lengths are hashed too, so moving a character from the domain to the label gives another
        // stream.
        assert_ne!(first("ab", "c", 1), first("a", "bc", 1));
    }
}
