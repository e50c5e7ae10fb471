//! Tests the published forms of checkpoints, the rounding of weights, beginning-of-sequence tokens, and the
//! commands `model` and `states`.

use std::path::Path;
use std::process::{Command, Output};

use candle_core::{DType, Tensor};
use serde_json::{Value, json};
use surmise::model::batch::Batch;
use surmise::model::hub::Hub;
use surmise::model::{Bos, LoadedDecoder, Model, ModelOptions, Precision};

use super::parity::{golden, tensors};
use crate::support::tidy::profile_file;

const BASE: &str = "llama-linear-rope";

/// The hub argument of calls that open a model. Folders are opened without using it.
pub fn hub() -> Hub {
    Hub::from_env().expect("an environment that names a hub or none")
}

/// Creates a folder with the config of `BASE` and the weights of the folder `forms/KIND` of tests/golden.
fn form(kind: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(golden(BASE).join("config.json"), folder.path().join("config.json")).expect("a config");
    for entry in std::fs::read_dir(golden("forms").join(kind)).expect("a form") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    folder
}

fn load(folder: &Path, dtype: Precision) -> LoadedDecoder {
    LoadedDecoder::load(
        folder.to_str().expect("UTF-8"),
        &ModelOptions { dtype, ..ModelOptions::default() },
        &hub(),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

fn states(core: &LoadedDecoder) -> Vec<u32> {
    let windows: Vec<Vec<u32>> = (0..3).map(|w| (0..12).map(|t| (w * 31 + t * 7) % 64).collect()).collect();
    let last = core.decoder.forward(&Batch::windows(&windows), &mut |_, _| Ok(())).expect("states");
    bits(&core.decoder.logits(&last).expect("logits"))
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    let values: Vec<f32> = tensor.flatten_all().and_then(|t| t.to_vec1()).expect("f32");
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_checkpoint_in_any_form_is_the_same_model_to_the_bit() {
    let base = load(&golden(BASE), Precision::F32);
    for kind in ["sharded", "torch"] {
        let folder = form(kind);
        let core = load(folder.path(), Precision::F32);
        assert_eq!(states(&core), states(&base), "{kind}");
        assert_eq!((core.stored.as_str(), core.info.n_params), ("F32", base.info.n_params), "{kind}");
        assert_ne!(core.info.weights_sha256, base.info.weights_sha256, "{kind}");
    }
    // The weights of `torch-sharded` were rounded to f16, so its states are bit-identical to the states of
    // the base model with weights rounded to f16.
    let half = load(form("torch-sharded").path(), Precision::F32);
    assert_eq!(half.stored, "F16");
    assert_eq!(states(&half), states(&load(&golden(BASE), Precision::F16)));
    assert_ne!(states(&half), states(&base));
    assert_ne!(states(&load(&golden(BASE), Precision::Bf16)), states(&half));
}

#[test]
fn the_checksum_of_several_files_is_that_of_their_checksums() {
    let folder = form("sharded");
    let digest =
        |name: &str| surmise::seed::sha256_hex(&std::fs::read(folder.path().join(name)).expect("a file"));
    let both = digest("model-00001-of-00002.safetensors") + &digest("model-00002-of-00002.safetensors");
    let core = load(folder.path(), Precision::F32);
    assert_eq!(core.info.weights_sha256, surmise::seed::sha256_hex(both.as_bytes()));
}

#[test]
fn bos_is_put_before_every_window_or_left_out() {
    let name = golden("gpt2").to_str().expect("UTF-8").to_owned();
    let prefix = |bos| {
        let model = Model::load_with(&name, ModelOptions { bos, ..ModelOptions::default() }, &hub())
            .expect("a model");
        model.tokenizer.prefix().to_vec()
    };
    // The golden tokenizer adds no token by itself, and its config names the token <|endoftext|>, whose id is
    // 0.
    assert_eq!([prefix(Bos::Auto), prefix(Bos::On), prefix(Bos::Off)], [vec![], vec![0], vec![]]);
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(golden("gpt2").join(file), folder.path().join(file)).expect("a copy");
    }
    // Without tokenizer_config.json, the id in config.json is used. If that is missing, too, there is no
    // beginning-of-sequence token.
    let on = || {
        Model::load_with(
            folder.path().to_str().expect("UTF-8"),
            ModelOptions { bos: Bos::On, ..ModelOptions::default() },
            &hub(),
        )
    };
    assert_eq!(on().expect("a model").tokenizer.prefix(), [0]);
    let config = std::fs::read(folder.path().join("config.json")).expect("a config");
    let mut config: Value = serde_json::from_slice(&config).expect("JSON");
    config["bos_token_id"] = Value::Null;
    std::fs::write(folder.path().join("config.json"), config.to_string()).expect("a file");
    let error = on().err().expect("no token").to_string();
    assert!(error.contains("no beginning-of-sequence token") && error.contains("--bos"), "{error}");
    // A tokenizer may add the token by itself.
    let tokenizer = std::fs::read(folder.path().join("tokenizer.json")).expect("a tokenizer");
    let mut tokenizer: Value = serde_json::from_slice(&tokenizer).expect("JSON");
    let special = json!({"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]}});
    let single =
        json!([{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
    tokenizer["post_processor"] =
        json!({"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special});
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).expect("a file");
    let prefix = |bos| {
        let options = ModelOptions { bos, ..ModelOptions::default() };
        let model =
            Model::load_with(folder.path().to_str().expect("UTF-8"), options, &hub()).expect("a model");
        model.tokenizer.prefix().to_vec()
    };
    assert_eq!([prefix(Bos::Auto), prefix(Bos::On), prefix(Bos::Off)], [vec![7], vec![7], vec![]]);
}

#[test]
fn a_special_token_written_out_in_a_text_is_text() {
    let model = Model::load(golden("gpt2").to_str().expect("UTF-8")).expect("a model");
    let ids: Vec<u32> = match model.tokenizer.encode("<|endoftext|>") {
        Ok(tokens) => tokens.iter().map(|token| token.id).collect(),
        Err(error) => panic!("{error}"),
    };
    assert!(ids.len() > 1 && !ids.contains(&0), "{ids:?}");
}

#[test]
fn bos_and_dtype_change_the_measurement_and_are_recorded_in_the_profile() {
    let measure = |flags: &[&str]| {
        let (model, out) = (golden("gpt2"), tempfile::tempdir().expect("a folder"));
        let mut arguments = vec![
            "measure",
            "--estimand=positional",
            model.to_str().expect("UTF-8"),
            "--corpus",
            "colours",
            "--windows",
            "60",
        ];
        arguments.extend(["--entities", "3", "-o", out.path().to_str().expect("UTF-8")]);
        arguments.extend(flags);
        done(&arguments);
        let file = profile_file(out.path(), "gpt2", "colours");
        let profile = std::fs::read(&file).expect("a profile");
        (file.file_name().map(ToOwned::to_owned), serde_json::from_slice::<Value>(&profile).expect("JSON"))
    };
    let (auto_file, auto) = measure(&[]);
    let (on_file, on) = measure(&["--bos", "on"]);
    let (half_file, half) = measure(&["--dtype", "bf16"]);
    // The profile records whether a beginning-of-sequence token was added, not the value of `--bos`.
    assert_eq!([&auto["corpus"]["bos"], &on["corpus"]["bos"]], ["off", "on"]);
    assert_eq!([&auto["model"]["dtype"], &half["model"]["dtype"]], ["f32", "bf16"]);
    let tokens = |profile: &Value| profile["corpus"]["window_tokens"].as_u64().expect("a number");
    assert_eq!(tokens(&on), tokens(&auto) + 1);
    assert_ne!(auto["blocks"], half["blocks"]);
    assert!(auto_file != on_file && auto_file != half_file && on_file != half_file);
    assert_eq!(measure(&["--bos", "off"]), (auto_file, auto));
}

pub fn surmise(arguments: &[&str]) -> Output {
    // All models of these tests are on this machine, so no hub is needed.
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.args(arguments).env("HF_HUB_OFFLINE", "1").output().expect("the binary")
}

pub fn done(arguments: &[&str]) -> String {
    let output = surmise(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_states_of_token_ids_are_those_of_transformers() {
    for name in ["gpt2", "qwen3"] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("states.safetensors");
        let (model, tokens) = (golden(name), golden(name).join("oracle.safetensors"));
        let [model, tokens, file] = [&model, &tokens, &out].map(|path| path.to_str().expect("UTF-8"));
        assert_eq!(done(&["states", model, "--tokens", tokens, "--logits", "-o", file]), "");
        let (ours, reference) = (tensors(&out), tensors(Path::new(tokens)));
        assert_eq!(ours.len(), reference.len());
        for (key, theirs) in &reference {
            assert_eq!(
                (ours[key].dtype(), ours[key].dims()),
                (theirs.dtype(), theirs.dims()),
                "{name} {key}"
            );
            let flat = |t: &Tensor| {
                t.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1::<f64>()).expect("numbers")
            };
            let (ours, theirs) = (flat(&ours[key]), flat(theirs));
            let top = theirs.iter().fold(0_f64, |top, v| top.max(v.abs()));
            assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-4 * top), "{name} {key}");
        }
        // A second run gives the same bytes, and a run without --logits writes no logits. Only the requested
        // file is written.
        let first = std::fs::read(&out).expect("a file");
        done(&["states", model, "--tokens", tokens, "--logits", "-o", file, "--threads", "1"]);
        assert!(first == std::fs::read(&out).expect("a file"));
        done(&["states", model, "--tokens", tokens, "-o", file]);
        assert!(!tensors(&out).contains_key("logits"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}

#[test]
fn the_states_of_a_corpus_are_those_of_its_windows() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("states.safetensors");
    let file = out.to_str().expect("UTF-8");
    // The tokenizer of the embedded family has one token for every word, so all windows have the same length.
    let flags = ["--corpus", "colours", "--windows", "300", "--entities", "3", "-o", file];
    done(&[&["states", "minillama-3"][..], &flags].concat());
    let arrays = tensors(&out);
    assert_eq!(arrays["input_ids"].dims()[0], 300);
    assert_eq!(arrays["h_0"].dims()[..2], arrays["input_ids"].dims()[..2]);
    // The token ids in the file give the same states.
    let again = folder.path().join("again.safetensors");
    done(&["states", "minillama-3", "--tokens", file, "-o", again.to_str().expect("UTF-8")]);
    assert!(std::fs::read(&out).expect("a file") == std::fs::read(&again).expect("a file"));
}

#[test]
fn the_description_of_a_checkpoint_is_right() {
    let folder = form("torch-sharded");
    let name = folder.path().to_str().expect("UTF-8");
    let card: Value = serde_json::from_str(&done(&["model", name, "--json"])).expect("JSON");
    let core = load(folder.path(), Precision::F32);
    assert_eq!(card["n_params"], core.info.n_params);
    assert_eq!(card["memory_bytes"], 4 * core.info.n_params);
    assert_eq!([&card["architecture"], &card["stored_dtype"]], ["llama", "F16"]);
    assert_eq!([&card["n_layers"], &card["d_model"], &card["vocab_size"]], [2, 32, 64]);
    assert_eq!([&card["n_heads"], &card["n_kv_heads"]], [4, 2]);
    assert_eq!(card["weights_sha256"], core.info.weights_sha256.as_str());
    let text = done(&["model", name]);
    for line in ["architecture\tllama", "blocks\t2", "width\t32", "vocabulary\t64", "dtype on disk\tF16"] {
        assert!(text.lines().any(|own| own == line), "{text}");
    }
    assert!(done(&["model", "minigpt-1"]).contains("family\tminigpt"));
}

#[test]
fn windows_that_begin_alike_share_their_beginnings_in_a_file_of_states_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ids, out] = ["ids.safetensors", "states.safetensors"].map(|name| folder.path().join(name));
    // The windows have 6 contexts, each with 40 different last tokens. One window is a duplicate.
    let mut windows: Vec<Vec<i64>> =
        (0..240).map(|w| (0..7).map(|t| (w / 40 * 11 + t * 5) % 64).chain([w % 40]).collect()).collect();
    windows[239] = windows[0].clone();
    let tensor = Tensor::new(windows.clone(), &candle_core::Device::Cpu).expect("ids");
    candle_core::safetensors::save(&[("input_ids", tensor)].into(), &ids).expect("a file");
    let model = golden("pythia");
    let [name, ids, file] = [&model, &ids, &out].map(|path| path.to_str().expect("UTF-8"));
    done(&["states", name, "--tokens", ids, "--logits", "-o", file]);
    let arrays = tensors(&out);
    let core = load(&model, Precision::F32);
    let windows: Vec<Vec<u32>> = windows.iter().map(|w| w.iter().map(|id| *id as u32).collect()).collect();
    let mut reference = vec![];
    let last = core.decoder.forward(&Batch::windows(&windows), &mut |_, h| {
        reference.push(h.clone());
        Ok(())
    });
    reference.push(core.decoder.logits(&last.expect("states")).expect("logits"));
    let values = |t: &Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers");
    let names = (0..reference.len() - 1).map(|l| format!("h_{l}")).chain(["logits".into()]);
    for (name, reference) in names.zip(&reference) {
        let (ours, theirs) = (values(&arrays[&name]), values(reference));
        let top = theirs.iter().fold(0_f32, |top, v| top.max(v.abs()));
        assert_eq!(ours.len(), theirs.len());
        assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-5 * top), "{name}");
        let window = ours.len() / 240;
        assert_eq!(ours[..window], ours[239 * window..], "{name}");
    }
}

#[test]
fn states_beyond_the_memory_limit_give_the_same_profile() {
    // The trained and the randomly initialised model have about 1 MB of weights each, and the states take
    // about 4 MB.
    let flags = ["minigpt-5", "--corpus", "colours", "--windows", "400", "--entities", "4"];
    let unbounded = done(&[&["measure", "--estimand=positional"][..], &flags].concat());
    // With 3M, only the states are in a file; with 1500K, also the weights of the randomly initialised model;
    // with 1200K, also the weights of the trained model.
    for size in ["3M", "1500K", "1200K"] {
        let limited =
            done(&[&["measure", "--estimand=positional"][..], &flags, &["--max-memory", size]].concat());
        assert_eq!(limited, unbounded, "{size}");
    }
    let refused =
        surmise(&[&["measure", "--estimand=positional"][..], &flags, &["--max-memory", "600K"]].concat());
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{message}");
    assert!(message.contains("--max-memory") && message.contains("minigpt-5 needs 691200"), "{message}");
    for size in ["a lot", "-1", "3Q", "99999999999999999999", "18446744073709551615K"] {
        let refused =
            surmise(&[&["measure", "--estimand=positional"][..], &flags, &["--max-memory", size]].concat());
        assert_eq!(refused.status.code(), Some(2), "{size}");
    }
}

#[test]
fn a_missing_device_is_refused_by_name() {
    let base = golden(BASE);
    let run = |device: &str| {
        let output = surmise(&[
            "measure",
            "--estimand=positional",
            base.to_str().expect("UTF-8"),
            "--corpus",
            "colours",
            "--device",
            device,
        ]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, message) = run("gpu");
    assert_eq!(code, Some(2));
    assert!(message.contains("give cpu, cuda, or cuda:N"), "{message}");
    // Even with the feature `cuda`, no machine has a hundred GPUs.
    let (code, message) = run("cuda:99");
    assert_eq!(code, Some(2));
    assert!(message.contains("--device") && message.contains("is cuda:99"), "{message}");
}

#[test]
fn a_head_that_overflows_is_an_error_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = golden("llama-gqa");
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(base.join(file), folder.path().join(file)).expect("a copy");
    }
    let mut weights = tensors(&base.join("model.safetensors"));
    // The weights are finite, but the logits overflow.
    let head = (&weights["lm_head.weight"] * 1e38).expect("a head");
    weights.insert("lm_head.weight".into(), head);
    candle_core::safetensors::save(&weights, folder.path().join("model.safetensors")).expect("weights");
    let (model, out) = (folder.path().to_str().expect("UTF-8"), folder.path().join("out"));
    let tokens = base.join("oracle.safetensors");
    let [tokens, out] = [&tokens, &out].map(|path| path.to_str().expect("UTF-8"));
    for arguments in [
        &["measure", model, "--corpus", "countries", "--shots", "1", "-o", out][..],
        &["states", model, "--tokens", tokens, "--logits", "-o", out],
    ] {
        let refused = surmise(arguments);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("array `logits` contains"), "{message}");
        let written = std::fs::read_dir(out).into_iter().flatten().flatten();
        let written: Vec<_> = written.map(|entry| entry.file_name()).collect();
        assert!(written.is_empty(), "{written:?}");
        assert!(!Path::new(out).is_file());
        std::fs::remove_dir(out).unwrap_or_default();
    }
    // The states are finite, so they can be written without logits.
    done(&["states", model, "--tokens", tokens, "-o", out]);
}
