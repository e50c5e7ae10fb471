//! Tests the architectures of docs/checkpoints.md. The binary reads each golden checkpoint from a folder,
//! with weights in half precision, in shards, and from a hub.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use candle_core::{DType, Tensor};
use serde_json::json;
use surmise::model::arch;
use tempfile::TempDir;

use super::parity::{all, golden, model_type, tensors};

type Arrays = HashMap<String, Tensor>;

/// The output of `surmise states` for the token ids in `tokens`.
fn states(model: &str, tokens: &Path, flags: &[&str], environment: &[(&str, String)]) -> Arrays {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("states.safetensors");
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.args(["states", model, "--logits", "--threads", "1", "--tokens"]).arg(tokens).arg("-o").arg(&out);
    command.args(flags).envs(environment.iter().map(|(key, value)| (key, value)));
    for name in ["HF_HUB_CACHE", "HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let output = command.output().expect("the binary");
    assert!(output.status.success(), "{model}: {}", String::from_utf8_lossy(&output.stderr));
    tensors(&out)
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1()).expect("numbers")
}

/// The largest difference between an array of `ours` and the same array of `reference`, relative to the
/// largest absolute value of the reference array.
fn distance(ours: &Arrays, reference: &Arrays) -> f64 {
    assert_eq!(ours.keys().collect::<BTreeSet<_>>(), reference.keys().collect::<BTreeSet<_>>());
    let of = |key: &String| {
        let (ours, theirs) = (flat(&ours[key]), flat(&reference[key]));
        assert_eq!(ours.len(), theirs.len(), "{key}");
        let top = theirs.iter().fold(0_f64, |top, v| top.max(v.abs()));
        ours.iter().zip(&theirs).fold(0_f64, |worst, (a, b)| worst.max((a - b).abs())) / top
    };
    ours.keys().map(of).fold(0.0, f64::max)
}

/// A folder with the config of a golden checkpoint.
fn folder_of(name: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(golden(name).join("config.hub.json"), folder.path().join("config.json")).expect("a config");
    folder
}

fn save(arrays: &Arrays, path: &Path) {
    candle_core::safetensors::save(arrays, path).expect("a file");
}

#[test]
fn every_architecture_has_a_golden_checkpoint() {
    let whole = arch::MULTIMODAL.iter().map(|whole| whole.model_type);
    let open: BTreeSet<_> =
        arch::ALL.iter().map(|a| a.model_type()).chain(whole).map(str::to_owned).collect();
    assert_eq!(all().iter().map(|name| model_type(name)).collect::<BTreeSet<_>>(), open);
}

#[test]
fn states_and_logits_of_every_architecture_are_those_of_transformers_and_in_shards_the_same_to_the_bit() {
    for name in all() {
        let oracle = golden(&name).join("oracle.safetensors");
        let whole = states(golden(&name).to_str().expect("UTF-8"), &oracle, &[], &[]);
        let worst = distance(&whole, &tensors(&oracle));
        assert!(worst <= 1e-4, "{name}: off by {worst}");

        let weights = tensors(&golden(&name).join("model.safetensors"));
        let mut keys: Vec<_> = weights.keys().cloned().collect();
        keys.sort();
        let folder = folder_of(&name);
        let mut map = serde_json::Map::new();
        for (shard, part) in keys.chunks(keys.len().div_ceil(3)).enumerate() {
            let file = format!("model-{:05}-of-00003.safetensors", shard + 1);
            map.extend(part.iter().map(|key| (key.clone(), json!(file))));
            let part: Arrays = part.iter().map(|key| (key.clone(), weights[key].clone())).collect();
            save(&part, &folder.path().join(file));
        }
        let index = json!({"metadata": {"total_size": 0}, "weight_map": map});
        std::fs::write(folder.path().join("model.safetensors.index.json"), index.to_string())
            .expect("an index");
        let sharded = states(folder.path().to_str().expect("UTF-8"), &oracle, &[], &[]);
        assert_eq!(distance(&sharded, &whole), 0.0, "{name}");
    }
}

#[test]
fn half_precision_files_of_every_architecture_are_the_rounded_model_to_the_bit() {
    for name in all() {
        let oracle = golden(&name).join("oracle.safetensors");
        let weights = tensors(&golden(&name).join("model.safetensors"));
        let exact = states(golden(&name).to_str().expect("UTF-8"), &oracle, &[], &[]);
        for (flag, dtype) in [("f16", DType::F16), ("bf16", DType::BF16)] {
            let folder = folder_of(&name);
            let half =
                weights.iter().map(|(key, value)| (key.clone(), value.to_dtype(dtype).expect("rounding")));
            save(&half.collect(), &folder.path().join("model.safetensors"));
            let read = states(folder.path().to_str().expect("UTF-8"), &oracle, &[], &[]);
            let rounded = states(golden(&name).to_str().expect("UTF-8"), &oracle, &["--dtype", flag], &[]);
            assert_eq!(distance(&read, &rounded), 0.0, "{name} {flag}");
            // Rounding to 8 or 11 significant bits must change the states, but only a little.
            let moved = distance(&read, &exact);
            assert!(moved > 1e-6 && moved < 0.2, "{name} {flag}: {moved}");
        }
    }
}

#[cfg(feature = "hub")]
#[test]
fn every_architecture_gives_the_same_states_from_a_hub_and_from_a_folder() {
    use crate::support::hub_server::{COMMIT, ID, Repository, Server};
    for name in all() {
        let oracle = golden(&name).join("oracle.safetensors");
        let file = |file: &str| std::fs::read(golden(&name).join(file)).expect("a golden file");
        let (config, weights) = (file("config.hub.json"), file("model.safetensors"));
        let tokenizer = std::fs::read(golden("gpt2").join("tokenizer.json")).expect("a tokenizer");
        let files = [("config.json", config), ("tokenizer.json", tokenizer), ("model.safetensors", weights)];
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
        let repository = Repository { commit: COMMIT, files, storage: None };
        let server = Server::start(move |asked, _| repository.answer(asked));
        let home = tempfile::tempdir().expect("a folder");
        let environment =
            [("HF_HOME", home.path().to_string_lossy().into_owned()), ("HF_ENDPOINT", server.url.clone())];
        let fetched = states(ID, &oracle, &[], &environment);
        let folder = states(golden(&name).to_str().expect("UTF-8"), &oracle, &[], &[]);
        assert_eq!(distance(&fetched, &folder), 0.0, "{name}");
        assert!(!server.take().is_empty());
    }
}
