//! The forms checkpoints are published in, what their weights are rounded to, what begins a window, and the verbs that show them.

use std::path::Path;
use std::process::{Command, Output};

use candle_core::{DType, Tensor};
use serde_json::{Value, json};
use surmise::model::batch::Batch;
use surmise::model::hub::Hub;
use surmise::model::{Bos, Core, Model, Options, Precision};

use crate::parity::{golden, tensors};

const BASE: &str = "llama-linear-rope";

/// Folders are opened without it, but it belongs to the call.
fn hub() -> Hub {
    Hub::from_env().expect("an environment that names a hub or none")
}

/// A folder with the config of the base and weights in one of the golden forms.
fn form(kind: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(golden(BASE).join("config.json"), folder.path().join("config.json")).expect("a config");
    for entry in std::fs::read_dir(golden("forms").join(kind)).expect("a form") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    folder
}

fn load(folder: &Path, dtype: Precision) -> Core {
    Core::load(folder.to_str().expect("UTF-8"), dtype, &hub()).unwrap_or_else(|error| panic!("{error}"))
}

fn states(core: &Core) -> Vec<u32> {
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
        assert_eq!((core.stored.as_str(), core.card.n_params), ("F32", base.card.n_params), "{kind}");
        assert_ne!(core.card.weights_sha256, base.card.weights_sha256, "{kind}");
    }
    // The third form was rounded when it was made: to the bit what the base is after rounding.
    let half = load(form("torch-sharded").path(), Precision::F32);
    assert_eq!(half.stored, "F16");
    assert_eq!(states(&half), states(&load(&golden(BASE), Precision::F16)));
    assert_ne!(states(&half), states(&base));
    assert_ne!(states(&load(&golden(BASE), Precision::Bf16)), states(&half));
}

#[test]
fn the_checksum_of_several_files_is_that_of_their_checksums() {
    let folder = form("sharded");
    let digest = |name: &str| surmise::seed::sha256_hex(&std::fs::read(folder.path().join(name)).expect("a file"));
    let both = digest("model-00001-of-00002.safetensors") + &digest("model-00002-of-00002.safetensors");
    let core = load(folder.path(), Precision::F32);
    assert_eq!(core.card.weights_sha256, surmise::seed::sha256_hex(both.as_bytes()));
}

