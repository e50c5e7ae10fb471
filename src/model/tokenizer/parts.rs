//! Visits the parts of a tokenizer.json. A part is a normalizer, pre-tokenizer, post-processor or decoder, or
//! a sequence of parts. If a part has no type or an unknown type, the `tokenizers` library guesses the type
//! from the other members of the part. Here, such a part is an error, so that the library builds exactly the
//! parts that were checked.
//!
//! # References
//! The lists of types contain all names that tokenizers 0.23 writes or reads: `normalizers/mod.rs`,
//! `pre_tokenizers/mod.rs`, `processors/mod.rs` and `decoders/mod.rs`.

use serde_json::Value;

/// Maximum depth of nested sequences. Published files stay below 4.
const DEEPEST: usize = 16;
/// Maximum number of parts of one member. Published files stay below 50.
const MOST_PARTS: usize = 200;

/// A member of a tokenizer.json that contains a part.
pub(super) struct Member {
    name: &'static str,
    /// The key under which a sequence lists its parts.
    list: &'static str,
    /// The supported types of the part.
    types: &'static [&'static str],
}

pub(super) const NORMALIZER: Member = Member {
    name: "normalizer",
    list: "normalizers",
    types: &[
        "Bert",
        "BertNormalizer",
        "ByteLevel",
        "Lowercase",
        "NFC",
        "NFD",
        "NFKC",
        "NFKD",
        "Nmt",
        "Precompiled",
        "Prepend",
        "Replace",
        "Sequence",
        "Strip",
        "StripAccents",
    ],
};

pub(super) const PRE_TOKENIZER: Member = Member {
    name: "pre_tokenizer",
    list: "pretokenizers",
    types: &[
        "BertPreTokenizer",
        "ByteLevel",
        "CharDelimiterSplit",
        "Digits",
        "FixedLength",
        "Metaspace",
        "Punctuation",
        "Sequence",
        "Split",
        "UnicodeScripts",
        "Whitespace",
        "WhitespaceSplit",
    ],
};

pub(super) const POST_PROCESSOR: Member = Member {
    name: "post_processor",
    list: "processors",
    types: &["BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"],
};

pub(super) const DECODER: Member = Member {
    name: "decoder",
    list: "decoders",
    types: &[
        "BPEDecoder",
        "ByteFallback",
        "ByteLevel",
        "CTC",
        "Fuse",
        "Metaspace",
        "Replace",
        "Sequence",
        "Strip",
        "WordPiece",
    ],
};

impl Member {
    /// Calls `work` for the part, if the file has one, and for each part of a sequence. The arguments of
    /// `work` are a part, its type, and its path in the file.
    ///
    /// # Errors
    /// Returns a message for a part without a supported type, for too many parts, and for sequences that are
    /// nested too deeply. Also returns the errors of `work`.
    pub(super) fn each(
        &self,
        file: &Value,
        work: &mut dyn FnMut(&Value, &str, &str) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut open = vec![(&file[self.name], self.name.to_owned(), 1)];
        open.retain(|(part, ..)| !part.is_null());
        let mut n = 0;
        while let Some((part, place, depth)) = open.pop() {
            n += 1;
            if n > MOST_PARTS || depth > DEEPEST {
                return Err(format!(
                    "{} has more than {MOST_PARTS} parts, or parts that are nested more than {DEEPEST} deep",
                    self.name
                ));
            }
            let Some(name) = part["type"].as_str() else {
                return Err(format!("{place} has no type; the types are {}", self.types.join(", ")));
            };
            if !self.types.contains(&name) {
                return Err(format!(
                    "{place} has the unknown type {name:?}; the types are {}",
                    self.types.join(", ")
                ));
            }
            work(part, name, &place)?;
            let inner = part[self.list].as_array().into_iter().flatten().enumerate();
            let inner: Vec<_> = inner
                .map(|(at, part)| (part, format!("{place}.{}[{at}]", self.list), depth + 1))
                .take(MOST_PARTS + 1)
                .collect();
            open.extend(inner.into_iter().rev());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_visited_in_order_with_their_paths() {
        let file = json!({"normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Sequence", "normalizers": [{"type": "NFC"}]}, {"type": "Strip"}]}});
        let mut seen = vec![];
        let walked = NORMALIZER.each(&file, &mut |_, name, place| {
            seen.push(format!("{name} {place}"));
            Ok(())
        });
        assert_eq!(walked, Ok(()));
        assert_eq!(
            seen,
            [
                "Sequence normalizer",
                "Sequence normalizer.normalizers[0]",
                "NFC normalizer.normalizers[0].normalizers[0]",
                "Strip normalizer.normalizers[1]",
            ]
        );
        assert_eq!(DECODER.each(&file, &mut |_, _, _| Err("no decoder".into())), Ok(()));
    }

    #[test]
    fn parts_of_no_or_unknown_type_and_too_many_are_refused() {
        let nested = |depth: usize| {
            let inner = json!({"type": "NFC"});
            let wrap = |part, _| json!({"type": "Sequence", "normalizers": [part]});
            json!({"normalizer": (1..depth).fold(inner, wrap)})
        };
        let many = |n: usize| {
            let parts = vec![json!({"type": "NFC"}); n];
            json!({"normalizer": {"type": "Sequence", "normalizers": parts}})
        };
        let one = |part: Value| json!({"normalizer": {"type": "Sequence", "normalizers": [part]}});
        let walk = |file: &Value| NORMALIZER.each(file, &mut |_, _, _| Ok(()));
        assert_eq!(walk(&nested(DEEPEST)), Ok(()));
        assert_eq!(walk(&many(MOST_PARTS - 1)), Ok(()));
        for (file, says) in [
            (nested(DEEPEST + 1), "nested more than"),
            (many(MOST_PARTS), "more than 200 parts"),
            (json!({"normalizer": {}}), "normalizer has no type"),
            (json!({"normalizer": ["a"]}), "normalizer has no type"),
            (one(json!({"content": "a"})), "normalizer.normalizers[0] has no type"),
            (one(json!(null)), "normalizer.normalizers[0] has no type"),
            (one(json!({"type": {"NFC": null}})), "normalizer.normalizers[0] has no type"),
            (one(json!({"type": "Split"})), "normalizer.normalizers[0] has the unknown type \"Split\""),
        ] {
            let said = walk(&file).expect_err(says);
            assert!(said.contains(says), "{said}");
        }
    }
}
