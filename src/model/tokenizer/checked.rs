//! Checks a tokenizer.json for faults that would make the `tokenizers` library panic or loop forever.

use std::collections::HashSet;

use serde_json::Value;

use super::growth::LONGEST_PIECE;
use super::{parts, pattern, trie};

/// Maximum value of `max_input_chars_per_word` of a WordPiece model. The search time grows with the cube of
/// this value. Published files have 100.
const LONGEST_WORD: u64 = 1000;
/// Maximum number of pieces and of merges. Published files have up to one million pieces.
const MOST_PIECES: usize = 2_000_000;
const MOST_MERGES: usize = 4_000_000;
/// Maximum number of special tokens that a template may add to a text.
const MOST_AROUND: usize = 1000;

/// Checks the members of a tokenizer.json. Old versions of the library wrote models without a type. Such a
/// model gets the type that follows from its members.
///
/// # Errors
/// A message with the faulty member and the reason.
pub(super) fn check(file: &mut Value) -> Result<(), String> {
    let kind = model_type(&file["model"])?;
    check_model(&file["model"], kind)?;
    file["model"]["type"] = kind.into();
    let mut copies = 0;
    for member in [&parts::NORMALIZER, &parts::PRE_TOKENIZER, &parts::DECODER] {
        member.each(file, &mut |part, kind, place| {
            copies += check_part(part, kind, place)?;
            match copies {
                ..=pattern::MOST_COPIES => Ok(()),
                most => Err(format!(
                    "{place}.pattern: with all repetitions expanded, the patterns up to this one have {most} \
                     letters in total, which exceeds the limit of {}",
                    pattern::MOST_COPIES
                )),
            }
        })?;
    }
    let mut around = 0;
    parts::POST_PROCESSOR.each(file, &mut |part, kind, place| {
        around += check_template(part, kind, place)?;
        match around {
            ..=MOST_AROUND => Ok(()),
            more => Err(format!(
                "{place} adds special tokens, so all parts together add {more} special tokens; at most \
                 {MOST_AROUND} are allowed"
            )),
        }
    })
}

/// The type of the model. If the file does not name the type, it must follow from the members of the model.
fn model_type(model: &Value) -> Result<&'static str, String> {
    let kind = match &model["type"] {
        Value::String(name) => {
            return ["BPE", "WordPiece", "WordLevel", "Unigram"]
                .into_iter()
                .find(|kind| kind == name)
                .ok_or_else(|| format!("model has the unknown type {name:?}"));
        }
        Value::Null if model["vocab"].is_array() => "Unigram",
        Value::Null if model["merges"].is_array() => "BPE",
        Value::Null if !model["max_input_chars_per_word"].is_null() => "WordPiece",
        Value::Null if model["vocab"].is_object() && model["unk_token"].is_string() => "WordLevel",
        _ => return Err("model has no type, and its members do not determine a type".into()),
    };
    Ok(kind)
}

fn check_model(model: &Value, kind: &str) -> Result<(), String> {
    let n_pieces = model["vocab"].as_object().map(serde_json::Map::len);
    let n_pieces = n_pieces.or(model["vocab"].as_array().map(Vec::len)).unwrap_or(0);
    let n_merges = model["merges"].as_array().map_or(0, Vec::len);
    if n_pieces > MOST_PIECES || n_merges > MOST_MERGES {
        return Err(format!(
            "model has {n_pieces} pieces and {n_merges} merges; at most {MOST_PIECES} and {MOST_MERGES} are \
             allowed"
        ));
    }
    match kind {
        "BPE" => check_merges(model),
        "Unigram" => check_scores(model),
        "WordPiece" => match model["max_input_chars_per_word"].as_u64() {
            Some(..=LONGEST_WORD) => Ok(()),
            _ => Err(format!("model.max_input_chars_per_word must be a whole number up to {LONGEST_WORD}")),
        },
        _ => Ok(()),
    }
}

/// Checks the merges of a BPE model against its vocabulary.
fn check_merges(model: &Value) -> Result<(), String> {
    let vocab = model["vocab"].as_object().ok_or("model.vocab is not a map of pieces to ids")?;
    let prefix = model["continuing_subword_prefix"].as_str().unwrap_or_default();
    let has = |piece: &str| vocab.contains_key(piece);
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
    Ok(())
}

