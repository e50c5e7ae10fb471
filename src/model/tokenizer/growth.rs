//! Limits how much the rules of a tokenizer can lengthen a text, an added token or the text of a token. If
//! each rule doubles a text, thirty rules turn one byte into a billion.

use serde_json::Value;

use super::{parts, steps};

/// Maximum factor by which a text may grow; published files stay below 50.
const MOST: usize = 4096;
/// Maximum number of bytes that the normalizer may produce from one text, or the decoder from one list of
/// tokens. The library takes about 80 bytes of memory for each byte.
const MOST_BYTES: usize = 8 << 20;
/// Bytes of memory that the library takes for one byte of a normalized text.
const MEMORY_NORMALIZED: usize = 80;
/// Bytes of memory that the library takes for one byte of a split text, if each byte becomes a token.
const MEMORY_SPLIT: usize = 400;
/// Maximum number of bytes that the rules may produce from all added tokens; published files have at most a
/// few hundred thousand. The library searches for all added tokens at once, in a table that takes a few
/// hundred bytes of memory for each of their bytes.
const MOST_ADDED: usize = 4 << 20;
/// Maximum length in bytes of a piece of a vocabulary, or of an added token. Published files stay below a
/// thousand.
pub(super) const LONGEST_PIECE: usize = 4096;
/// Maximum number of bytes that the decoder may produce from one token; published files stay below a few
/// thousand.
const MOST_DECODED: usize = 16 << 10;

/// The factors by which a text can grow in each of three steps: normalizing a text, splitting a text, and
/// decoding a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Growth {
    normalized: usize,
    split: usize,
    decoded: usize,
}

impl Growth {
    /// The factors of rules that at most triple a text, such as replacing a space by U+2581. The decoders
    /// that surmise builds at most double the text of a token.
    pub(super) const SMALL: Self = Self { normalized: 3, split: 2, decoded: 2 };

    /// The factors of a sentencepiece model whose charsmap lengthens a text by the factor `times`.
    /// [`Growth::SMALL`] covers its rules for spaces.
    ///
    /// # Errors
    /// A message with the factor, if the factor exceeds the maximum.
    pub(super) fn of_rules(times: usize) -> Result<Self, String> {
        let mut growth = Self::SMALL;
        grow(&mut growth.normalized, times, "its normalization rules")?;
        Ok(growth)
    }

    /// The factors of the rules of a tokenizer.json. `precompiled` returns the factor of a charsmap.
    ///
    /// # Errors
    /// A message, if the factor of the rules exceeds the maximum, or if an added token or a piece could
    /// become too long.
    pub(super) fn of(
        file: &Value,
        precompiled: &dyn Fn(&str) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let mut growth = Self { normalized: 1, split: 1, decoded: 1 };
        parts::NORMALIZER.each(file, &mut |part, kind, place| {
            let times = one(part, kind, precompiled).map_err(|why| format!("{place}: {why}"))?;
            grow(&mut growth.normalized, times, place)
        })?;
        // The library normalizes added tokens when it reads them, and does not split them.
        let added = || {
            let tokens = file["added_tokens"].as_array().into_iter().flatten();
            tokens.map(|token| (token["content"].as_str().unwrap_or_default(), token["normalized"] != false))
        };
        growth.admits_added(added())?;
        let added = added().map(|(text, _)| text.len());
        let longest = added.chain(pieces(&file["model"]["vocab"]).map(str::len)).max().unwrap_or(0);
        parts::PRE_TOKENIZER.each(file, &mut |part, kind, place| {
            let times = match kind {
                // The step may put a space before a character of one byte, and then turns each of these two
                // bytes into a character of up to two bytes.
                "ByteLevel" if part["add_prefix_space"] != false => 4,
                kind => one(part, kind, precompiled)?,
            };
            grow(&mut growth.split, times, place)
        })?;
        parts::DECODER.each(file, &mut |part, kind, place| {
            grow(&mut growth.decoded, decoded(part, kind), place)?;
            growth.admits_piece(longest).map_err(|reason| format!("{place}: {reason}"))
        })?;
        Ok(growth)
    }

    /// Rejects a text that could become too long.
    ///
    /// # Errors
    /// A message with the possible length.
    pub(super) fn admits(self, text: &str) -> Result<(), String> {
        // A rule may insert something before, between and after the characters. A text of n characters has
        // n + 1 such places.
        match (text.len() + 1).saturating_mul(self.normalized) {
            most if most <= MOST_BYTES => Ok(()),
            most => Err(steps::excess(most, text.len())),
        }
    }

