//! Tests that the binary returns an error for checkpoints in several files or in PyTorch format that are
//! damaged or inconsistent. The error names the file or tensor.

use std::path::Path;

use serde_json::{Value, json};

use super::parity::golden;
use crate::cli::bad_input::refused;

/// A folder with the config of `llama-linear-rope` and weights in one of the golden forms.
struct Form(tempfile::TempDir);

const INDEX: &str = "model.safetensors.index.json";
const FIRST: &str = "model-00001-of-00002.safetensors";
const SECOND: &str = "model-00002-of-00002.safetensors";
const TORCH: &str = "pytorch_model.bin";

impl Form {
    fn new(kind: &str) -> Self {
        let form = Self(tempfile::tempdir().expect("a folder"));
        form.put("config.json", &std::fs::read(golden("llama-linear-rope/config.json")).expect("a config"));
        for entry in std::fs::read_dir(golden("forms").join(kind)).expect("a form") {
            let entry = entry.expect("an entry");
            form.put(&entry.file_name().to_string_lossy(), &std::fs::read(entry.path()).expect("a file"));
        }
        form
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path().join(file)).expect("a file")
    }

    fn put(&self, file: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(file), bytes).expect("a file");
    }

    fn remove(&self, file: &str) {
        std::fs::remove_file(self.path().join(file)).expect("a file");
    }

    /// Changes the file name that the index gives for a tensor.
    fn place(&self, tensor: &str, file: &Value) {
        let mut index: Value = serde_json::from_slice(&self.read(INDEX)).expect("JSON");
        index["weight_map"][tensor] = file.clone();
        self.put(INDEX, index.to_string().as_bytes());
    }

    fn refuses(&self, says: &[&str]) {
        refused(&["model", self.path().to_str().expect("UTF-8")], 1, says);
    }
}

#[test]
fn an_index_that_names_a_missing_file_is_refused_by_the_file() {
    let form = Form::new("sharded");
    form.remove(SECOND);
    form.refuses(&["cannot read", SECOND, "check that the path exists"]);
    let form = Form::new("sharded");
    form.place("model.norm.weight", &json!("model-00003-of-00002.safetensors"));
    form.refuses(&["cannot read", "model-00003-of-00002.safetensors"]);
}

#[test]
fn an_index_that_disagrees_with_its_files_is_refused_by_the_tensor() {
    let form = Form::new("sharded");
    let bytes = form.read(FIRST);
    form.put(SECOND, &bytes);
    form.refuses(&[
        "tensor `",
        "is in this file and in",
        FIRST,
        "download or save the whole checkpoint again",
    ]);
    let form = Form::new("sharded");
    form.place("lm_head.weight", &json!(SECOND));
    form.refuses(&[INDEX, "tensor `lm_head.weight` is not in", SECOND, "although the index lists it there"]);
    let form = Form::new("sharded");
    form.place("model.layers.9.mlp.up_proj.weight", &json!(SECOND));
    form.refuses(&["tensor `model.layers.9.mlp.up_proj.weight` is not in", SECOND]);
}

#[test]
fn an_invalid_index_or_one_that_leaves_its_folder_is_refused() {
    for (bytes, says) in [
        (&b""[..], "not the JSON that surmise expects"),
        (b"{\"weight_map\"", "not the JSON that surmise expects"),
        (b"[]", "has no `weight_map`"),
        (b"{\"weight_map\": [1]}", "has no `weight_map`"),
        (b"{\"weight_map\": {}}", "tensor `model.embed_tokens.weight` is missing"),
    ] {
        let form = Form::new("sharded");
        form.put(INDEX, bytes);
        form.refuses(&[INDEX, says]);
    }
    for file in [
        json!("../elsewhere.safetensors"),
        json!("/etc/passwd"),
        json!(".."),
        json!(""),
        json!(7),
        json!(null),
    ] {
        let form = Form::new("sharded");
        form.place("model.norm.weight", &file);
        form.refuses(&[
            INDEX,
            "assigns tensor `model.norm.weight` to",
            "which is not the name of a file in the same folder",
        ]);
    }
}