/// Checks the vocabulary of a unigram model, a list of pieces with scores.
fn check_scores(model: &Value) -> Result<(), String> {
    let pieces = model["vocab"].as_array().ok_or("model.vocab is not a list of pieces with scores")?;
    let mut seen = HashSet::new();
    for (at, entry) in pieces.iter().enumerate() {
        let Some((piece, score)) = entry[0].as_str().zip(entry[1].as_f64()) else {
            return Err(format!("model.vocab[{at}] is not a piece with a score"));
        };
        if piece.len() > LONGEST_PIECE || !score.is_finite() {
            return Err(format!(
                "model.vocab[{at}]: the piece has {} bytes and the score {score}; at most {LONGEST_PIECE} \
                 bytes and a finite score are allowed",
                piece.len()
            ));
        }
        if !seen.insert(piece) {
            return Err(format!("model.vocab[{at}]: the piece {piece:?} occurs twice"));
        }
    }
    trie::lookup_ns(seen.into_iter()).map_err(|reason| format!("model.vocab: {reason}"))?;
    if let Some(unknown) = model["unk_id"].as_u64()
        && unknown >= pieces.len() as u64
    {
        return Err(format!("model.unk_id is {unknown}, but model.vocab has only {} pieces", pieces.len()));
    }
    Ok(())
}

/// Checks one normalizer, pre-tokenizer or decoder, and returns the number of letters in its compiled regular
/// expression.
fn check_part(part: &Value, kind: &str, place: &str) -> Result<usize, String> {
    match kind {
        "FixedLength" if part["length"].as_u64() == Some(0) => {
            return Err(format!("{place}.length is 0, but must be at least 1"));
        }
        // The library recognises the next two types by their members and ignores the name of the type, so a
        // part needs the members of its type.
        "BertNormalizer"
            if !["clean_text", "handle_chinese_chars", "lowercase"]
                .iter()
                .all(|key| part[key].is_boolean())
                || !(part["strip_accents"].is_boolean() || part["strip_accents"].is_null()) =>
        {
            return Err(format!(
                "{place}: clean_text, handle_chinese_chars and lowercase must be booleans, and strip_accents \
                 a boolean or null"
            ));
        }
        "CharDelimiterSplit"
            if part["delimiter"].as_str().is_none_or(|delimiter| delimiter.chars().count() != 1) =>
        {
            return Err(format!("{place}.delimiter is not one character"));
        }
        _ => {}
    }
    match part["pattern"]["Regex"].as_str() {
        Some(regex) => pattern::copies(regex).map_err(|reason| format!("{place}.pattern: {reason}")),
        None => Ok(0),
    }
}

