//! Tests that the binary returns an error for a tokenizer that is damaged or does not belong to the model.
//! The error names the file.

use std::collections::BTreeMap;

use serde_json::json;

use super::bad_checkpoints::{CONFIG, TOKENIZER};
use crate::cli::bad_input::Scene;

#[test]
fn a_tokenizer_that_is_damaged_or_of_another_model_is_refused() {
    let scene = Scene::new("gpt2");
    let whole = std::fs::read(scene.path(TOKENIZER)).expect("a tokenizer");
    let decoder = b"{\"version\": \"1.0\", \"decoder\": {\"type\": ByteLevel}}";
    for bytes in [&b""[..], b"{", b"{}", b"[]", &whole[..whole.len() / 2], decoder] {
        scene.put(TOKENIZER, bytes);
        scene.refuses(&[], 1, &[TOKENIZER, "not a readable tokenizer.json", "download or save it again"]);
    }
    // The tokenizer is valid, but has more tokens than the model, whose vocabulary has 100 tokens.
    scene.put(TOKENIZER, &whole);
    scene.patch(CONFIG, &json!({"vocab_size": 100}));
    scene.tensors(|tensors| {
        let (_, shape, data) = tensors.get_mut("transformer.wte.weight").expect("the tensor");
        (shape[0], *data) = (100, data[..100 * 48 * 4].to_vec());
    });
    let says = [
        "gives token id",
        "beyond the model's vocabulary of 100",
        "use the tokenizer.json that belongs to the model",
    ];
    scene.refuses(&[], 1, &[&[TOKENIZER], &says[..]].concat());
    // The vocabulary of the model does not contain the beginning-of-sequence token.
    let special = json!({"<s>": {"id": "<s>", "ids": [384], "tokens": ["<s>"]}});
    let single =
        json!([{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
    let template =
        json!({"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special});
    let scene = Scene::new("gpt2");
    scene.patch(TOKENIZER, &json!({"post_processor": template}));
    scene.refuses(&[], 1, &[TOKENIZER, "gives token id 384 for \"<s>\"", "use the tokenizer.json"]);
}

#[test]
fn a_word_without_a_token_is_named_in_every_kind_of_tokenizer() {
    let words =
        json!({"type": "WordLevel", "vocab": {"red": 0, "blue": 1, ",": 2, "?": 3}, "unk_token": "?"});
    let mut no_unknown = words.clone();
    no_unknown["unk_token"] = "<none>".into();
    let letters: BTreeMap<String, usize> =
        "redblu,".chars().enumerate().map(|(id, c)| (c.to_string(), id)).collect();
    let letters = json!({"type": "BPE", "vocab": letters, "merges": []});
    for (model, says) in [
        (words, "has no token for \"green\""),
        (no_unknown, "cannot encode"),
        (letters, "has no token for \"green\""),
    ] {
        let scene = Scene::new("gpt2");
        scene.put("corpus.csv", b"entity\nred\nblue\ngreen\n");
        let splits = json!({"type": "Whitespace"});
        scene.patch(
            TOKENIZER,
            &json!({"model": model, "pre_tokenizer": splits, "decoder": null, "added_tokens": []}),
        );
        scene.refuses(&[], 1, &[TOKENIZER, says, "use", "a model that supports"]);
    }
}

#[test]
fn a_tokenizer_without_a_separate_token_for_the_separator_is_refused() {
    let scene = Scene::new("gpt2");
    let model = json!({"type": "WordLevel", "vocab": {"red,": 0, "blue,": 1, "green,": 2}, "unk_token": "?"});
    scene.put("corpus.csv", b"entity\nred\nblue\ngreen\n");
    let splits = json!({"type": "WhitespaceSplit"});
    scene.patch(
        TOKENIZER,
        &json!({"model": model, "pre_tokenizer": splits, "decoder": null, "added_tokens": []}),
    );
    scene.refuses(
        &[],
        1,
        &["corpus corpus", "joins entities and separators", "choose other entities or another model"],
    );
}
