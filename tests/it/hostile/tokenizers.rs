//! Tokenizer files that would make the library panic, loop or fill the memory.

use serde_json::{Value, json};

use super::bounded::run;
use crate::cli::bad_input::Scene;

/// The error of `measure` for a tokenizer.json with some members replaced.
fn measured(members: &Value) -> (Option<i32>, String) {
    let scene = Scene::new("gpt2");
    let path = scene.path("model/tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    for (name, value) in members.as_object().expect("members") {
        file[name] = value.clone();
    }
    scene.put("model/tokenizer.json", file.to_string().as_bytes());
    let arguments = scene.command(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = run(&scene.path(""), &arguments).orderly(&format!("{members:.200}"));
    (ended.code, ended.stderr)
}

fn replace(pattern: &Value, content: &str) -> Value {
    json!({"type": "Replace", "pattern": pattern, "content": content})
}

#[test]
fn each_fault_is_an_error_that_names_the_member() {
    let sequence = |list: &str, parts: Vec<Value>| {
        let mut sequence = json!({"type": "Sequence"});
        sequence[list] = parts.into();
        sequence
    };
    let normalizers = |parts: Vec<Value>| json!({"normalizer": sequence("normalizers", parts)});
    let cut = |parts: Vec<Value>| json!({"pre_tokenizer": sequence("pretokenizers", parts)});
    let regex = |pattern: &str| {
        let pattern = json!({ "Regex": pattern });
        json!({"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": false})
    };
    let bpe = |merges: Value, prefix: Value| {
        json!({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": merges,
                         "continuing_subword_prefix": prefix}})
    };
    let template = |single: Value| {
        let special = json!({"x": {"id": "x", "ids": [1], "tokens": ["a"]}});
        json!({"post_processor": {"type": "TemplateProcessing", "single": single, "pair": single,
                                  "special_tokens": special}})
    };
    let double = replace(&json!({"Regex": "."}), "aa");
    let bytes =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    for (members, says) in [
        (normalizers(vec![double; 30]), "normalizer.normalizers["),
        (
            normalizers(vec![replace(&json!({"String": " "}), &"x".repeat(1 << 20))]),
            "normalizer.normalizers[0]",
        ),
        (normalizers(vec![bytes.clone(); 30]), "normalizer.normalizers["),
        (normalizers(vec![replace(&json!({"Regex": "((a{999}){999}){999}"}), "")]), "normalizers[0].pattern"),
        (normalizers(vec![json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"})]), "normalization"),
        (
            normalizers(vec![json!({"type": "Precompiled", "precompiled_charsmap": "/////wAA"})]),
            "normalization",
        ),
        (cut(vec![bytes; 30]), "pre_tokenizer.pretokenizers["),
        (cut(vec![json!({"type": "FixedLength", "length": 0})]), "pre_tokenizer.pretokenizers[0].length"),
        (cut(vec![regex("(?=a){4000000000}")]), "pretokenizers[0].pattern"),
        (cut(vec![regex(r"(?:(?:a|\w)+)+(?=!)")]), "pretokenizers[0].pattern"),
        (cut(vec![regex(&"(".repeat(100_000))]), "pretokenizers[0].pattern"),
        (bpe(json!(["a b", "b a"]), Value::Null), "model.merges[1]"),
        (bpe(json!([["a", "b"]]), json!("zzzzzz")), "model.merges[0]"),
        (template(json!([{"Sequence": {"id": "B", "type_id": 0}}])), "post_processor.single[0]"),
        (template(json!([{"SpecialToken": {"id": "y", "type_id": 0}}])), "post_processor.single[0]"),
        (template(json!(vec![json!({"Sequence": {"id": "A", "type_id": 0}}); 40])), "post_processor.single"),
    ] {
        let (code, said) = measured(&members);
        assert_eq!(code, Some(1), "{members:.200}: {said}");
        assert!(said.contains("tokenizer.json") && said.contains(says), "{members:.200}: {said}");
    }
}

#[test]
fn faults_that_cannot_be_checked_before_do_not_crash() {
    // For any of these files, the command ends by itself.
    for members in [
        json!({"decoder": {"type": "Strip", "content": " ", "start": 0, "stop": 1_000_000_000}}),
        json!({"decoder": {"type": "Replace", "pattern": {"String": ""}, "content": "aaaa"}}),
        json!({"model": {"type": "Unigram", "vocab": [["a", 1e308], ["b", -1e308]], "unk_id": 0}}),
        json!({"model": {"type": "Unigram", "vocab": [], "unk_id": null}}),
        json!({"model": {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "",
                         "max_input_chars_per_word": 0, "continuing_subword_prefix": ""}}),
        json!({"added_tokens": [{"id": 4_294_967_295_u32, "content": "red", "single_word": true,
                                 "lstrip": true, "rstrip": true, "normalized": true, "special": true}]}),
        json!({"padding": {"strategy": {"Fixed": 1_000_000_000}, "direction": "Right",
                           "pad_to_multiple_of": 0, "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}}),
        json!({"truncation": {"direction": "Right", "max_length": 0, "strategy": "LongestFirst",
                              "stride": 9}}),
        json!({"pre_tokenizer": {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated",
                                 "invert": true}}),
    ] {
        measured(&members);
    }
}