#[test]
fn a_damaged_shard_is_named() {
    let form = Form::new("sharded");
    let whole = form.read(SECOND);
    for (bytes, says) in [
        (&[][..], "0 bytes are too few"),
        (&whole[..whole.len() - 1], "truncated"),
        (&u64::MAX.to_le_bytes().repeat(3), "header too large"),
        (&[&90_000_000_u64.to_le_bytes()[..], b"{}"].concat(), "fewer than its header"),
    ] {
        form.put(SECOND, bytes);
        form.refuses(&[SECOND, says, "download or save the file again"]);
    }
    let header = |text: &str, data: usize| {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &vec![0; data]].concat()
    };
    let overlapping = r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#;
    let negative = r#"{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}"#;
    let backwards = r#"{"a": {"dtype": "F32", "shape": [0], "data_offsets": [8, 0]}}"#;
    let unequal = r#"{"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}"#;
    let gap = r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#;
    for (text, says) in [
        (overlapping, "invalid offset for tensor `b`"),
        (negative, "invalid value: integer `-2`"),
        (backwards, "invalid offset for tensor `a`"),
        (unequal, "invalid shape, data type, or offset for tensor"),
        (gap, "invalid offset for tensor `a`"),
    ] {
        form.put(SECOND, &header(text, 12));
        form.refuses(&[SECOND, "not a valid safetensors file", says]);
    }
}

#[test]
fn an_invalid_pytorch_file_is_refused() {
    let form = Form::new("torch");
    let whole = form.read(TORCH);
    let at = |text: &[u8]| whole.windows(text.len()).position(|window| window == text).expect("some bytes");
    let changed = |text: &[u8], other: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at(text)..][..other.len()].copy_from_slice(other);
        bytes
    };
    let again = "download or save the file again";
    for (bytes, says, advice) in [
        (vec![], "not a valid PyTorch checkpoint", again),
        (whole[..whole.len() / 2].to_vec(), "not a valid PyTorch checkpoint", again),
        (b"PK\x05\x06".iter().copied().chain([0; 18]).collect(), "it contains no data.pkl", again),
        (
            b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec(),
            "before version 1.6, which is not supported",
            "; load the file with a newer PyTorch and save it again",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            "a git-lfs pointer",
            "; download them with `git lfs pull`",
        ),
        (changed(b"ccollections", b"\xffcollectio"), "its pickle uses operation 0xff", again),
        (changed(b"X\x07\0\0\0storage", b"X\xff\xff\xff\xff"), "its pickle is truncated", again),
    ] {
        form.put(TORCH, &bytes);
        form.refuses(&[TORCH, says, advice]);
    }
    // Unsupported types, and shapes that do not match the config, are errors.
    form.put(TORCH, &changed(b"FloatStorage", b"ShortStorage"));
    form.refuses(&[TORCH, "tensor `", "has type", "save the checkpoint again as f32, f16 or bf16"]);
    form.put(TORCH, &whole);
    let mut config: Value = serde_json::from_slice(&form.read("config.json")).expect("JSON");
    config["intermediate_size"] = 56.into();
    form.put("config.json", config.to_string().as_bytes());
    form.refuses(&[TORCH, "mlp.gate_proj.weight` has shape [48, 32], but config.json requires [56, 32]"]);
}

#[test]
fn nan_in_a_pytorch_file_is_refused_by_its_tensor() {
    let form = Form::new("torch");
    let mut bytes = form.read(TORCH);
    // The archive is not compressed, so the bytes of the embedding can be found and changed.
    let core = candle_core::safetensors::load(
        golden("llama-linear-rope/model.safetensors"),
        &candle_core::Device::Cpu,
    );
    let values =
        core.expect("weights")["model.embed_tokens.weight"].flatten_all().and_then(|t| t.to_vec1::<f32>());
    let begin: Vec<u8> = values.expect("f32")[..4].iter().flat_map(|value| value.to_le_bytes()).collect();
    let at = bytes.windows(16).position(|window| window == begin).expect("the values");
    bytes[at + 8..at + 12].copy_from_slice(&f32::NAN.to_le_bytes());
    form.put(TORCH, &bytes);
    // `surmise model` reads no values, so the test runs `surmise states`.
    let tokens = golden("llama-linear-rope/oracle.safetensors");
    let out = form.path().join("states.safetensors");
    let paths = [form.path(), &tokens, &out].map(|path| path.to_str().expect("UTF-8"));
    refused(
        &["states", paths[0], "--tokens", paths[1], "-o", paths[2]],
        1,
        &[TORCH, "tensor `model.embed_tokens.weight` contains NaN at element 2: the checkpoint is damaged"],
    );
}

