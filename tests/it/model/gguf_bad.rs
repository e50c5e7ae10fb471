//! Tests that GGUF files that are damaged or truncated, or that contain no model, give one message that names
//! the key or tensor.

use std::path::Path;

use surmise::model::weights::Gguf;
use surmise::model::{Model, ModelOptions};

use super::checkpoints::hub;
use super::gguf::file;
use crate::support::gguf::{BOOL, F32, GgufFile, LIST, TEXT, U32, numbers, text, texts};

/// The error about a file with these bytes.
fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).expect("a file");
    refusal_of(&path)
}

fn refusal_of(path: &Path) -> String {
    let name = path.to_str().expect("UTF-8");
    match Model::load_with(name, ModelOptions::default(), &hub()) {
        Ok(_) => "it opens".into(),
        Err(error) => error.to_string(),
    }
}

fn u32s(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

type Change = fn(&mut GgufFile);

#[test]
fn the_fault_of_a_file_is_named() {
    assert_eq!(refusal(&GgufFile::llama().bytes()), "it opens");
    let cases: &[(&str, Change)] = &[
        ("not a GGUF file", |f| f.magic = *b"GGML"),
        ("of version 1", |f| f.version = 1),
        ("of version 9", |f| f.version = 9),
        ("big-endian", |f| f.version = 3_u32.to_be()),
        ("the number of tensors is 18446744073709551615", |f| f.n_tensors = Some(u64::MAX)),
        ("the number of keys is 4611686018427387904", |f| f.n_keys = Some(1 << 62)),
        ("the number of tensors is 1000000", |f| f.n_tensors = Some(1_000_000)),
        ("truncated: the name of a key needs", |f| f.n_keys = Some(30)),
        ("the key `general.architecture` twice", |f| {
            f.keys.push(("general.architecture".into(), TEXT, text("llama")));
        }),
        ("needs 1152921504606846976 bytes", |f| {
            f.set("general.name", TEXT, (1_u64 << 60).to_le_bytes().to_vec());
        }),
        ("the length of the value of `general.tags` is 1152921504606846976", |f| {
            let bytes = [&8_u32.to_le_bytes()[..], &(1_u64 << 60).to_le_bytes()].concat();
            f.set("general.tags", LIST, bytes);
        }),
        ("the length of the value of `general.tags` is 9223372036854775807", |f| {
            let bytes = [&12_u32.to_le_bytes()[..], &(i64::MAX).to_le_bytes()].concat();
            f.set("general.tags", LIST, bytes);
        }),
        ("has lists that are nested more than 4 levels deep", |f| {
            let level = [&9_u32.to_le_bytes()[..], &1_u64.to_le_bytes()].concat();
            f.set("general.tags", LIST, [level.repeat(50), numbers(U32, &[])].concat());
        }),
        ("has the unknown type 77", |f| f.set("general.name", 77, vec![0; 8])),
        ("is a list of the unknown type 78", |f| {
            f.set("general.name", LIST, numbers(78, &[]));
        }),
        ("`general.alignment` is 24, which is not a power of two", |f| {
            f.set("general.alignment", U32, u32s(24));
        }),
        ("key `llama.block_count` is \"one\", not a whole number below 2^32", |f| {
            f.set("llama.block_count", TEXT, text("one"));
        }),
        ("key `llama.block_count` is missing", |f| f.remove("llama.block_count")),
        ("`llama.attention.layer_norm_rms_epsilon` is true, not a number", |f| {
            f.set("llama.attention.layer_norm_rms_epsilon", BOOL, vec![1]);
        }),
        ("`tokenizer.ggml.tokens` is 5, not a list of strings", |f| {
            f.set("tokenizer.ggml.tokens", U32, u32s(5));
        }),
        ("`llama.feed_forward_length` differs from block to block", |f| {
            f.set("llama.feed_forward_length", LIST, numbers(U32, &[[8, 0, 0, 0], [9, 0, 0, 0]]));
        }),
        ("tensor `blk.0.attn_q.weight` has the unsupported type IQ4_XS", |f| {
            f.tensor("blk.0.attn_q.weight").kind = 23;
        }),
        ("has the unsupported type number 9999", |f| f.tensor("blk.0.attn_q.weight").kind = 9999),
        ("which is not a whole number of Q4_K blocks", |f| f.tensor("blk.0.attn_q.weight").kind = 12),
        ("has shape [4294967296, 4294967296]", |f| {
            f.tensor("blk.0.attn_q.weight").dims = vec![1 << 32, 1 << 32];
        }),
        ("has shape [0, 8]", |f| f.tensor("blk.0.attn_q.weight").dims = vec![0, 8]),
        ("has 5 dimensions", |f| f.tensor("blk.0.attn_q.weight").dims = vec![1; 5]),
        ("but the file is truncated", |f| f.tensor("blk.0.attn_q.weight").offset = 1 << 40),
        ("but the file is truncated", |f| f.tensor("blk.0.attn_q.weight").offset = u64::MAX - 31),
        ("is not a multiple of 32", |f| f.tensor("blk.0.attn_q.weight").offset += 4),
        ("overlaps `token_embd.weight`", |f| f.tensor("blk.0.attn_q.weight").offset = 32),
        ("occurs twice", |f| f.tensor("blk.0.attn_k.weight").name = "blk.0.attn_v.weight".into()),
        ("is missing", |f| f.tensors.retain(|tensor| tensor.name != "blk.0.attn_k.weight")),
        ("has no tensor `token_embd.weight`", |f| f.tensors.retain(|t| t.name != "token_embd.weight")),
        ("`blk.0.ffn_gate_inp.weight` is not a parameter of `llama`", |f| {
            f.push("blk.0.ffn_gate_inp.weight", &[8, 4]);
        }),
        ("`blk.7.attn_q.weight` is not a parameter of", |f| f.push("blk.7.attn_q.weight", &[8, 8])),
        ("general.architecture `mamba` is not supported", |f| {
            f.set("general.architecture", TEXT, text("mamba"));
        }),
        ("has no key `general.architecture`", |f| f.remove("general.architecture")),
        ("is a LoRA adapter", |f| f.set("general.type", TEXT, text("adapter"))),
        ("(mmproj)", |f| f.set("general.type", TEXT, text("mmproj"))),
        ("(mmproj)", |f| f.set("general.architecture", TEXT, text("clip"))),
        ("is part 1 of 3 of a model according to its header", |f| f.set("split.count", U32, u32s(3))),
        ("contains a vocabulary but no weights", |f| f.tensors.clear()),
        ("key `llama.expert_used_count` is missing", |f| f.set("llama.expert_count", U32, u32s(8))),
        ("block_sparse_moe.gate", |f| {
            f.set("llama.expert_count", U32, u32s(8));
            f.set("llama.expert_used_count", U32, u32s(2));
        }),
        ("unsupported llama.expert_gating_func=2", |f| {
            f.set("llama.expert_count", U32, u32s(8));
            f.set("llama.expert_used_count", U32, u32s(2));
            f.set("llama.expert_gating_func", U32, u32s(2));
        }),
        ("unsupported qwen3.expert_count=8", |f| {
            f.set("general.architecture", TEXT, text("qwen3"));
            let keys: Vec<_> = f.keys.iter().filter(|(key, ..)| key.starts_with("llama.")).cloned().collect();
            for (key, kind, value) in keys {
                f.set(&key.replace("llama.", "qwen3."), kind, value);
            }
            f.set("qwen3.expert_count", U32, u32s(8));
        }),
        ("unsupported llama.attention.causal=false", |f| f.set("llama.attention.causal", BOOL, vec![0])),
        ("unsupported llama.logit_scale=4", |f| {
            f.set("llama.logit_scale", F32, 4_f32.to_le_bytes().to_vec());
        }),
        ("unsupported llama.attention.value_length=6", |f| {
            f.set("llama.attention.value_length", U32, u32s(6));
        }),
        ("unsupported llama.rope.scaling.type=ntk", |f| {
            f.set("llama.rope.scaling.type", TEXT, text("ntk"));
        }),
        ("without merges", |f| f.remove("tokenizer.ggml.merges")),
        ("merge 0 of `tokenizer.ggml.merges` is not a pair", |f| {
            f.set("tokenizer.ggml.merges", LIST, texts(&["ab"]));
        }),
        ("its merges do not match its tokens", |f| f.set("tokenizer.ggml.merges", LIST, texts(&["x y"]))),
        ("`tokenizer.ggml.pre` is `klingon`", |f| f.set("tokenizer.ggml.pre", TEXT, text("klingon"))),
        ("`tokenizer.ggml.pre` is `default`", |f| f.remove("tokenizer.ggml.pre")),
        ("a tokenizer of the unsupported kind `rwkv`", |f| f.set("tokenizer.ggml.model", TEXT, text("rwkv"))),
        ("has no tokenizer", |f| f.remove("tokenizer.ggml.tokens")),
        ("without scores", |f| f.set("tokenizer.ggml.model", TEXT, text("llama"))),
        ("`tokenizer.ggml.token_type` has 1 entries for 16 tokens", |f| {
            f.set("tokenizer.ggml.token_type", LIST, numbers(U32, &[[1, 0, 0, 0]]));
        }),
    ];
    for (says, change) in cases {
        let mut file = GgufFile::llama();
        change(&mut file);
        let refusal = refusal(&file.bytes());
        assert!(refusal.contains(says), "{refusal}\n  does not contain: {says}");
    }
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.gguf");
    let whole = std::fs::read(file("qwen2.gguf")).expect("a file");
    let header = 3000;
    let cuts = (0..header).step_by(3).chain((header..whole.len() - 32).step_by(1999));
    for n in cuts {
        std::fs::write(&path, &whole[..n]).expect("a file");
        let error = Gguf::open(&path).err().unwrap_or_else(|| panic!("{n} of {} bytes open", whole.len()));
        let message = error.to_string();
        let is_named = ["truncated", "cannot contain", "begin with `GGUF`"];
        assert!(is_named.iter().any(|says| message.contains(says)), "{n}: {message}");
    }
}

#[test]
fn the_error_about_a_folder_lists_the_files_to_choose_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    let bytes = GgufFile::llama().bytes();
    put("b.gguf", &bytes);
    assert_eq!(refusal_of(folder.path()), "it opens");
    put("adapter_config.json", b"{}");
    assert!(refusal_of(folder.path()).contains("is next to a GGUF file"), "{}", refusal_of(folder.path()));
    std::fs::remove_file(folder.path().join("adapter_config.json")).expect("a file");
    put("a.gguf", &bytes);
    assert!(refusal_of(folder.path()).contains("give one of them: a.gguf, b.gguf"));
    put("c-00001-of-00002.gguf", &bytes);
    assert!(refusal_of(folder.path()).contains("give one of them: a.gguf, b.gguf, c-00001-of-00002.gguf"));
    let missing = refusal_of(&folder.path().join("none.gguf"));
    assert!(missing.contains("no such file or folder") && !missing.contains("minigpt-2"), "{missing}");
    // The message suggests the model with the most similar name in the folder. If no name is similar, the
    // message lists the models in the folder.
    put("gemma3.gguf", &bytes);
    let near = refusal_of(&folder.path().join("gemma.gguf"));
    assert!(
        near.contains(&format!("did you mean {}?", folder.path().join("gemma3.gguf").display())),
        "{near}"
    );
    assert!(missing.contains("the models in ") && missing.contains("a.gguf"), "{missing}");
    let lost = refusal_of(&folder.path().join("lost/b.gguf"));
    assert!(lost.contains("and no folder ") && !lost.contains("did you mean"), "{lost}");
    put("notes.txt", b"hello");
    let other = refusal_of(&folder.path().join("notes.txt"));
    assert!(other.contains("it is a file but not a GGUF file"), "{other}");
}
