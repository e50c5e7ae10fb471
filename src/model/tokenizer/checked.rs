//! Checks a tokenizer.json for faults that would make the `tokenizers` library panic or loop forever.

use std::collections::HashSet;

use serde_json::Value;

use super::parts::each;
use super::pattern;
use super::sentencepiece::MOST_BYTES;

/// Maximum value of WordPiece's word length, in characters. The search time grows with its square; published
/// files have 100.
const LONGEST_WORD: u64 = 10_000;
/// Maximum number of special tokens that a template may add to a text.
const MOST_AROUND: usize = 1000;

/// Checks the members of a tokenizer.json.
///
/// # Errors
/// The faulty member, and its fault.
pub(super) fn check(file: &Value) -> Result<(), String> {
    check_model(&file["model"])?;
    for (name, list) in
        [("normalizer", "normalizers"), ("pre_tokenizer", "pretokenizers"), ("decoder", "decoders")]
    {
        each(&file[name], name, list, &mut |part, place| check_part(part, place))?;
    }
    each(&file["post_processor"], "post_processor", "processors", &mut check_template)
}

fn check_model(model: &Value) -> Result<(), String> {
    let vocab = model["vocab"].as_object();
    let prefix = model["continuing_subword_prefix"].as_str().unwrap_or_default();
    let has = |piece: &str| vocab.is_none_or(|vocab| vocab.contains_key(piece));
    let is_bpe = model["merges"].is_array();
    for (at, merge) in model["merges"].as_array().into_iter().flatten().enumerate() {
        let wrong = |what: String| Err(format!("model.merges[{at}]: {what}"));
        let pair = match merge {
            Value::String(pair) => pair.split_once(' '),
            pair => pair[0].as_str().zip(pair[1].as_str()),
        };
        let Some((left, right)) = pair else { return wrong("it is not a pair of pieces".into()) };
        if let Some(piece) = [left, right].into_iter().find(|piece| !has(piece)) {
            return wrong(format!("{piece:?} is not in model.vocab"));
        }
        let Some(rest) = right.strip_prefix(prefix) else {
            return wrong(format!("{right:?} does not begin with the continuing_subword_prefix {prefix:?}"));
        };
        if !has(&format!("{left}{rest}")) {
            return wrong(format!("its result {:?} is not in model.vocab", format!("{left}{rest}")));
        }
    }
    // In a unigram model, the vocabulary is a list of pieces with scores.
    let pieces = model["vocab"].as_array();
    let mut seen = HashSet::new();
    for (at, entry) in pieces.into_iter().flatten().enumerate() {
        let Some((piece, score)) = entry[0].as_str().zip(entry[1].as_f64()) else {
            return Err(format!("model.vocab[{at}] is not a piece with a score"));
        };
        if piece.len() > MOST_BYTES || !score.is_finite() {
            return Err(format!(
                "model.vocab[{at}]: invalid piece of {} bytes with the score {score}",
                piece.len()
            ));
        }
        if !seen.insert(piece) {
            return Err(format!("model.vocab[{at}]: the piece {piece:?} occurs twice"));
        }
    }
    if let (Some(pieces), Some(unknown)) = (pieces, model["unk_id"].as_u64())
        && unknown >= pieces.len() as u64
    {
        return Err(format!("model.unk_id is {unknown}, but model.vocab has only {} pieces", pieces.len()));
    }
    if !is_bpe && model["max_input_chars_per_word"].as_u64().is_some_and(|most| most > LONGEST_WORD) {
        return Err(format!("model.max_input_chars_per_word is more than {LONGEST_WORD}"));
    }
    Ok(())
}

/// Checks one normalizer, pre-tokenizer or decoder.
fn check_part(part: &Value, place: &str) -> Result<(), String> {
    if part["type"] == "FixedLength" && part["length"].as_u64() == Some(0) {
        return Err(format!("{place}.length is 0"));
    }
    match part["pattern"]["Regex"].as_str() {
        Some(regex) => pattern::check(regex).map_err(|reason| format!("{place}.pattern: {reason}")),
        None => Ok(()),
    }
}

