//! Tests tokenizers in every published format. The token ids equal the ids of the Python libraries, and
//! damaged files give errors.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use surmise::model::{Bos, LoadedDecoder, Model, ModelOptions};
use tempfile::TempDir;

use super::checkpoints::{done, hub, surmise};
use super::parity::golden;

/// Vocabulary size of the golden sentencepiece model `unigram-bytes`.
const N_UNIGRAM_BYTES: u32 = 354;

fn files(name: &str) -> PathBuf {
    golden("tokenizers").join(name)
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Creates a folder with a small model without a tokenizer. Its vocabulary is larger than the vocabulary of
/// every golden tokenizer.
fn bare(model_type: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = json!({
        "model_type": model_type, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": 512, "max_position_embeddings": 64,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": true
    });
    put(&folder, "config.json", config.to_string().as_bytes());
    let tensor = |shape: &[usize]| {
        let n = shape.iter().product();
        let values: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
        candle_core::Tensor::from_vec(values, shape, &candle_core::Device::Cpu).expect("a tensor")
    };
    let square = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"];
    let mlp = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
    let mut tensors: std::collections::HashMap<String, candle_core::Tensor> = [square.as_slice(), &mlp]
        .concat()
        .iter()
        .map(|name| (format!("model.layers.0.{name}.weight"), tensor(&[8, 8])))
        .collect();
    for name in ["layers.0.input_layernorm", "layers.0.post_attention_layernorm", "norm"] {
        tensors.insert(format!("model.{name}.weight"), tensor(&[8]));
    }
    if model_type.starts_with("qwen2") {
        for name in &square[..3] {
            tensors.insert(format!("model.layers.0.{name}.bias"), tensor(&[8]));
        }
    }
    tensors.insert("model.embed_tokens.weight".into(), tensor(&[512, 8]));
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).expect("a file");
    folder
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) {
    std::fs::write(folder.path().join(name), bytes).expect("a file");
}

fn copy(folder: &TempDir, from: &str, to: &str) {
    std::fs::copy(files(from), folder.path().join(to)).expect("a copy");
}

fn name(folder: &TempDir) -> &str {
    folder.path().to_str().expect("UTF-8")
}

fn open(folder: &TempDir, bos: Bos) -> surmise::Result<Model> {
    Model::load_with(name(folder), ModelOptions { bos, ..ModelOptions::default() }, &hub())
}

/// The token ids of the golden texts.
fn ids(folder: &TempDir) -> Vec<Vec<u32>> {
    let model = open(folder, Bos::Off).unwrap_or_else(|error| panic!("{error}"));
    let texts = read_json(&files("ids.json"))["texts"].clone();
    let ids = |text: &Value| model.tokenizer.encode_any(text.as_str().expect("a text"), true);
    texts.as_array().expect("texts").iter().map(|text| ids(text).expect("ids").0).collect()
}

fn assert_ids(folder: &TempDir, reference: &str) {
    let golden = read_json(&files("ids.json"));
    for (at, ids) in ids(folder).into_iter().enumerate() {
        assert_eq!(json!(ids), golden[reference][at], "{reference}: {}", golden["texts"][at]);
    }
}

#[test]
fn the_ids_of_a_sentencepiece_model_are_those_of_sentencepiece() {
    for model in ["bpe-bytes", "bpe-rules", "unigram-rules", "unigram-bytes"] {
        for file in ["tokenizer.model", "spiece.model"] {
            let folder = bare("llama");
            copy(&folder, &format!("{model}.model"), file);
            assert_ids(&folder, model);
        }
    }
}

#[test]
fn the_ids_of_vocabulary_and_merges_are_those_of_their_python_class() {
    for (model_type, class, reference) in [
        ("llama", Some("GPT2Tokenizer"), "gpt2"),
        ("llama", Some("GPT2TokenizerFast"), "gpt2"),
        ("llama", None, "gpt2"),
        ("llama", Some("Qwen2Tokenizer"), "qwen2"),
        ("qwen2", None, "qwen2"),
    ] {
        let folder = bare(model_type);
        copy(&folder, "byte-level/vocab.json", "vocab.json");
        copy(&folder, "byte-level/merges.txt", "merges.txt");
        if let Some(class) = class {
            put(&folder, "tokenizer_config.json", json!({"tokenizer_class": class}).to_string().as_bytes());
        }
        assert_ids(&folder, reference);
    }
}

