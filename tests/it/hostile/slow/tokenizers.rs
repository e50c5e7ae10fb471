//! Tests tokenizers that take very long for some texts: `serve` refuses these texts, and requests to other
//! models do not wait.

use std::path::Path;

use serde_json::{Value, json};

use super::super::tokenizers::{members, model};
use crate::serve::server::{COMPLETIONS, Serving};

/// Length in bytes of a text for which these tokenizers would take minutes.
const LONG: usize = 60_000;
/// Number of tokens that a model accepts.
const POSITIONS: usize = 8000;

/// Writes a model that accepts long prompts.
fn long_model(folder: &Path, id: &str, tokenizer: &Value) {
    let config = json!({"max_position_embeddings": POSITIONS});
    model(&folder.join(id), "tests/golden/llama-gqa", tokenizer, &config);
}

#[test]
fn a_slow_tokenizer_is_stopped_and_delays_no_other_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let cut = json!({"Regex": "(?:(?!b)a)*b|a"});
    let split = json!({"type": "Split", "pattern": cut, "behavior": "Isolated", "invert": false});
    let replace = json!({"type": "Replace", "pattern": cut, "content": "a"});
    let nested: Vec<Value> = (1..3000).map(|n| json!(["a".repeat(n), -1.0])).collect();
    let words = json!({"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"});
    let pieces = json!({"type": "Unigram", "vocab": nested, "unk_id": 0});
    let long_words = json!({"type": "WordPiece", "vocab": {"a": 0, "##a": 1}, "unk_token": "a",
                            "continuing_subword_prefix": "##", "max_input_chars_per_word": 1000});
    let cases = [
        ("split", json!({"pre_tokenizer": split, "model": words})),
        ("replace", json!({"normalizer": replace, "pre_tokenizer": null, "model": words})),
        ("nested", json!({"pre_tokenizer": null, "model": pieces})),
        ("words", json!({"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": long_words})),
    ];
    for (id, tokenizer) in &cases {
        long_model(folder.path(), id, &members(tokenizer));
    }
    long_model(folder.path(), "good", &members(&json!({"pre_tokenizer": null, "model": words})));
    // For each space in a sequence of spaces, this tokenizer would copy the rest of the sequence.
    let two = json!({"type": "WordLevel", "vocab": {"a": 0, " ": 1}, "unk_token": "a"});
    let mut spaces = members(&json!({"pre_tokenizer": null, "model": two}));
    spaces["added_tokens"] = json!([{"id": 1, "content": " ", "single_word": false, "lstrip": false,
                                     "rstrip": true, "normalized": false, "special": false}]);
    long_model(folder.path(), "spaces", &spaces);
    let ids = cases.iter().map(|(id, _)| *id).chain(["good", "spaces"]);
    let arguments: Vec<&str> = ["serve", "--port", "0", "-q"].into_iter().chain(ids).collect();
    // The server runs without the limit on processor time, because these texts would exceed it.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.args(&arguments).current_dir(folder.path());
    let server = Serving::of(command);
    let ask = |id: &str, prompt: &str| {
        server.ask(COMPLETIONS, &json!({"model": id, "prompt": prompt, "max_tokens": 1}))
    };
    let long = "a".repeat(LONG);
    std::thread::scope(|scope| {
        let slow: Vec<_> =
            (0..3).map(|_| scope.spawn(|| (ask("split", &long), ask("replace", &long)))).collect();
        assert_eq!(ask("good", "a").0, 200);
        assert!(!slow.iter().any(|asked| asked.is_finished()), "the other model waited");
        for asked in slow {
            let both = asked.join().expect("answers");
            for (status, answer) in [both.0, both.1] {
                let answer = answer.to_string();
                assert!(status == 400 && answer.contains("longer than 10 s"), "{status} {answer}");
            }
        }
    });
    let (status, answer) = ask("nested", &long);
    assert!(status == 400 && answer.to_string().contains("longer than 10 s"), "{status} {answer}");
    let (status, answer) = ask("spaces", &" ".repeat(LONG));
    assert!(status == 400 && answer.to_string().contains("an added token of spaces"), "{status} {answer}");
    // Tokenizing a word of the maximum length takes a third of a second.
    let words = format!("{} ", "a".repeat(999)).repeat(POSITIONS / 999 + 1);
    let (status, answer) = ask("words", &words);
    assert!(
        status == 400 && answer.to_string().contains("requested 8991 in the prompt"),
        "{status} {answer}"
    );
    assert_eq!(ask("good", "a").0, 200);
}
