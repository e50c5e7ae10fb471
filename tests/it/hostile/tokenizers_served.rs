//! Tests tokenizers whose tokens have long texts: `serve` limits the size of the texts that it keeps and
//! sends.

use serde_json::{Value, json};

use super::bounded::command;
use super::tokenizers::{members, model};
use crate::serve::server::{CHAT, COMPLETIONS, Serving};

#[test]
fn the_texts_of_tokens_in_an_answer_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = |id: usize| (format!("{id}{}", "a".repeat(3990)), json!(id));
    let mut vocab: serde_json::Map<String, Value> = (1..582).map(long).collect();
    vocab.insert("[UNK]".into(), json!(0));
    let words = json!({"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab});
    let tokenizer = members(&json!({"normalizer": null, "pre_tokenizer": null, "model": words}));
    model(&folder.path().join("long"), "calibration/minigpt-1", &tokenizer, &json!({}));
    let server = Serving::of(command(folder.path(), &["serve", "long", "--port", "0", "-q"]));
    let completion = |fields: Value| {
        let mut body = json!({"model": "long", "prompt": "x", "max_tokens": 1});
        body.as_object_mut().expect("fields").extend(fields.as_object().expect("fields").clone());
        server.ask(COMPLETIONS, &body)
    };
    let chat = |n: usize| {
        let messages = json!([{"role": "user", "content": "x"}]);
        server.ask(
            CHAT,
            &json!({"model": "long", "messages": messages, "max_tokens": n, "logprobs": true,
                    "top_logprobs": 20}),
        )
    };
    let is_refused = |(status, answer): (u16, Value)| {
        let answer = answer.to_string();
        assert!(status == 400 && answer.contains("texts of the tokens"), "{status} {answer:.500}");
    };
    is_refused(completion(json!({"prompt": vec![vec![1; 60]; 250]})));
    is_refused(completion(json!({"max_tokens": 60, "n": 16, "logprobs": 20})));
    is_refused(chat(60));
    assert_eq!(completion(json!({"prompt": vec![vec![1; 10]; 10], "logprobs": 5})).0, 200);
    assert_eq!(chat(4).0, 200);
    // The error is the last event of a stream.
    let body = json!({"model": "long", "prompt": vec![vec![1; 10]; 30], "max_tokens": 50, "n": 16,
                      "stream": true});
    let (status, stream) = server.raw("POST", COMPLETIONS, "", body.to_string().as_bytes());
    let end = String::from_utf8_lossy(&stream[stream.len() - 300..]).into_owned();
    assert!(status == 200 && end.contains("texts of the tokens"), "{end}");
}