#[test]
fn added_tokens_have_the_ids_that_their_file_gives_them() {
    for (from, to) in [("byte-level/vocab.json", "vocab.json"), ("unigram-bytes.model", "tokenizer.model")] {
        let folder = bare("llama");
        copy(&folder, from, to);
        copy(&folder, "byte-level/merges.txt", "merges.txt");
        let first: u32 = if to == "vocab.json" { 384 } else { N_UNIGRAM_BYTES };
        put(
            &folder,
            "added_tokens.json",
            json!({"<|im_start|>": first, "<|im_end|>": first + 1}).to_string().as_bytes(),
        );
        let marks = json!({"bos_token": {"content": "<|im_start|>"}, "eos_token": "<|im_end|>"});
        put(&folder, "special_tokens_map.json", marks.to_string().as_bytes());
        let model = open(&folder, Bos::On).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(model.tokenizer.prefix(), [first], "{to}");
        // In a text, the characters of a special token are plain text. In the output of a chat template, they
        // encode to the token.
        let text = "a<|im_end|>";
        let plain = model.tokenizer.encode_any(text, false).expect("ids").0;
        assert!(!plain.contains(&(first + 1)), "{to}: {plain:?}");
        let meant = model.tokenizer.with_special_tokens_in_text().encode_any(text, false).expect("ids").0;
        assert_eq!(meant.last(), Some(&(first + 1)), "{to}");
    }
}

#[test]
fn a_model_without_tokenizer_is_opened_if_no_text_is_read() {
    let folder = bare("llama");
    LoadedDecoder::load(name(&folder), &ModelOptions::default(), &hub()).expect("a decoder");
    done(&["model", name(&folder)]);
    let error = open(&folder, Bos::Auto).err().expect("no tokenizer").to_string();
    assert!(
        error.contains(
            "tokenizer.json: is missing; the folder also has neither vocab.json with merges.txt nor"
        ),
        "{error}"
    );
    copy(&folder, "byte-level/vocab.json", "vocab.json");
    let error = open(&folder, Bos::Auto).err().expect("no merges").to_string();
    assert!(error.contains("vocab.json without merges.txt"), "{error}");
}

