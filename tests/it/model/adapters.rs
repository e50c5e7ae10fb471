//! Tests LoRA adapters, in the folder of a model and in their own folder. A supported LoRA gives the states
//! of peft; an unsupported adapter gives an error that names the key or tensor. A folder without a model
//! gives an error that names the contents of the folder.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use surmise::model::batch::Batch;
use surmise::model::{LoadedDecoder, ModelOptions};
use tempfile::TempDir;

use super::checkpoints::{done, hub, surmise};
use super::parity::{flat, golden, tensors};

const WEIGHTS: &str = "adapter_model.safetensors";
const CONFIG: &str = "adapter_config.json";

/// Creates a folder with a golden model, its adapter, or both.
fn folder(name: &str, model: bool, adapter: bool) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = |from: &Path| {
        for entry in std::fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            if !entry.file_name().to_string_lossy().starts_with("oracle") {
                std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
            }
        }
    };
    if model {
        copy(&golden(name));
    }
    if adapter {
        copy(&golden("adapters").join(name));
    }
    folder
}

fn path(folder: &TempDir) -> &str {
    folder.path().to_str().expect("UTF-8")
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

fn patch(folder: &TempDir, key: &str, value: Value) {
    let path = folder.path().join(CONFIG);
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    config[key] = value;
    std::fs::write(path, config.to_string()).expect("a file");
}

/// Asserts that states and logits agree with the reference values of peft.
fn assert_parity(name: &str, loaded: &LoadedDecoder) {
    let oracle = tensors(&golden("adapters").join(name).join("oracle.safetensors"));
    let ids: Vec<Vec<i64>> = oracle["input_ids"].to_vec2().expect("ids");
    let ids: Vec<Vec<u32>> = ids.iter().map(|row| row.iter().map(|id| *id as u32).collect()).collect();
    let mut layer = 0;
    let near = |key: &str, ours: &Tensor| {
        let (ours, theirs) = (flat(ours), flat(&oracle[key]));
        let top = theirs.iter().fold(0_f32, |top, v| top.max(v.abs()));
        let far = ours.iter().zip(&theirs).fold(0_f32, |far, (a, b)| far.max((a - b).abs()));
        assert!(ours.len() == theirs.len() && far <= 1e-5 * top, "{name} {key}: {far} of {top}");
    };
    let mut see = |_: usize, h: &Tensor| {
        near(&format!("h_{layer}"), h);
        layer += 1;
        Ok(())
    };
    let last = loaded.decoder.forward(&Batch::windows(&ids), &mut see).expect("states");
    let logits = loaded.decoder.logits(&last).expect("logits");
    near("logits", &logits);
}

fn load(folder: &TempDir) -> LoadedDecoder {
    LoadedDecoder::load(path(folder), &ModelOptions::default(), &hub())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refused(folder: &TempDir, more: &[&str], says: &[&str]) {
    let output = surmise(&[&["model", path(folder)], more].concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.starts_with("surmise: ")).count(), 1, "{stderr}");
    says.iter().for_each(|words| assert!(stderr.contains(words), "{words:?} is not in: {stderr}"));
}

#[test]
fn a_lora_in_the_folder_of_its_weights_is_merged_as_by_peft() {
    for name in ["gpt2", "llama-gqa"] {
        let both = folder(name, true, true);
        let loaded = load(&both);
        assert_parity(name, &loaded);
        let base = load(&folder(name, true, false));
        assert_ne!(loaded.info.weights_sha256, base.info.weights_sha256);
        assert_eq!(loaded.info.n_params, base.info.n_params);
        let output = surmise(&["model", path(&both)]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && stderr.contains("the LoRA in"), "{stderr}");
    }
}

#[test]
fn a_lora_alone_names_its_base_and_is_merged_into_the_given_base() {
    for name in ["gpt2", "llama-gqa"] {
        let alone = folder(name, false, true);
        let base = golden(name);
        let base = base.to_str().expect("UTF-8");
        refused(&alone, &[], &[CONFIG, &format!("an adapter of {name}"), &format!("--base {name}")]);
        let hub = hub().with_base(base);
        let loaded = LoadedDecoder::load(path(&alone), &ModelOptions::default(), &hub).expect("a model");
        assert_parity(name, &loaded);
        let label = alone.path().file_name().expect("a name").to_string_lossy();
        assert_eq!(loaded.info.id, label);
        assert!(done(&["model", path(&alone), "--base", base]).contains(&*label));
        refused(
            &folder(name, true, false),
            &["--base", base],
            &["--base is only for a folder or id with an adapter and no model weights"],
        );
    }
    refused(&folder("gpt2", false, true), &["--base", "minigpt-1"], &["belongs to another model", "--base"]);
    let llama = golden("llama-gqa");
    let llama = llama.to_str().expect("UTF-8");
    refused(&folder("gpt2", false, true), &["--base", llama], &["a map that the checkpoint does not have"]);
}

#[test]
fn an_adapter_other_than_a_plain_lora_is_refused_by_name() {
    for (key, value, says) in [
        ("use_dora", json!(true), "use_dora=true"),
        ("peft_type", json!("IA3"), "adapter of type IA3"),
        ("peft_type", json!("PREFIX_TUNING"), "adapter of type PREFIX_TUNING"),
        ("modules_to_save", json!(["lm_head"]), "modules_to_save=[\"lm_head\"]"),
        ("lora_alpha", json!(null), "key `lora_alpha` is not a finite number"),
    ] {
        let both = folder("gpt2", true, true);
        patch(&both, key, value);
        refused(&both, &[], &[CONFIG, says]);
    }
    let both = folder("gpt2", true, true);
    let mut maps = tensors(&both.path().join(WEIGHTS));
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).expect("zeros");
    let save = |maps: &HashMap<String, Tensor>| {
        candle_core::safetensors::save(maps, both.path().join(WEIGHTS)).expect("a file");
    };
    // A saved adapter may contain an unchanged copy of a tensor of the base. A changed copy is an error,
    // because ignoring it would change the states.
    let embedding = tensors(&both.path().join("model.safetensors"))["transformer.wte.weight"].clone();
    maps.insert("base_model.model.transformer.wte.weight".into(), embedding);
    save(&maps);
    assert_parity("gpt2", &load(&both));
    maps.insert("base_model.model.transformer.wte.weight".into(), zeros(&[384, 48]));
    save(&maps);
    refused(&both, &[], &["wte.weight", "is not part of a LoRA"]);
    maps.remove("base_model.model.transformer.wte.weight");
    for (name, tensor, says) in [
        ("transformer.h.0.attn.c_attn.lora_magnitude_vector", zeros(&[144]), "is not part of a LoRA"),
        ("transformer.wte.lora_embedding_A", zeros(&[2, 384]), "is not part of a LoRA"),
        ("transformer.h.2.mlp.c_fc.lora_A.weight", zeros(&[2, 48]), "has only one of its two LoRA maps"),
        ("lm_head.lora_A.weight", zeros(&[2, 48]), "has only one of its two LoRA maps"),
    ] {
        let mut more = maps.clone();
        more.insert(format!("base_model.model.{name}"), tensor);
        save(&more);
        refused(&both, &[], &[says]);
    }
    let mut head = maps.clone();
    head.insert("base_model.model.lm_head.lora_A.weight".into(), zeros(&[2, 48]));
    head.insert("base_model.model.lm_head.lora_B.weight".into(), zeros(&[384, 2]));
    save(&head);
    refused(&both, &[], &["a head that is tied to the embedding"]);
    put(&both, WEIGHTS, b"");
    refused(&both, &[], &[WEIGHTS, "too few for a safetensors file"]);
    std::fs::remove_file(both.path().join(WEIGHTS)).expect("a file");
    refused(&both, &[], &["cannot read", WEIGHTS]);
    put(&both, CONFIG, b"[");
    refused(&both, &[], &[CONFIG]);
}

