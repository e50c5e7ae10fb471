//! Tests that GGUF files with random damage to the header give a model or an error, never a panic. The damage
//! is seeded.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise::model::weights::Gguf;
use surmise::model::{Model, ModelOptions};

use super::mutations::damage;
use crate::model::checkpoints::hub;
use crate::model::gguf::file;
use crate::support::gguf::GgufFile;

/// Opens `n` damaged copies and returns the number of copies that can be opened.
fn opened(whole: &[u8], header: usize, n: usize, seed: u64) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.gguf");
    let name = path.to_str().expect("UTF-8");
    let mut opened = 0;
    for _ in 0..n {
        let mut bytes = damage(whole, header, &mut rng);
        // In half of the copies, eight bytes are replaced by a number that is large or near a limit, because
        // these bytes may be a length, a count or a type.
        if rng.random_bool(0.5) && bytes.len() > 64 {
            let at = rng.random_range(0..header.min(bytes.len() - 8));
            let value: u64 = [0, 1, 255, 1 << 31, 1 << 40, 1 << 62, u64::MAX][rng.random_range(0..7)];
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        std::fs::write(&path, &bytes).expect("a file");
        if let Ok(gguf) = Gguf::open(&path) {
            for name in gguf.names() {
                let values = gguf.values(name).expect("values").expect("a tensor");
                // The smallest quantised type stores 256 values in 84 bytes.
                assert!(values.len() * 84 <= 256 * bytes.len(), "{name}");
            }
        }
        opened += usize::from(Model::load_with(name, ModelOptions::default(), &hub()).is_ok());
    }
    opened
}

#[test]
fn a_damaged_gguf_is_an_error_or_another_model() {
    let whole = GgufFile::llama().bytes();
    let n = opened(&whole, 1900, 3000, 1);
    assert!((1..3000).contains(&n), "{n}");
    let whole = std::fs::read(file("gemma3.gguf")).expect("a file");
    opened(&whole, 4000, 500, 2);
    let whole = std::fs::read(file("tokens-llama.gguf")).expect("a file");
    opened(&whole, 4000, 200, 3);
}