#[test]
fn the_settings_of_tokenizer_config_are_used_and_a_contradiction_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(golden("gpt2").join(file), folder.path().join(file)).expect("a copy");
    }
    let auto = |settings: Value| {
        put(&folder, "tokenizer_config.json", settings.to_string().as_bytes());
        let model = open(&folder, Bos::Auto).expect("a model");
        (model.tokenizer.prefix().to_vec(), model.tokenizer.bos(), model.tokenizer.notes().to_vec())
    };
    assert_eq!(auto(json!({"bos_token": "<|endoftext|>"})), (vec![], Bos::Off, vec![]));
    let (prefix, bos, notes) = auto(json!({"bos_token": "<|endoftext|>", "add_bos_token": true}));
    assert_eq!((prefix, bos), (vec![0], Bos::On));
    assert!(notes[0].contains("add_bos_token true, but the template"), "{notes:?}");
    let out = folder.path().join("states.safetensors");
    let out = out.to_str().expect("UTF-8");
    let states =
        ["states", name(&folder), "--corpus", "colours", "--windows", "4", "--entities", "2", "-o", out];
    let output = surmise(&states);
    assert!(String::from_utf8_lossy(&output.stderr).contains("add_bos_token true, but the template"));
    let quiet = surmise(&[&states[..], &["-q"]].concat());
    assert!(!String::from_utf8_lossy(&quiet.stderr).contains("add_bos_token"));

    // The template of the tokenizer adds the token; `add_bos_token` false has precedence over the template.
    let special = json!({"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}});
    let single = json!([
        {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    ]);
    let mut tokenizer = read_json(&golden("gpt2").join("tokenizer.json"));
    tokenizer["post_processor"] =
        json!({"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special});
    put(&folder, "tokenizer.json", tokenizer.to_string().as_bytes());
    assert_eq!(auto(json!({})), (vec![0], Bos::On, vec![]));
    assert_eq!(auto(json!({"add_bos_token": true})), (vec![0], Bos::On, vec![]));
    let (prefix, _, notes) = auto(json!({"add_bos_token": false}));
    assert_eq!(prefix, [0; 0]);
    assert!(notes[0].contains("add_bos_token false"), "{notes:?}");
    let (_, _, notes) = auto(json!({"add_eos_token": true}));
    assert!(notes[0].contains("end-of-sequence token"), "{notes:?}");
    put(&folder, "tokenizer_config.json", b"{\"add_bos_token\": \"yes\"}");
    let error = open(&folder, Bos::Auto).err().expect("no switch").to_string();
    assert!(error.contains("key `add_bos_token` is \"yes\", not true or false"), "{error}");
}

#[test]
fn a_sentencepiece_model_begins_texts_like_its_python_class() {
    for (model_type, settings, prefix) in [
        ("llama", json!(null), vec![1]),
        ("llama", json!({"tokenizer_class": "T5Tokenizer"}), vec![]),
        ("llama", json!({"add_bos_token": false}), vec![]),
        ("qwen2", json!(null), vec![]),
        ("qwen2", json!({"add_bos_token": true, "bos_token": "</s>"}), vec![2]),
    ] {
        let folder = bare(model_type);
        copy(&folder, "bpe-bytes.model", "tokenizer.model");
        if settings.is_object() {
            put(&folder, "tokenizer_config.json", settings.to_string().as_bytes());
        }
        assert_eq!(open(&folder, Bos::Auto).expect("a model").tokenizer.prefix(), prefix, "{settings}");
    }
}

#[test]
fn a_damaged_tokenizer_of_an_older_kind_gives_one_message() {
    let refused = |folder: &TempDir, says: &[&str]| {
        let arguments = [
            "measure",
            "--estimand=positional",
            name(folder),
            "--corpus",
            "colours",
            "--windows",
            "4",
            "--entities",
            "2",
        ];
        let output = surmise(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().filter(|line| line.starts_with("surmise: ")).count(), 1, "{stderr}");
        says.iter().for_each(|words| assert!(stderr.contains(words), "{words:?} is not in: {stderr}"));
    };
    let whole = std::fs::read(files("bpe-rules.model")).expect("a model");
    let folder = bare("llama");
    for bytes in [&b""[..], b"\xff", &whole[..whole.len() - 3], &whole[..whole.len() / 2], b"{}"] {
        put(&folder, "tokenizer.model", bytes);
        refused(
            &folder,
            &["tokenizer.model", "is not a readable sentencepiece model", "create a tokenizer.json"],
        );
    }
    put(&folder, "tokenizer.model", b"IQ== 0\nIg== 1\n");
    refused(&folder, &["a tiktoken list"]);
    let folder = bare("llama");
    let vocab = std::fs::read(files("byte-level/vocab.json")).expect("a vocabulary");
    for (vocab, merges, says) in [
        (&vocab[..], &b"#version: 0.2\n"[..], "contains no merges"),
        (&vocab, b"a b c\nab\n", "merges.txt"),
        (&vocab, b"q q\n", "does not belong to its vocab.json"),
        (b"[1]", b"a b\n", "is not a map of pieces to ids"),
        (&vocab[..100], b"a b\n", "is not a map of pieces to ids"),
    ] {
        put(&folder, "vocab.json", vocab);
        put(&folder, "merges.txt", merges);
        refused(&folder, &[says, "download or save it again"]);
    }
    put(&folder, "tokenizer_config.json", b"{\"tokenizer_class\": \"LlamaTokenizer\"}");
    refused(&folder, &["belongs to a LlamaTokenizer", "create a tokenizer.json with transformers"]);
}