#[test]
fn a_folder_without_a_model_gets_an_error_with_advice() {
    for (files, says) in [
        (&["config.json", "tf_model.h5"][..], "(TensorFlow); save the model as safetensors"),
        (&["config.json", "flax_model.msgpack"], "(Flax)"),
        (&["config.json", "onnx/model.onnx"], "ONNX"),
        (&["params.json", "consolidated.00.pth"], "the original format of Meta and Mistral"),
        (&[".metadata", "__0_0.distcp"], "DCP"),
        (&["checkpoint-500/config.json", "checkpoint-1500/config.json"], "for example checkpoint-1500"),
        (&["config.json", "weights.safetensors"], "if weights.safetensors contains the whole model"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        files.iter().for_each(|file| put(&folder, file, b"{}"));
        refused(&folder, &[], &[says]);
    }
}

#[test]
fn quantised_weights_are_refused_by_their_method() {
    for (tensor, says) in [
        ("transformer.h.0.attn.c_attn.qweight", "quantised (GPTQ or AWQ)"),
        ("transformer.h.0.attn.c_attn.weight.absmax", "quantised (bitsandbytes)"),
        ("transformer.h.0.attn.c_attn.weight_scale_inv", "quantised (FP8)"),
    ] {
        let model = folder("gpt2", true, false);
        let path = model.path().join("model.safetensors");
        let mut all = tensors(&path);
        all.insert(tensor.to_owned(), Tensor::zeros(&[4], DType::U8, &Device::Cpu).expect("zeros"));
        candle_core::safetensors::save(&all, path).expect("a file");
        refused(&model, &[], &[tensor, says, "GGUF"]);
        let config = model.path().join("config.json");
        let mut value: Value =
            serde_json::from_slice(&std::fs::read(&config).expect("a file")).expect("JSON");
        value["quantization_config"] = json!({"quant_method": "x"});
        std::fs::write(config, value.to_string()).expect("a file");
        refused(&model, &[], &[tensor, says]);
    }
}

#[cfg(unix)]
#[test]
fn links_that_form_a_cycle_give_one_message() {
    let model = folder("gpt2", true, false);
    std::fs::remove_file(model.path().join("model.safetensors")).expect("a file");
    std::os::unix::fs::symlink("model.safetensors", model.path().join("model.safetensors")).expect("a link");
    refused(&model, &[], &["model.safetensors"]);
    let model = folder("gpt2", true, false);
    std::os::unix::fs::symlink(".", model.path().join("again")).expect("a link");
    load(&model);
    let turning = tempfile::tempdir().expect("a folder");
    let turn = turning.path().join("a");
    std::os::unix::fs::symlink("a", &turn).expect("a link");
    let output = surmise(&["model", turn.to_str().expect("UTF-8")]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && stderr.contains("cannot read"), "{stderr}");
}