    /// The number of bytes of memory that a text may take in the library.
    pub(super) fn memory(self, text: &str) -> usize {
        let normalized = (text.len() + 1).saturating_mul(self.normalized);
        let split = normalized.saturating_mul(self.split).min(steps::MOST_BYTES);
        (normalized.saturating_mul(MEMORY_NORMALIZED)).max(split * MEMORY_SPLIT)
    }

    /// Rejects a token of `length` bytes that is too long, or could become too long when it is decoded.
    ///
    /// # Errors
    /// A message with the possible length.
    pub(super) fn admits_piece(self, length: usize) -> Result<(), String> {
        if length > LONGEST_PIECE {
            return Err(format!(
                "the longest token has {length} bytes, which exceeds the limit of {LONGEST_PIECE}"
            ));
        }
        match (length + 1).saturating_mul(self.decoded) {
            ..=MOST_DECODED => Ok(()),
            most => Err(format!(
                "decoding the longest token ({length} bytes) could produce {most} bytes, which exceeds the \
                 limit of {MOST_DECODED}"
            )),
        }
    }

    /// Rejects added tokens that together could become too long. `tokens` contains the text of each token,
    /// and whether the token is normalized.
    ///
    /// # Errors
    /// A message with the possible length.
    pub(super) fn admits_added<'a>(
        self,
        tokens: impl Iterator<Item = (&'a str, bool)>,
    ) -> Result<(), String> {
        let sizes = tokens.map(|(text, is_normalized)| self.added(text, is_normalized));
        match sizes.fold(0, usize::saturating_add) {
            ..=MOST_ADDED => Ok(()),
            most => Err(format!(
                "added_tokens: after normalization, they could have {most} bytes in total, which exceeds the \
                 limit of {MOST_ADDED}"
            )),
        }
    }

    fn added(self, text: &str, is_normalized: bool) -> usize {
        if is_normalized { (text.len() + 1).saturating_mul(self.normalized) } else { text.len() }
    }

    /// Whether tokens with texts of these lengths can be decoded.
    pub(super) fn admits_tokens(self, mut lengths: impl Iterator<Item = usize>) -> bool {
        let sum = lengths.try_fold(0_usize, |sum, length| {
            let sum = sum + length + 1;
            (sum.saturating_mul(self.decoded) <= MOST_BYTES).then_some(sum)
        });
        sum.is_some()
    }
}

/// The pieces of a vocabulary. They are the keys of a map or, in a unigram model, the first element of each
/// entry of a list.
fn pieces(vocab: &Value) -> impl Iterator<Item = &str> {
    let map = vocab.as_object().into_iter().flatten().map(|(piece, _)| piece.as_str());
    map.chain(vocab.as_array().into_iter().flatten().filter_map(|entry| entry[0].as_str()))
}

