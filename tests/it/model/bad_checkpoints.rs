//! Tests that the binary returns an error for a checkpoint that is damaged, is incomplete, or does not match
//! its config. The error names the file and the key or tensor.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

use crate::cli::bad_input::Scene;

/// A tensor of a file: type, shape, bytes.
pub type Raw = (Dtype, Vec<usize>, Vec<u8>);

/// A change to one tensor.
type Change = Box<dyn Fn(&mut Raw)>;

impl Scene {
    /// Sets keys of a JSON file of the model to the values in `patch`.
    pub fn patch(&self, file: &str, patch: &Value) {
        let bytes = std::fs::read(self.path(file)).expect("a file");
        let mut value: Value = serde_json::from_slice(&bytes).expect("JSON");
        for (key, new) in patch.as_object().expect("an object") {
            value[key] = new.clone();
        }
        self.put(file, value.to_string().as_bytes());
    }

    /// Changes the tensors of the model.
    pub fn tensors(&self, change: impl FnOnce(&mut BTreeMap<String, Raw>)) {
        let bytes = std::fs::read(self.path(WEIGHTS)).expect("a file");
        let file = SafeTensors::deserialize(&bytes).expect("safetensors");
        let raw = |view: TensorView<'_>| (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        let mut tensors = file.iter().map(|(name, view)| (name.to_owned(), raw(view))).collect();
        change(&mut tensors);
        let views = tensors.iter().map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).expect("bytes that fit the shape"))
        });
        self.put(WEIGHTS, &safetensors::serialize(views, None).expect("safetensors"));
    }
}

pub const CONFIG: &str = "model/config.json";
pub const TOKENIZER: &str = "model/tokenizer.json";
const WEIGHTS: &str = "model/model.safetensors";

#[test]
fn a_missing_file_is_named() {
    for file in [CONFIG, TOKENIZER, WEIGHTS] {
        let scene = Scene::new("gpt2");
        std::fs::remove_file(scene.path(file)).expect("a file");
        // The error for a missing tokenizer has another message, because other files can replace
        // tokenizer.json.
        let [missing, advice] = match file {
            TOKENIZER => ["has neither vocab.json with merges.txt nor", "download tokenizer.json too"],
            _ => ["cannot read", "check that the path exists"],
        };
        scene.refuses(&[], 1, &[missing, file, advice]);
        std::fs::create_dir(scene.path(file)).expect("a folder");
        scene.refuses(&[], 1, &["cannot read", file, "give a file, not a folder"]);
    }
}

#[test]
fn a_malformed_config_is_named_with_the_place() {
    let scene = Scene::new("gpt2");
    let nested = "[".repeat(100_000);
    for text in ["", "{", "{\"model_type\": gpt2}", "\u{feff}{}", &nested] {
        scene.put(CONFIG, text.as_bytes());
        scene.refuses(
            &[],
            1,
            &[CONFIG, "not the JSON that surmise expects", "replace the file", "because: ", "line 1"],
        );
    }
    scene.put(CONFIG, b"[]");
    scene.refuses(&[], 1, &[CONFIG, "is not a JSON object", "download it again"]);
}

