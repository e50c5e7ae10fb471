//! Tests tokenizer files that would make the `tokenizers` library panic, loop or fill the memory.

use std::path::Path;

use serde_json::{Value, json};

use super::bounded::run;
use crate::cli::bad_input::Scene;

/// The tokenizer.json of a bundled model with some members replaced.
pub fn members(members: &Value) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/minigpt-1/tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    for (name, value) in members.as_object().expect("members") {
        file[name] = value.clone();
    }
    file["added_tokens"] = json!([]);
    file
}

/// Writes a copy of a model with another tokenizer and some entries of the config replaced.
pub fn model(folder: &Path, from: &str, tokenizer: &Value, entries: &Value) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::copy(from.join("model.safetensors"), folder.join("model.safetensors")).expect("a file");
    let config = std::fs::read(from.join("config.json")).expect("a file");
    let mut config: Value = serde_json::from_slice(&config).expect("JSON");
    config.as_object_mut().expect("entries").extend(entries.as_object().expect("entries").clone());
    std::fs::write(folder.join("config.json"), config.to_string()).expect("a file");
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).expect("a file");
}

/// Replaces some members of the tokenizer.json of the model in a folder.
fn put(scene: &Scene, members: &Value) {
    let path = scene.path("model/tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    for (name, value) in members.as_object().expect("members") {
        file[name] = value.clone();
    }
    scene.put("model/tokenizer.json", file.to_string().as_bytes());
}

/// Runs `measure` on a model whose tokenizer.json has some members replaced. Returns the exit code and
/// stderr.
fn measured(members: &Value) -> (Option<i32>, String) {
    let scene = Scene::new("gpt2");
    put(&scene, members);
    said(&scene, &members.to_string())
}

fn said(scene: &Scene, what: &str) -> (Option<i32>, String) {
    let arguments = scene.command(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = run(&scene.path(""), &arguments).orderly(&format!("{what:.200}"));
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
    let untyped = json!({"pattern": {"Regex": "."}, "content": "aa"});
    let mut long_token = normalizers(vec![replace(&json!({"Regex": "."}), &"a".repeat(4000))]);
    long_token["pre_tokenizer"] = Value::Null;
    long_token["added_tokens"] = json!([{"id": 4, "content": "x".repeat(20_000), "single_word": false,
                                         "lstrip": false, "rstrip": false, "normalized": true,
                                         "special": false}]);
    let around = json!({"single": vec![json!({"SpecialToken": {"id": "x", "type_id": 0}}); 3000], "pair": [],
                        "special_tokens": {"x": {"id": "x", "ids": vec![1; 1000],
                                                 "tokens": vec!["a"; 1000]}}});
    let mut of_other_type = around.clone();
    of_other_type["type"] = json!("BertProcessing");
    let pieces: serde_json::Map<String, Value> =
        (0..400).map(|id| (format!("{}{id}", "a".repeat(10_000)), json!(id))).collect();
    let long_pieces = json!({"type": "BPE", "vocab": pieces, "merges": []});
    let decoder = replace(&json!({"String": "a"}), &"b".repeat(4000));
    let affixed = |kind: &str, name: &str, text: &str| {
        let mut model = json!({"type": kind, "vocab": {"a": 0}, "merges": [], "unk_token": "a",
                               "continuing_subword_prefix": "", "max_input_chars_per_word": 100});
        model[name] = json!(text);
        json!({"model": model, "added_tokens": []})
    };
    let vocab = |vocab: Value| {
        json!({"model": {"type": "WordLevel", "vocab": vocab, "unk_token": "a"}, "decoder": null,
               "added_tokens": []})
    };
    let long = "a".repeat(5000);
    let of_template = json!({"single": [{"SpecialToken": {"id": "x", "type_id": 0}}], "pair": [],
                             "type": "TemplateProcessing",
                             "special_tokens": {"x": {"id": "x", "ids": [1], "tokens": [long]}}});
    let bytes =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    for (members, says) in [
        (normalizers(vec![double; 30]), "normalizer.normalizers["),
        (
            normalizers(vec![replace(&json!({"String": " "}), &"x".repeat(1 << 20))]),
            "normalizer.normalizers[0]",
        ),
        (normalizers(vec![bytes.clone(); 30]), "normalizer.normalizers["),
        (normalizers(vec![untyped; 24]), "normalizer.normalizers[0] has no type"),
        (normalizers(vec![json!({"type": "Replacement"})]), "the unknown type \"Replacement\""),
        (normalizers(vec![json!({"type": "Strip", "strip_left": true, "strip_right": true}); 5000]), "parts"),
        (long_token, "added_tokens: after normalization, they could have"),
        (json!({"post_processor": around}), "post_processor has no type"),
        (json!({"post_processor": of_other_type}), "post_processor.single: a part of type BertProcessing"),
        (
            json!({"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": ["x", 0]}],
                                   "pair": [], "special_tokens": {}}}),
            "post_processor.single[0]",
        ),
        (json!({"model": long_pieces, "decoder": decoder}), "decoder: the longest token has"),
        (
            json!({"model": {"type": "BPE", "vocab": {"aaaaa": 0}, "merges": []}, "decoder": decoder,
                "added_tokens": []}),
            "could produce 24000 bytes",
        ),
        (vocab(json!({"a": 0, long.as_str(): 1})), "the longest token has 5000 bytes"),
        (vocab(json!({"a": 0, &long[..100]: 0})), "model.vocab has the id 0 twice"),
        (affixed("BPE", "continuing_subword_prefix", &long), "model.continuing_subword_prefix has 5000"),
        (affixed("BPE", "end_of_word_suffix", &long[..65]), "model.end_of_word_suffix has 65"),
        (affixed("BPE", "unk_token", &long[..65]), "model.unk_token has 65"),
        (affixed("WordPiece", "continuing_subword_prefix", &long), "model.continuing_subword_prefix has"),
        (affixed("WordPiece", "unk_token", &long), "model.unk_token has"),
        (affixed("WordLevel", "unk_token", &long), "model.unk_token has"),
        (json!({"model": {"type": long}}), "a\u{2026}"),
        (json!({"post_processor": of_template}), "post_processor.single[0]: a text of this token"),
        (
            json!({"model": {"type": "WordPiece", "vocab": {}, "merges": [], "unk_token": "a",
                          "continuing_subword_prefix": "", "max_input_chars_per_word": u64::MAX}}),
            "model.max_input_chars_per_word",
        ),
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
    // With each of these files, the command ends by itself, with a result or an error message.
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