fn grow(all: &mut usize, times: usize, place: &str) -> Result<(), String> {
    *all = all.saturating_mul(times);
    if *all <= MOST {
        Ok(())
    } else {
        Err(format!("{place}: a text could grow by a factor of {all}; the limit is {MOST}"))
    }
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

/// The factor of a rule that replaces a pattern.
fn replacement(part: &Value) -> usize {
    match part["pattern"]["String"].as_str() {
        Some(pattern) if !pattern.is_empty() => length(&part["content"]).div_ceil(pattern.len()).max(1),
        // A regular expression may match between any two characters.
        _ => length(&part["content"]) + 1,
    }
}

/// The factor by which a normalizer or pre-tokenizer can lengthen a text.
fn one(
    part: &Value,
    kind: &str,
    precompiled: &dyn Fn(&str) -> Result<usize, String>,
) -> Result<usize, String> {
    Ok(match kind {
        "Replace" => replacement(part),
        "Prepend" => length(&part["prepend"]) + 1,
        "Precompiled" => precompiled(part["precompiled_charsmap"].as_str().unwrap_or_default())?,
        "ByteLevel" => 2,
        // The step replaces each space by its character, and may put this character before each word.
        "Metaspace" => length(&part["replacement"]) + 1,
        // The longest decomposition in Unicode: the ligature U+FDFA has 3 bytes and becomes 33 bytes.
        "NFKC" | "NFKD" => 11,
        "NFC" | "NFD" => 3,
        // The rule puts spaces around a character, decomposes it and converts it to lower case.
        "Bert" | "BertNormalizer" => 5,
        "Lowercase" => 2,
        _ => 1,
    })
}

/// The factor by which a decoder can lengthen the text of a token.
fn decoded(part: &Value, kind: &str) -> usize {
    match kind {
        "Replace" => replacement(part),
        // Replacing an empty string inserts the replacement between any two characters.
        "BPEDecoder" if length(&part["suffix"]) == 0 => 2,
        "CTC" if length(&part["word_delimiter_token"]) == 0 => 2,
        // `WordPiece` puts a space before a token. `ByteLevel` writes three bytes for an invalid byte, which
        // takes two bytes in the text of the token.
        "WordPiece" | "ByteLevel" => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(normalizers: &Value) -> Result<Growth, String> {
        let file = json!({"normalizer": {"type": "Sequence", "normalizers": normalizers}});
        Growth::of(&file, &|_| Ok(11))
    }

    fn replace(pattern: &Value, n: usize) -> Value {
        json!({"type": "Replace", "pattern": pattern, "content": "b".repeat(n)})
    }

    #[test]
    fn published_rules_are_admitted_and_doubling_is_not() {
        let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"});
        let blanks = json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "});
        let rules = json!({"type": "Precompiled", "precompiled_charsmap": ""});
        assert_eq!(of(&json!([space])).map(|growth| growth.normalized), Ok(3));
        // The rules of T5 and of ALBERT.
        assert_eq!(of(&json!([rules, blanks, space])).map(|growth| growth.normalized), Ok(66));
        let albert =
            json!([blanks, {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, rules]);
        assert!(of(&albert).is_ok());
        let double = json!({"type": "Replace", "pattern": {"Regex": "."}, "content": "aa"});
        let said = of(&json!(vec![double; 30])).expect_err("growth");
        assert!(said.starts_with("normalizer.normalizers["), "{said}");
        assert!(of(&json!(vec![json!({"type": "ByteLevel"}); 20])).is_err());
        let long = json!({"type": "Prepend", "prepend": "x".repeat(10_000)});
        assert!(of(&json!([long])).is_err());
    }

    #[test]
    fn a_text_is_refused_by_what_it_could_become() {
        assert!(Growth::SMALL.admits(&"x".repeat(1 << 20)).is_ok());
        assert!(Growth { normalized: 4096, split: 1, decoded: 1 }.admits(&"x".repeat(1 << 20)).is_err());
    }

    #[test]
    fn a_space_before_each_part_counts_too() {
        let of = |n: usize, has_prefix: Value| {
            let step = json!({"type": "ByteLevel", "add_prefix_space": has_prefix});
            let steps = json!({"type": "Sequence", "pretokenizers": vec![step; n]});
            Growth::of(&json!({ "pre_tokenizer": steps }), &|_| Ok(1)).map(|growth| growth.split)
        };
        assert_eq!(of(1, json!(false)), Ok(2));
        assert_eq!(of(6, Value::Null), Ok(4096));
        assert_eq!(of(6, json!(true)), Ok(4096));
        assert!(of(7, json!(true)).is_err());
    }

    #[test]
    fn added_tokens_are_refused_by_what_they_could_become() {
        let long = replace(&json!({"Regex": "."}), 4000);
        let file = |n: usize, is_normalized: bool| {
            let token = json!({"content": "x".repeat(n), "normalized": is_normalized});
            json!({"normalizer": long, "added_tokens": [token, token]})
        };
        let of = |file: &Value| Growth::of(file, &|_| Ok(1));
        assert!(of(&file(500, true)).is_ok());
        let said = of(&file(600, true)).expect_err("growth");
        assert!(
            said.starts_with("added_tokens: after normalization, they could have 4809202 bytes"),
            "{said}"
        );
        assert!(of(&file(1 << 20, false)).is_ok());
        assert!(of(&file(3 << 20, false)).is_err());
    }

    #[test]
    fn a_decoder_is_refused_by_what_it_could_make_of_a_token() {
        let long = replace(&json!({"String": "a"}), 4000);
        let of = |file: &Value| Growth::of(file, &|_| Ok(1));
        for (vocab, added) in [
            (json!({"a": 0, "aaaaaaaaaaaaaaaaaaaa": 1}), json!([])),
            (json!([["aaaaaaaaaaaaaaaaaaaa", 0.0]]), json!([])),
            (json!({}), json!([{"content": "aaaaaaaaaaaaaaaaaaaa", "normalized": false}])),
        ] {
            let file = json!({"model": {"vocab": vocab}, "added_tokens": added,
                              "decoder": {"type": "Sequence", "decoders": [long]}});
            let said = of(&file).expect_err("growth");
            assert!(
                said.starts_with("decoder.decoders[0]: decoding the longest token")
                    && said.contains("84000 bytes"),
                "{said}"
            );
        }
        let growth = of(&json!({"model": {"vocab": {"aaa": 0}}, "decoder": long})).expect("a short piece");
        assert!(growth.admits_tokens(std::iter::repeat_n(3, 500)));
        assert!(!growth.admits_tokens(std::iter::repeat_n(3, 530)));
        assert!(!growth.admits_tokens(std::iter::repeat(3)));
    }
}