#[test]
fn a_config_that_cannot_be_a_decoder_is_refused_by_its_key() {
    // `null` counts as a missing key.
    let huge = 4_000_000_000_u32;
    for (golden, patch, says) in [
        (
            "gpt2",
            json!({"model_type": null}),
            "key `model_type` is missing; correct the file or download it again",
        ),
        ("gpt2", json!({"model_type": 2}), "key `model_type` is 2, not a string"),
        (
            "gpt2",
            json!({"model_type": "mamba"}),
            "model_type `mamba` is not supported: it computes its states by recurrence",
        ),
        ("gpt2", json!({"n_layer": null}), "key `n_layer` is missing; correct the file"),
        (
            "gpt2",
            json!({"n_layer": "three"}),
            "key `n_layer` is \"three\", not a whole number below 2^32; correct the file",
        ),
        ("gpt2", json!({"n_layer": -1}), "key `n_layer` is -1, not a whole number below 2^32"),
        ("gpt2", json!({"n_layer": 1e30}), "key `n_layer` is 1e+30, not a whole number below 2^32"),
        ("gpt2", json!({"n_layer": 0}), "the number of blocks is 0; correct the file"),
        (
            "gpt2",
            json!({"n_layer": 2}),
            "`transformer.h.2.attn.c_attn.bias` is not a parameter of this architecture",
        ),
        ("gpt2", json!({"n_layer": huge}), "key `n_layer` is 4000000000, above the limit of 65536"),
        (
            "gpt2",
            json!({"n_layer": 65536}),
            "`transformer.h.3.attn.c_attn.weight` is missing; use the config.json that belongs",
        ),
        (
            "gpt2",
            json!({"n_embd": 50}),
            "width 50 cannot be divided into 4 equal heads (of at most 65536 values), and no head_dim is \
             given; correct the file",
        ),
        (
            "gpt2",
            json!({"n_embd": 44}),
            "`transformer.wte.weight` has shape [384, 48], but config.json requires [384, 44]",
        ),
        ("gpt2", json!({"n_embd": huge}), "width 4000000000 cannot be divided into 4 equal heads"),
        ("gpt2", json!({"n_head": 0}), "width 48 cannot be divided into 0 equal heads"),
        ("gpt2", json!({"n_inner": huge}), "`transformer.h.0.mlp.c_fc.weight` has shape [48, 192]"),
        ("gpt2", json!({"n_positions": 64}), "`transformer.wpe.weight` has shape [32, 48]"),
        ("gpt2", json!({"n_positions": huge}), "`transformer.wpe.weight` has shape [32, 48]"),
        (
            "gpt2",
            json!({"vocab_size": huge}),
            "`transformer.wte.weight` has shape [384, 48], but config.json requires [4000",
        ),
        (
            "gpt2",
            json!({"tie_word_embeddings": "no"}),
            "key `tie_word_embeddings` is \"no\", not true or false",
        ),
        (
            "gpt2",
            json!({"activation_function": "mish"}),
            "activation_function=mish: the states would be wrong; use another",
        ),
        (
            "gpt2",
            json!({"scale_attn_by_inverse_layer_idx": true}),
            "unsupported scale_attn_by_inverse_layer_idx=true",
        ),
        (
            "gpt2",
            json!({"layer_norm_epsilon": -1.0}),
            "key `layer_norm_epsilon` is -1.0, not a positive number",
        ),
        ("llama-gqa", json!({"hidden_act": "mish"}), "unsupported hidden_act=mish"),
        ("llama-gqa", json!({"attention_bias": true}), "`model.layers.0.self_attn.q_proj.bias` is missing"),
        (
            "llama-gqa",
            json!({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}),
            "key `low_freq_factor` is missing",
        ),
        ("llama-gqa", json!({"rope_parameters": {"rope_type": "axial"}}), "unsupported rope_type=axial"),
        (
            "llama-gqa",
            json!({"rope_parameters": {"rope_type": "yarn", "factor": -2.0}}),
            "key `factor` is -2.0, not a positive number",
        ),
        ("llama-gqa", json!({"rope_parameters": 7}), "key `rope_parameters` is 7, not an object"),
        (
            "llama-gqa",
            json!({"num_key_value_heads": 4}),
            "the number of heads, 6, is not a multiple of the number of key/value heads, 4; correct the",
        ),
        ("llama-gqa", json!({"num_key_value_heads": 0}), "the number of key/value heads is 0"),
        (
            "llama-gqa",
            json!({"num_key_value_heads": 3}),
            "`model.layers.0.self_attn.k_proj.weight` has shape [16, 48]",
        ),
        ("llama-gqa", json!({"num_hidden_layers": 4}), "`model.layers.3.self_attn.q_proj.weight` is missing"),
        (
            "llama-gqa",
            json!({"head_dim": 7}),
            "rotary positions in 7 of the 7 values of a head are impossible: the number must be even",
        ),
        (
            "llama-gqa",
            json!({"head_dim": 0}),
            "rotary positions in 0 of the 0 values of a head are impossible",
        ),
        ("llama-gqa", json!({"head_dim": huge}), "key `head_dim` is 4000000000, above the limit of 65536"),
        (
            "llama-gqa",
            json!({"head_dim": null, "num_attention_heads": 5}),
            "width 48 cannot be divided into 5 equal heads (of at most 65536 values), and no head_dim is",
        ),
        (
            "llama-gqa",
            json!({"head_dim": null, "num_attention_heads": 1, "hidden_size": huge}),
            "width 4000000000 cannot be divided into 1 equal heads",
        ),
    ] {
        let scene = Scene::new(golden);
        scene.patch(CONFIG, &patch);
        let file = if says.contains("tensor") || says.starts_with('`') { WEIGHTS } else { CONFIG };
        scene.refuses(&[], 1, &[file, says]);
    }
}