/// Checks that a template adds special tokens to a single text, and that each special token has ids. Returns
/// the number of special tokens.
fn check_template(part: &Value, kind: &str, place: &str) -> Result<usize, String> {
    // The library treats any post-processor with these members as a template, regardless of its type.
    if kind != "TemplateProcessing" {
        return match ["single", "special_tokens"].into_iter().find(|key| !part[key].is_null()) {
            Some(key) => Err(format!("{place}.{key}: a part of type {kind} must not have this member")),
            None => Ok(0),
        };
    }
    let mut texts = 0;
    let mut around = 0_usize;
    for (at, piece) in part["single"].as_array().into_iter().flatten().enumerate() {
        let wrong = |what: &str| Err(format!("{place}.single[{at}]: {what}"));
        if piece["Sequence"]["id"] == "A" {
            texts += 1;
            continue;
        }
        if !piece["Sequence"].is_null() {
            return wrong("it is a second text, but a template must have only one text");
        }
        let Some(id) = piece["SpecialToken"]["id"].as_str() else {
            return wrong("it is neither the text nor a special token with an id");
        };
        let token = &part["special_tokens"][id];
        let count = |list: &Value| list.as_array().map(Vec::len);
        let texts = token["tokens"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if texts.map(str::len).max() > Some(LONGEST_PIECE) {
            return wrong(&format!("a text of this token has more than {LONGEST_PIECE} bytes"));
        }
        match (count(&token["ids"]), count(&token["tokens"])) {
            (Some(ids), Some(tokens)) if ids == tokens && ids > 0 => around = around.saturating_add(ids),
            _ => return wrong("special_tokens must have one id for each text of this token"),
        }
    }
    if texts > 1 {
        return Err(format!("{place}.single has the text {texts} times; at most one text is allowed"));
    }
    Ok(around)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fault_is_named_with_its_member() {
        let check = |file: &Value| check(&mut file.clone());
        let bpe = |merges: Value, prefix: Value| {
            json!({"model": {"vocab": {"a": 0, "b": 1, "ab": 2, "##b": 3}, "merges": merges,
                             "continuing_subword_prefix": prefix}})
        };
        let plain = |name: &str, part: Value| {
            let mut file = bpe(json!([]), Value::Null);
            file[name] = part;
            file
        };
        assert_eq!(check(&bpe(json!(["a b"]), Value::Null)), Ok(()));
        assert_eq!(check(&bpe(json!([["a", "##b"]]), json!("##"))), Ok(()));
        let processor = |kind: &str, single: Value, token: Value| {
            let part = json!({"type": kind, "single": single, "special_tokens": {"x": token}});
            plain("post_processor", json!({"type": "Sequence", "processors": [part, part]}))
        };
        let template = |single: Value, token: Value| processor("TemplateProcessing", single, token);
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        let special = json!({"SpecialToken": {"id": "x", "type_id": 0}});
        let one = json!({"id": "x", "ids": [1], "tokens": ["x"]});
        assert_eq!(check(&template(json!([special, text, special]), one.clone())), Ok(()));
        let many = json!({"id": "x", "ids": vec![1; 600], "tokens": vec!["x"; 600]});
        let nested =
            |part: Value| plain("pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [part]}));
        for (file, says) in [
            (bpe(json!(["a b", "a c"]), Value::Null), "model.merges[1]: \"c\" is not in"),
            (bpe(json!(["b a"]), Value::Null), "\"ba\" is not in"),
            (bpe(json!(["a b"]), json!("####")), "does not begin with"),
            (bpe(json!([7]), Value::Null), "not a pair"),
            (json!({"model": {"type": "BPE", "vocab": {}, "merges": vec![0; 4_000_001]}}), "4000001 merges"),
            (
                nested(json!({"type": "Sequence", "pretokenizers": vec![
                    json!({"type": "Split", "pattern": {"Regex": r"\w".repeat(1000)}}); 6]})),
                "the patterns up to this one have",
            ),
            (json!({"model": {"vocab": [["a", 0.0], ["a", 0.0]]}}), "model.vocab[1]"),
            (json!({"model": {"vocab": [["a", 0.0]], "unk_id": 1}}), "model.unk_id is 1"),
            (json!({"model": {"max_input_chars_per_word": u64::MAX}}), "max_input_chars"),
            (
                json!({"model": {"type": "WordPiece", "merges": [], "max_input_chars_per_word": 1001}}),
                "max_input",
            ),
            (json!({"model": {"type": "BPE", "vocab": []}}), "model.vocab is not a map"),
            (json!({"model": {"type": "Unigram", "vocab": {}}}), "model.vocab is not a list"),
            (json!({"model": {"type": "Bigram"}}), "model has the unknown type"),
            (json!({"model": {"vocab": {}}}), "model has no type"),
            (nested(json!({"type": "FixedLength", "length": 0})), "pre_tokenizer.pretokenizers[0].length"),
            (nested(json!({"pattern": {"Regex": "."}})), "pre_tokenizer.pretokenizers[0] has no type"),
            (nested(json!({"type": "CharDelimiterSplit", "length": 0})), "[0].delimiter is not"),
            (
                plain(
                    "normalizer",
                    json!({"type": "BertNormalizer", "pattern": {"Regex": "."}, "content": "a"}),
                ),
                "normalizer: clean_text",
            ),
            (
                nested(json!({"type": "Split", "pattern": {"Regex": "(x{1000}){1000}"}})),
                "pretokenizers[0].pattern",
            ),
            (template(json!([{"Sequence": {"id": "B"}}]), one.clone()), "processors[0].single[0]: it is a"),
            (template(json!([text, text]), one), "the text 2 times"),
            (template(json!([special, special, text]), many), "1200 special tokens"),
            (
                template(json!([special]), json!({"ids": vec![1; 600], "tokens": vec!["x"; 600]})),
                "processors[1] adds",
            ),
            (processor("BertProcessing", json!([text]), json!({})), "processors[0].single"),
            (template(json!([{"SpecialToken": ["x", 0]}]), json!({})), "single[0]: it is neither"),
            (template(json!([special]), json!({"ids": [1], "tokens": []})), "must have one id"),
            (template(json!([special]), json!({"ids": [1], "tokens": ["a".repeat(5000)]})), "more than 4096"),
        ] {
            let said = check(&file).expect_err(says);
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_model_without_a_type_gets_the_type_that_its_members_have() {
        for (model, kind) in [
            (json!({"vocab": {"a": 0}, "merges": [], "unk_token": "a"}), "BPE"),
            (json!({"vocab": {"a": 0}, "unk_token": "a", "max_input_chars_per_word": 100}), "WordPiece"),
            (json!({"vocab": {"a": 0}, "unk_token": "a"}), "WordLevel"),
            (json!({"vocab": [["a", 0.0]], "unk_id": 0}), "Unigram"),
        ] {
            let mut file = json!({"model": model});
            assert_eq!(check(&mut file), Ok(()), "{kind}");
            assert_eq!(file["model"]["type"], kind);
        }
    }
}