#[test]
fn a_gguf_file_is_read_if_there_are_no_other_weights() {
    let form = Form::new("torch");
    form.put("model-Q4_K_M.gguf", b"GGUF");
    super::checkpoints::done(&["model", form.path().to_str().expect("UTF-8")]);
    form.remove(TORCH);
    form.refuses(&["model-Q4_K_M.gguf", "truncated: its version needs 4 bytes"]);
}

#[test]
fn invalid_token_ids_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let [file, out] = ["ids.safetensors", "out.safetensors"].map(|name| folder.path().join(name));
    let [file, out] = [&file, &out].map(|path| path.to_str().expect("UTF-8"));
    let model = golden("qwen3");
    let arguments = ["states", model.to_str().expect("UTF-8"), "--tokens", file, "-o", out];
    refused(&arguments, 1, &["cannot read", "ids.safetensors"]);
    let array = |name: &str, dtype: &str, shape: &str, bytes: &[u8]| {
        let header = format!(
            r#"{{"{name}": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": [0, {}]}}}}"#,
            bytes.len()
        );
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), bytes].concat()
    };
    let ids = |ids: [i64; 2]| ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>();
    let long = vec![0; 129 * 8];
    for (bytes, says) in [
        (vec![], "too few for a safetensors file"),
        (array("ids", "I64", "[1, 2]", &ids([1, 2])), "tensor `input_ids` is missing"),
        (array("input_ids", "I64", "[2]", &ids([1, 2])), "has shape [2]; give token ids of shape (n, t)"),
        (array("input_ids", "F64", "[1, 2]", &ids([1, 2])), "has type F64"),
        (array("input_ids", "I64", "[0, 2]", &[]), "give at least one token"),
        (array("input_ids", "I64", "[1, 2]", &ids([1, -1])), "contains -1, which is not a token id"),
        (
            array("input_ids", "I64", "[1, 2]", &ids([1, 64])),
            "contains token id 64, but the model's vocabulary has only 64 tokens",
        ),
        (
            array("input_ids", "I64", "[1, 129]", &long),
            "has 129 tokens, but the model has only 128 positions",
        ),
    ] {
        std::fs::write(file, bytes).expect("a file");
        refused(&arguments, 1, &[says]);
    }
    refused(&["states", "minigpt-1", "-o", out], 2, &["--tokens"]);
    refused(
        &["states", "minigpt-1", "--tokens", file, "--corpus", "colours", "-o", out],
        2,
        &["cannot be used with"],
    );
    refused(&["states", "nowhere", "--tokens", file, "-o", out], 2, &["unknown model `nowhere`"]);
    // If entities have different numbers of tokens, the windows do not form an array.
    let model = golden("gpt2");
    let arguments =
        ["states", model.to_str().expect("UTF-8"), "--corpus", "colours", "--windows", "50", "-o", out];
    refused(&arguments, 1, &["tokens, but window 0 has", "give --tokens"]);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_states_file_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = golden("qwen3/oracle.safetensors");
    let model = golden("qwen3");
    let [model, tokens] = [&model, &tokens].map(|path| path.to_str().expect("UTF-8"));
    let below = folder.path().join("none/out.safetensors");
    refused(
        &["states", model, "--tokens", tokens, "-o", below.to_str().expect("UTF-8")],
        1,
        &["cannot write", "-o"],
    );
    let out = folder.path().to_str().expect("UTF-8");
    refused(&["states", model, "--tokens", tokens, "-o", out], 1, &["cannot write", "-o"]);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
