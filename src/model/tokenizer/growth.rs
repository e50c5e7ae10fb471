//! Limits how much the rules of a tokenizer can lengthen a text. Each rule can double it, so thirty rules can
//! turn one byte into a billion.

use serde_json::Value;

use super::parts::each;

/// Maximum factor by which a text may grow; published files stay below 50.
const MOST: usize = 4096;
/// Maximum number of bytes that the rules may produce from one text.
const MOST_BYTES: usize = 32 << 20;

/// The factor by which a text can grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Growth(usize);

impl Growth {
    /// For rules that lengthen a text at most threefold, such as replacing a space by U+2581.
    pub(super) const SMALL: Self = Self(3);

    /// For sentencepiece rules that lengthen a text by the factor `times`, and for its rules for spaces.
    ///
    /// # Errors
    /// The factor, if it exceeds the maximum.
    pub(super) fn of_rules(times: usize) -> Result<Self, String> {
        let mut all = Self::SMALL.0;
        grow(&mut all, times, "its normalization rules")?;
        Ok(Self(all))
    }

    /// For the rules of a tokenizer.json. `precompiled` returns the factor of a charsmap.
    ///
    /// # Errors
    /// The rule that exceeds the maximum.
    pub(super) fn of(
        file: &Value,
        precompiled: &dyn Fn(&str) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let mut text = 1_usize;
        for (name, list) in [("normalizer", "normalizers"), ("pre_tokenizer", "pretokenizers")] {
            each(&file[name], name, list, &mut |part, place| {
                grow(&mut text, one(part, precompiled).map_err(|why| format!("{place}: {why}"))?, place)
            })?;
        }
        // The decoder's rules apply to the pieces of the vocabulary.
        let mut pieces = 1;
        each(&file["decoder"], "decoder", "decoders", &mut |part, place| {
            grow(&mut pieces, one(part, precompiled)?, place)
        })?;
        Ok(Self(text))
    }

    /// Rejects a text that could become too long.
    ///
    /// # Errors
    /// A message with the possible length.
    pub(super) fn admits(self, text: &str) -> Result<(), String> {
        match text.len().saturating_mul(self.0) {
            most if most <= MOST_BYTES => Ok(()),
            most => Err(format!(
                "its rules could produce {most} bytes from {}, which exceeds the limit of {MOST_BYTES}",
                text.len()
            )),
        }
    }
}

fn grow(all: &mut usize, times: usize, place: &str) -> Result<(), String> {
    *all = all.saturating_mul(times);
    if *all <= MOST { Ok(()) } else { Err(format!("{place}: it can make a text {all} times as long")) }
}

/// The factor by which one rule can lengthen a text.
fn one(part: &Value, precompiled: &dyn Fn(&str) -> Result<usize, String>) -> Result<usize, String> {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    Ok(match part["type"].as_str().unwrap_or_default() {
        "Replace" => match part["pattern"]["String"].as_str() {
            Some(pattern) if !pattern.is_empty() => length(&part["content"]).div_ceil(pattern.len()).max(1),
            // An expression may match between any two characters.
            _ => length(&part["content"]) + 1,
        },
        "Prepend" => length(&part["prepend"]) + 1,
        "Precompiled" => precompiled(part["precompiled_charsmap"].as_str().unwrap_or_default())?,
        "ByteLevel" => 2,
        "Metaspace" => length(&part["replacement"]).max(1),
        // The longest decompositions in Unicode: one ligature decomposes into eighteen characters.
        "NFKC" | "NFKD" => 11,
        "NFC" | "NFD" | "BertNormalizer" => 3,
        "Lowercase" => 2,
        _ => 1,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(normalizers: &Value) -> Result<Growth, String> {
        let file = json!({"normalizer": {"type": "Sequence", "normalizers": normalizers}});
        Growth::of(&file, &|_| Ok(11))
    }

    #[test]
    fn published_rules_are_admitted_and_doubling_is_not() {
        let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"});
        let blanks = json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "});
        let rules = json!({"type": "Precompiled", "precompiled_charsmap": ""});
        assert_eq!(of(&json!([space])), Ok(Growth(3)));
        // The rules of T5 and of ALBERT.
        assert_eq!(of(&json!([rules, blanks, space])), Ok(Growth(66)));
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
        assert!(Growth(1).admits(&"x".repeat(1 << 20)).is_ok());
        assert!(Growth(4096).admits(&"x".repeat(1 << 20)).is_err());
    }
}