/// Checks that a template adds known tokens to one text.
fn check_template(part: &Value, place: &str) -> Result<(), String> {
    if part["type"] != "TemplateProcessing" {
        return Ok(());
    }
    let mut texts = 0;
    let mut around = 0;
    for (at, piece) in part["single"].as_array().into_iter().flatten().enumerate() {
        let wrong = |what: &str| Err(format!("{place}.single[{at}]: {what}"));
        if piece["Sequence"]["id"] == "A" {
            texts += 1;
        } else if !piece["Sequence"].is_null() {
            return wrong("it is a second text, but a template must have only one");
        }
        let Some(id) = piece["SpecialToken"]["id"].as_str() else { continue };
        let token = &part["special_tokens"][id];
        let count = |list: &Value| list.as_array().map(Vec::len);
        match (count(&token["ids"]), count(&token["tokens"])) {
            (Some(ids), Some(tokens)) if ids == tokens && ids > 0 => around += ids,
            _ => return wrong("special_tokens must have one id for each text of its token"),
        }
    }
    if texts > 1 || around > MOST_AROUND {
        return Err(format!(
            "{place}.single has the text {texts} times and {around} special tokens; at most one text is \
             allowed"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fault_is_named_with_its_member() {
        let bpe = |merges: Value, prefix: Value| {
            json!({"model": {"vocab": {"a": 0, "b": 1, "ab": 2, "##b": 3}, "merges": merges,
                             "continuing_subword_prefix": prefix}})
        };
        assert_eq!(check(&bpe(json!(["a b"]), Value::Null)), Ok(()));
        assert_eq!(check(&bpe(json!([["a", "##b"]]), json!("##"))), Ok(()));
        let template = |single: Value, token: Value| {
            json!({"post_processor": {"type": "Sequence", "processors": [
                {"type": "TemplateProcessing", "single": single, "special_tokens": {"x": token}}]}})
        };
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        let special = json!({"SpecialToken": {"id": "x", "type_id": 0}});
        let one = json!({"id": "x", "ids": [1], "tokens": ["x"]});
        assert_eq!(check(&template(json!([special, text, special]), one.clone())), Ok(()));
        let many = json!({"id": "x", "ids": vec![1; 600], "tokens": vec!["x"; 600]});
        let nested = |part: Value| json!({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [part]}});
        for (file, says) in [
            (bpe(json!(["a b", "a c"]), Value::Null), "model.merges[1]: \"c\" is not in"),
            (bpe(json!(["b a"]), Value::Null), "\"ba\" is not in"),
            (bpe(json!(["a b"]), json!("####")), "does not begin with"),
            (bpe(json!([7]), Value::Null), "no pair"),
            (json!({"model": {"vocab": [["a", 0.0], ["a", 0.0]]}}), "model.vocab[1]"),
            (json!({"model": {"vocab": [["a", 0.0]], "unk_id": 1}}), "model.unk_id is 1"),
            (json!({"model": {"max_input_chars_per_word": u64::MAX}}), "max_input_chars"),
            (nested(json!({"type": "FixedLength", "length": 0})), "pre_tokenizer.pretokenizers[0].length"),
            (nested(json!({"pattern": {"Regex": "(x{1000}){1000}"}})), "pretokenizers[0].pattern"),
            (template(json!([{"Sequence": {"id": "B"}}]), one.clone()), "processors[0].single[0]: it is a"),
            (template(json!([text, text]), one), "the text 2 times"),
            (template(json!([special, special, text]), many), "1200 special tokens"),
            (template(json!([special]), json!({"ids": [1], "tokens": []})), "must have one id"),
        ] {
            let said = check(&file).expect_err(says);
            assert!(said.contains(says), "{said}");
        }
    }
}