#[test]
fn a_truncated_or_invalid_safetensors_file_is_refused() {
    let scene = Scene::new("gpt2");
    let whole = std::fs::read(scene.path(WEIGHTS)).expect("weights");
    let with_header = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    let absurd_shape =
        r#"{"wte.weight": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 0]}}"#;
    let absurd_end = r#"{"wte.weight": {"dtype": "U8", "shape": [9223372036854775807],
        "data_offsets": [0, 9223372036854775807]}}"#;
    for (bytes, says) in [
        (Cow::from(&[][..]), "0 bytes are too few for a safetensors file"),
        (whole[..7].into(), "7 bytes are too few"),
        (whole[..100].into(), "truncated: the file has only 100 bytes, fewer than its header"),
        (whole[..whole.len() - 1].into(), "truncated"),
        (whole[..whole.len() / 2].into(), "truncated"),
        ([&whole[..], b"\0\0\0\0"].concat().into(), "truncated or too long"),
        (u64::MAX.to_le_bytes().repeat(4).into(), "not a valid safetensors file (header too large)"),
        (with_header("{").into(), "not a valid safetensors file (invalid JSON in header"),
        ([&1_u64.to_le_bytes()[..], b"\xff"].concat().into(), "not a valid safetensors file (invalid UTF-8"),
        (with_header(absurd_shape).into(), "not a valid safetensors file (overflow"),
        (with_header(absurd_end).into(), "not a valid safetensors file (overflow"),
    ] {
        scene.put(WEIGHTS, &bytes);
        scene.refuses(&[], 1, &[WEIGHTS, says, "download or save the file again"]);
    }
    scene.put(WEIGHTS, b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 423280\n");
    scene.refuses(&[], 1, &[WEIGHTS, "a git-lfs pointer", "; download them with `git lfs pull`"]);
    scene.put(WEIGHTS, &with_header("{}"));
    scene.refuses(&[], 1, &[WEIGHTS, "tensor `transformer.wte.weight` is missing"]);
}

#[test]
fn a_tensor_that_is_missing_misshapen_or_not_finite_is_refused_by_its_name() {
    let name = "transformer.h.1.mlp.c_fc.weight";
    let value =
        |number: f32| move |(_, _, data): &mut Raw| data[400..404].copy_from_slice(&number.to_le_bytes());
    let cases: [(Option<Change>, &str); 8] = [
        (
            None,
            "is missing; use the config.json that belongs to these weights, or save the whole checkpoint \
             again",
        ),
        (
            Some(Box::new(|raw| raw.1.reverse())),
            "has shape [192, 48], but config.json requires [48, 192]; use",
        ),
        (Some(Box::new(|raw| raw.1 = vec![48 * 192])), "has shape [9216], but"),
        (Some(Box::new(|raw| (raw.0, raw.2) = (Dtype::I64, raw.2.repeat(2)))), "has type I64; save"),
        (Some(Box::new(|raw| (raw.0, raw.2) = (Dtype::I8, vec![0; 9216]))), "has type I8; save"),
        (Some(Box::new(value(f32::NAN))), "contains NaN at element 100: the checkpoint is damaged; download"),
        (Some(Box::new(value(f32::INFINITY))), "contains inf at element 100"),
        (Some(Box::new(value(f32::NEG_INFINITY))), "contains -inf at element 100"),
    ];
    for (change, says) in cases {
        let scene = Scene::new("gpt2");
        scene.tensors(|tensors| match change {
            Some(change) => change(tensors.get_mut(name).expect("the tensor")),
            None => drop(tensors.remove(name)),
        });
        scene.refuses(&[], 1, &[WEIGHTS, &format!("tensor `{name}` {says}")]);
    }
}

