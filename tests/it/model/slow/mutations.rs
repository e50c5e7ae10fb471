//! Tests that headers, archives, indices and configs with random damage give a model or an error, never a
//! panic. The damage is seeded.

use std::borrow::Cow;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise::Result;
use surmise::model::arch::{self, Config};
use surmise::model::weights::{Checkpoint, Init, ParameterSource, Precision};

use crate::model::parity::golden;

/// Damages some places of a file: changes, removes or duplicates adjacent bytes, replaces digits by 9, flips
/// a bit, or truncates the file.
pub fn damage(bytes: &[u8], within: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            break;
        }
        let top = within.min(bytes.len()).max(1);
        let at = rng.random_range(0..top).min(bytes.len().saturating_sub(1));
        let end = (at + rng.random_range(1..12)).min(bytes.len());
        match rng.random_range(0..6) {
            0 => bytes[at..end].iter_mut().for_each(|byte| *byte = rng.random()),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            3 => bytes[at..end].iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'9'),
            4 => bytes[at] ^= 1 << rng.random_range(0..8),
            _ => bytes.truncate(rng.random_range(0..=bytes.len())),
        }
    }
    bytes
}

/// Reads every tensor with the shape in the header.
fn read_all(checkpoint: &Checkpoint, file_bytes: usize) {
    let shapes: Vec<(String, Vec<usize>)> =
        checkpoint.shapes().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    for (name, shape) in shapes {
        if let Ok(tensor) = checkpoint.tensor(&name, &shape, Init::Zeros) {
            // Values are converted to f32, so they take at most twice as many bytes as in the file (f16,
            // bf16).
            assert!(tensor.elem_count() * 4 <= 2 * file_bytes, "{name}: {shape:?} out of {file_bytes} bytes");
        }
    }
}

#[test]
fn a_damaged_safetensors_header_is_an_error_or_another_header() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let whole = std::fs::read(golden("qwen2").join("model.safetensors")).expect("weights");
    let header = 8 + usize::from_le_bytes(whole[..8].try_into().expect("eight bytes"));
    let mut opened = 0;
    for _ in 0..600 {
        let bytes = damage(&whole, header, &mut rng);
        let n = bytes.len();
        if let Ok(checkpoint) = Checkpoint::new(Path::new("model.safetensors"), Cow::Owned(bytes)) {
            opened += 1;
            read_all(&checkpoint, n);
        }
    }
    println!("{opened} of 600 could be opened");
    assert!((1..600).contains(&opened));
}

#[test]
fn a_damaged_pytorch_archive_is_an_error_or_another_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pytorch_model.bin");
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut opened = 0;
    for file in ["torch/pytorch_model.bin", "torch-sharded/pytorch_model-00001-of-00002.bin"] {
        let whole = std::fs::read(golden("forms").join(file)).expect("weights");
        // The pickle is at the beginning of the file, and the table of the archive at the end.
        for round in 0..300 {
            let bytes = if round % 3 == 0 {
                let split = whole.len() - 2500;
                [&whole[..split], &damage(&whole[split..], 2500, &mut rng)].concat()
            } else {
                damage(&whole, 4000, &mut rng)
            };
            std::fs::write(&path, &bytes).expect("a file");
            if let Ok(checkpoint) = Checkpoint::open(&path, Precision::F32) {
                opened += 1;
                read_all(&checkpoint, bytes.len());
            }
        }
    }
    println!("{opened} of 600 could be opened");
    assert!((1..600).contains(&opened));
}

#[test]
fn a_damaged_index_is_an_error_or_another_index() {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(golden("forms/sharded")).expect("a form") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    let path = folder.path().join("model.safetensors.index.json");
    let whole = std::fs::read(&path).expect("an index");
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..300 {
        std::fs::write(&path, damage(&whole, whole.len(), &mut rng)).expect("a file");
        if let Ok(checkpoint) = Checkpoint::open(&path, Precision::F32) {
            read_all(&checkpoint, 90_000);
        }
    }
}

#[test]
fn a_damaged_config_is_an_error_or_another_config() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for name in crate::model::parity::all() {
        let whole = std::fs::read(golden(&name).join("config.json")).expect("a config");
        let weights = golden(&name).join("model.safetensors");
        let checkpoint = Checkpoint::open(&weights, Precision::F32).expect("weights");
        for _ in 0..40 {
            let bytes = damage(&whole, whole.len(), &mut rng);
            let open = || -> Result<()> {
                let config = Config::parse(Path::new("config.json"), &bytes)?;
                let (architecture, spec) = arch::read(&config)?;
                if spec.fault().is_none() {
                    architecture.parameters(&spec, &checkpoint)?;
                }
                Ok(())
            };
            drop(open());
        }
    }
}