#[test]
fn bos_is_put_before_every_window_or_left_out() {
    let name = golden("gpt2").to_str().expect("UTF-8").to_owned();
    let prefix = |bos| {
        let model = Model::load_with(&name, Options { bos, ..Options::default() }, &hub()).expect("a model");
        model.tokenizer.prefix().to_vec()
    };
    // The golden tokenizer puts nothing there by itself, and its config names <|endoftext|>, token 0.
    assert_eq!([prefix(Bos::Auto), prefix(Bos::On), prefix(Bos::Off)], [vec![], vec![0], vec![]]);
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(golden("gpt2").join(file), folder.path().join(file)).expect("a copy");
    }
    // Without tokenizer_config.json the number in config.json counts; without either there is none.
    let on = || {
        Model::load_with(folder.path().to_str().expect("UTF-8"), Options { bos: Bos::On, ..Options::default() }, &hub())
    };
    assert_eq!(on().expect("a model").tokenizer.prefix(), [0]);
    let config = std::fs::read(folder.path().join("config.json")).expect("a config");
    let mut config: Value = serde_json::from_slice(&config).expect("JSON");
    config["bos_token_id"] = Value::Null;
    std::fs::write(folder.path().join("config.json"), config.to_string()).expect("a file");
    let error = on().err().expect("no token").to_string();
    assert!(error.contains("no beginning-of-sequence token") && error.contains("--bos"), "{error}");
    // A tokenizer that puts one there by itself.
    let tokenizer = std::fs::read(folder.path().join("tokenizer.json")).expect("a tokenizer");
    let mut tokenizer: Value = serde_json::from_slice(&tokenizer).expect("JSON");
    let special = json!({"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]}});
    let single = json!([{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
    tokenizer["post_processor"] =
        json!({"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special});
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).expect("a file");
    let prefix = |bos| {
        let options = Options { bos, ..Options::default() };
        let model = Model::load_with(folder.path().to_str().expect("UTF-8"), options, &hub()).expect("a model");
        model.tokenizer.prefix().to_vec()
    };
    assert_eq!([prefix(Bos::Auto), prefix(Bos::On), prefix(Bos::Off)], [vec![7], vec![7], vec![]]);
}

#[test]
fn bos_and_dtype_change_what_is_measured_and_stand_in_the_profile() {
    let out = tempfile::tempdir().expect("a folder");
    let measure = |flags: &[&str]| {
        let model = golden("gpt2");
        let mut arguments = vec!["measure", model.to_str().expect("UTF-8"), "--corpus", "colours", "--windows", "60"];
        arguments.extend(["--shots", "3", "-o", out.path().to_str().expect("UTF-8")]);
        arguments.extend(flags);
        done(&arguments);
        let profile = std::fs::read(out.path().join("gpt2--colours.json")).expect("a profile");
        serde_json::from_slice::<Value>(&profile).expect("JSON")
    };
    // The same folder each time: what was measured otherwise is measured again.
    let auto = measure(&[]);
    let on = measure(&["--bos", "on"]);
    let half = measure(&["--dtype", "bf16"]);
    assert_eq!([&auto["corpus"]["bos"], &on["corpus"]["bos"]], ["auto", "on"]);
    assert_eq!([&auto["model"]["dtype"], &half["model"]["dtype"]], ["f32", "bf16"]);
    let tokens = |profile: &Value| profile["corpus"]["window_tokens"].as_u64().expect("a number");
    assert_eq!(tokens(&on), tokens(&auto) + 1);
    assert_ne!(auto["blocks"], half["blocks"]);
    assert_eq!(measure(&["--bos", "off"])["blocks"], auto["blocks"]);
}

fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

fn done(arguments: &[&str]) -> String {
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
            assert_eq!((ours[key].dtype(), ours[key].dims()), (theirs.dtype(), theirs.dims()), "{name} {key}");
            let flat =
                |t: &Tensor| t.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1::<f64>()).expect("numbers");
            let (ours, theirs) = (flat(&ours[key]), flat(theirs));
            let top = theirs.iter().fold(0_f64, |top, v| top.max(v.abs()));
            assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-4 * top), "{name} {key}");
        }
        // Again, without logits, and only the file that was asked for.
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
    // The embedded family's tokenizer gives every word one token.
    let flags = ["--corpus", "colours", "--windows", "300", "--shots", "3", "-o", file];
    done(&[&["states", "minillama-3"][..], &flags].concat());
    let arrays = tensors(&out);
    assert_eq!(arrays["input_ids"].dims()[0], 300);
    assert_eq!(arrays["h_0"].dims()[..2], arrays["input_ids"].dims()[..2]);
    // The same again from the ids that stand in the file.
    let again = folder.path().join("again.safetensors");
    done(&["states", "minillama-3", "--tokens", file, "-o", again.to_str().expect("UTF-8")]);
    assert!(std::fs::read(&out).expect("a file") == std::fs::read(&again).expect("a file"));
}

#[test]
fn the_card_of_a_checkpoint_says_what_it_is() {
    let folder = form("torch-sharded");
    let name = folder.path().to_str().expect("UTF-8");
    let card: Value = serde_json::from_str(&done(&["model", name, "--json"])).expect("JSON");
    let core = load(folder.path(), Precision::F32);
    assert_eq!(card["n_params"], core.card.n_params);
    assert_eq!(card["memory_bytes"], 4 * core.card.n_params);
    assert_eq!([&card["architecture"], &card["stored_dtype"]], ["llama", "F16"]);
    assert_eq!([&card["n_layers"], &card["d_model"], &card["vocab_size"]], [2, 32, 64]);
    assert_eq!([&card["n_heads"], &card["n_kv_heads"]], [4, 2]);
    assert_eq!(card["weights_sha256"], core.card.weights_sha256.as_str());
    let text = done(&["model", name]);
    for line in ["architecture\tllama", "blocks\t2", "width\t32", "vocabulary\t64", "dtype on disk\tF16"] {
        assert!(text.lines().any(|own| own == line), "{text}");
    }
    assert!(done(&["model", "minigpt-1"]).contains("family\tminigpt"));
}
