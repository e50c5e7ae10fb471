//! Tests models that are larger than the memory limit. Their blocks and vocabulary tables are read when
//! needed, and every state is bit-identical to the state without a limit.

use std::path::Path;

use surmise::model::batch::Batch;
use surmise::model::{LoadedDecoder, Model, ModelOptions, Point, PromptStates, States, state_file};

use super::checkpoints::hub;
use super::gguf::{file, models};
use super::parity::{all, golden};
use crate::support::gguf::GgufFile;

fn limited(bytes: usize) -> ModelOptions {
    ModelOptions { max_memory_bytes: Some(bytes as u64), ..ModelOptions::default() }
}

fn load(path: &Path, options: &ModelOptions) -> surmise::Result<LoadedDecoder> {
    LoadedDecoder::load(path.to_str().expect("UTF-8"), options, &hub())
}

/// Windows of token ids below `vocab_size`. The windows have common prefixes and give several batches.
fn windows(n: u32, vocab_size: usize) -> Vec<Vec<u32>> {
    (0..n)
        .map(|w| (0..12).map(|t| (w * 31 * u32::from(t > 2) + t * 7) % vocab_size as u32).collect())
        .collect()
}

/// The bytes of a file with all states and logits.
fn written(loaded: &LoadedDecoder) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("states.safetensors");
    let windows = windows(60, loaded.info.vocab_size.min(64));
    state_file::write(loaded, &windows, true, &path, &|_| {}).expect("states");
    std::fs::read(path).expect("a file")
}

#[test]
fn states_and_logits_of_blocks_read_on_demand_are_those_of_loaded_blocks_to_the_bit() {
    let mut paths: Vec<_> = all().iter().map(|name| golden(name)).collect();
    paths.extend(models().iter().map(|name| file(&format!("{name}.gguf"))));
    assert!(paths.len() > 70);
    for path in paths {
        let whole = load(&path, &ModelOptions::default()).expect("a model");
        // The limit is one byte less than the weights need.
        let streamed = load(&path, &limited(4 * whole.info.n_params - 1)).expect("a model");
        assert!(streamed.decoder.is_streamed() && !whole.decoder.is_streamed(), "{}", path.display());
        assert_eq!(streamed.info, whole.info);
        assert!(written(&streamed) == written(&whole), "{}", path.display());
        let exact = load(&path, &limited(4 * whole.info.n_params)).expect("a model");
        assert!(!exact.decoder.is_streamed());
    }
}

#[test]
fn an_adapter_is_merged_into_blocks_read_on_demand() {
    for name in ["gpt2", "llama-gqa"] {
        let folder = tempfile::tempdir().expect("a folder");
        for from in [golden(name), golden("adapters").join(name)] {
            for entry in std::fs::read_dir(from).expect("a folder") {
                let entry = entry.expect("an entry");
                if entry.path().is_file() {
                    std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
                }
            }
        }
        let plain = load(&golden(name), &ModelOptions::default()).expect("a model");
        let whole = load(folder.path(), &ModelOptions::default()).expect("a model");
        let streamed = load(folder.path(), &limited(4 * whole.info.n_params - 1)).expect("a model");
        assert!(streamed.decoder.is_streamed());
        assert!(written(&streamed) == written(&whole), "{name}");
        assert!(written(&whole)[4096..] != written(&plain)[4096..], "{name}: the adapter changes nothing");
    }
}

#[test]
fn prompts_and_the_random_init_of_a_limited_model_are_those_of_a_whole_one() {
    for name in ["gpt2", "llama-gqa"] {
        let path = golden(name);
        let open =
            |options| Model::load_with(path.to_str().expect("UTF-8"), options, &hub()).expect("a model");
        let whole = open(ModelOptions::default());
        let limited = open(limited(4 * whole.info.n_params - 1));
        let windows = windows(90, 64);
        let points: Vec<Point> = (0..90).map(|w| (w, 11)).collect();
        let decoders = [
            [whole.decoder.clone(), limited.decoder.clone()],
            [whole.random_init(3).expect("a decoder"), limited.random_init(3).expect("a decoder")],
        ];
        for [whole, limited] in decoders {
            assert!(limited.is_streamed() && !whole.is_streamed());
            assert_eq!(limited.n_params(), whole.n_params());
            let [a, b] = [&whole, &limited].map(|d| States::of(d, name, &windows, &points).expect("states"));
            let last = whole.spec().n_layers;
            assert_eq!(a.rows(last, &points).expect("rows"), b.rows(last, &points).expect("rows"));
            let prompts = [&whole, &limited]
                .map(|d| PromptStates::of(d, name, &windows, &[3, 9], None).expect("states"));
            let [a, b] = &prompts;
            for block in 1..=last {
                assert_eq!(a.rows(block, 0..90).expect("rows"), b.rows(block, 0..90).expect("rows"));
            }
            for prompt in 0..90 {
                assert_eq!(a.log_probability(prompt, 9), b.log_probability(prompt, 9));
                assert_eq!(a.logit(1, prompt, 3), b.logit(1, prompt, 3));
            }
        }
        assert!(limited.room_for_states().expect("room").is_some());
        assert_eq!(whole.room_for_states().expect("room"), None);
    }
}

#[test]
fn a_limit_below_one_block_is_refused_with_what_is_needed() {
    let error = load(&golden("gpt2"), &limited(1000)).err().expect("too little").to_string();
    assert!(error.contains("--max-memory") && error.contains("even if each block is read"), "{error}");
    let needed: usize =
        error.split("needs ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("bytes");
    load(&golden("gpt2"), &limited(needed)).expect("what is needed is enough");
    assert!(load(&golden("gpt2"), &limited(needed - 1)).is_err());
}

#[test]
fn a_file_that_is_overwritten_while_its_blocks_are_read_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    let bytes = GgufFile::llama().bytes();
    std::fs::write(&path, &bytes).expect("a file");
    let n_params = load(&path, &ModelOptions::default()).expect("a model").info.n_params;
    let streamed = load(&path, &limited(4 * n_params - 1)).expect("a model");
    let run = || streamed.decoder.forward(&Batch::windows(&[[1, 2, 3]]), &mut |_, _| Ok(()));
    run().expect("states");
    std::fs::write(&path, [&bytes[..], &[0; 32]].concat()).expect("a file");
    let error = run().expect_err("another file").to_string();
    assert!(error.contains("was changed while it was read"), "{error}");
}