#[test]
fn a_text_is_refused_before_it_fills_the_memory() {
    let cut = json!({"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false});
    let long = replace(&json!({"Regex": "(?s)."}), &"a".repeat(4000));
    let members = json!({"normalizer": long, "pre_tokenizer": cut});
    let (code, said) = compared(&members, &"r".repeat(8000));
    assert!(code == Some(1) && said.contains("rules could produce"), "{said:.500}");
}

/// Runs `compare` on texts that contain `word`, with a model whose tokenizer.json has some members replaced.
/// Returns the exit code and stderr.
fn compared(members: &Value, word: &str) -> (Option<i32>, String) {
    let scene = Scene::new("gpt2");
    put(&scene, members);
    scene.put("texts.csv", format!("group,text\na,red blue {word}\nb,red blue {word}\n").as_bytes());
    let arguments = ["compare", "model", "--texts", "texts.csv", "--group-column", "group"];
    let few = ["--windows", "8", "--window-tokens", "8", "--permutations", "19", "-q"];
    let ended = run(&scene.path(""), &[&arguments[..], &few].concat()).orderly("a text that grows");
    (ended.code, ended.stderr)
}

#[test]
fn a_text_is_measured_between_the_steps() {
    let cut = json!({"type": "Split", "pattern": {"Regex": "(?s)."}, "behavior": "Isolated",
                     "invert": false});
    let bytes =
        json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": false});
    let both: Vec<&Value> = (0..6).flat_map(|_| [&cut, &bytes]).collect();
    let prefixed = json!({"normalizer": null, "pre_tokenizer": {"type": "Sequence", "pretokenizers": both}});
    let long = replace(&json!({"String": "r"}), &"r".repeat(4000));
    let replaced = json!({"normalizer": long, "pre_tokenizer": cut});
    for (members, word) in [(prefixed, "r".repeat(8000)), (replaced, "r".repeat(2000))] {
        let (code, said) = compared(&members, &word);
        assert!(code == Some(1) && said.contains("rules could produce"), "{code:?} {said:.500}");
    }
}

#[test]
fn a_model_without_a_type_is_what_its_members_say() {
    let scene = Scene::new("gpt2");
    let path = scene.path("model/tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    file["model"].as_object_mut().expect("a model").remove("type");
    scene.put("model/tokenizer.json", file.to_string().as_bytes());
    let (code, said) = said(&scene, "an old file");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_member_that_stands_twice_cannot_hide_what_is_read() {
    // If a part has two types, the library derives the type from the other members, but the checks use the
    // last type.
    let scene = Scene::new("gpt2");
    put(&scene, &json!({"normalizer": "HERE"}));
    let file = std::fs::read_to_string(scene.path("model/tokenizer.json")).expect("a file");
    let part = r#"{"type":"Strip","type":"Strip","pattern":{"Regex":"."},"content":"#;
    let part = format!("{part}\"{}\"}}", "a".repeat(1 << 20));
    scene.put("model/tokenizer.json", file.replace("\"HERE\"", &part).as_bytes());
    let (code, said) = said(&scene, "two types");
    assert!(code == Some(1) && said.contains("strip_left"), "{said:.500}");
}

#[test]
fn json_that_would_take_much_more_memory_than_the_file_is_refused() {
    let scene = Scene::new("gpt2");
    for (many, says) in [
        (vec!["{\"\":0}"; 8_000_000].join(","), "more than 1000000 objects"),
        (vec!["[0]"; 6_000_000].join(","), "or 5000000 lists"),
        (" ".repeat(65 << 20), "but the limit is 67108864 bytes"),
    ] {
        scene.put("model/tokenizer_config.json", format!("{{\"x\": [{many}]}}").as_bytes());
        let (code, said) = said(&scene, says);
        assert!(code == Some(1) && said.contains(says), "{said:.500}");
    }
}

#[test]
fn tokens_of_settings_files_are_bounded_as_well() {
    let scene = Scene::new("gpt2");
    let path = scene.path("model/tokenizer.json");
    let file: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    std::fs::remove_file(&path).expect("a removed file");
    let merges = file["model"]["merges"].as_array().expect("merges").iter().map(|merge| match merge {
        Value::String(merge) => format!("{merge}\n"),
        pair => format!("{} {}\n", pair[0].as_str().expect("a piece"), pair[1].as_str().expect("a piece")),
    });
    scene.put("model/vocab.json", file["model"]["vocab"].to_string().as_bytes());
    scene.put("model/merges.txt", merges.collect::<String>().as_bytes());
    assert_eq!(said(&scene, "two files").0, Some(0));
    let added =
        json!({"added_tokens_decoder": {"300": {"content": "x".repeat(5 << 20), "normalized": true}}});
    scene.put("model/tokenizer_config.json", added.to_string().as_bytes());
    let (code, said) = said(&scene, "a long added token");
    assert!(code == Some(1) && said.contains("tokenizer_config.json"), "{said:.500}");
}