#[test]
fn weights_beyond_their_config_are_refused_and_a_model_without_head_gives_only_states() {
    let f32s = |n: usize, value: f32| (Dtype::F32, vec![n], value.to_le_bytes().repeat(n));
    for name in ["model.layers.1.self_attn.q_proj.bias", "model.layers.0.self_attn.q_norm.weight"] {
        let scene = Scene::new("llama-gqa");
        scene.tensors(|tensors| drop(tensors.insert(name.into(), f32s(8, 1.0))));
        scene.refuses(
            &[],
            1,
            &[WEIGHTS, name, "is not a parameter of this architecture with this config.json"],
        );
    }
    // A tied head must have the values of the embedding.
    let scene = Scene::new("gpt2");
    scene.tensors(|tensors| {
        let mut head = tensors["transformer.wte.weight"].clone();
        head.2[0] ^= 1;
        tensors.insert("lm_head.weight".into(), head);
    });
    scene.refuses(&[], 1, &[WEIGHTS, "`lm_head.weight` differs from the embedding", "tie_word_embeddings"]);
    // A model that was saved without its head has states but no logits.
    let scene = Scene::new("llama-gqa");
    scene.tensors(|tensors| {
        tensors.remove("lm_head.weight");
        *tensors = std::mem::take(tensors)
            .into_iter()
            .map(|(name, raw)| (name.replace("model.", ""), raw))
            .collect();
    });
    let states = |logits: &[&str]| {
        let ids = crate::model::parity::golden("llama-gqa").join("oracle.safetensors");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
        command
            .args(["states", "-o"])
            .arg(scene.path("out"))
            .arg("--tokens")
            .arg(ids)
            .args(logits)
            .arg(scene.path("model"));
        let output = command.output().expect("the binary");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(states(&[]).0, Some(0));
    let (code, message) = states(&["--logits"]);
    assert!(code == Some(1) && message.contains("no head (lm_head.weight)"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once_and_a_device_is_not_replaced() {
    let scene = Scene::new("gpt2");
    std::fs::remove_file(scene.path(CONFIG)).expect("a file");
    let made = std::process::Command::new("mkfifo").arg(scene.path(CONFIG)).status().expect("mkfifo");
    assert!(made.success());
    scene.refuses(&[], 1, &[CONFIG, "a device or a pipe"]);
    let (model, ids) = (
        crate::model::parity::golden("gpt2"),
        crate::model::parity::golden("gpt2").join("oracle.safetensors"),
    );
    // The output is a pipe instead of a device, because the test may not have permission to replace a device.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.arg("states").arg(model).arg("--tokens").arg(ids).arg("-o").arg(scene.path(CONFIG));
    let output = command.output().expect("the binary");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && message.contains("a device or a pipe"), "{message}");
    assert!(!scene.path(CONFIG).is_file());
}

#[test]
fn weights_that_are_finite_and_overflow_are_refused_by_the_block() {
    let scene = Scene::new("gpt2");
    let most = |(_, _, data): &mut Raw| *data = f32::MAX.to_le_bytes().repeat(data.len() / 4);
    scene.tensors(|tensors| most(tensors.get_mut("transformer.h.1.mlp.c_proj.weight").expect("the tensor")));
    scene.refuses(
        &[],
        1,
        &["model: residual stream h_2 contains", "NaN or infinite", "check the weights and dtype"],
    );
}
