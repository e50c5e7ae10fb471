//! Makes tokenizer files from random bytes, which choose the parts of a file. The library parses every such
//! file, unlike random JSON.

use serde_json::{Value, json};

/// Reads choices from bytes, and zeros after the last byte.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn byte(&mut self) -> usize {
        self.0.next().copied().map_or(0, usize::from)
    }

    fn of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.byte() % values.len()].clone()
    }

    fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    fn number(&mut self) -> u64 {
        let byte = self.byte() as u64;
        if byte < 240 { byte % 16 } else { [255, 1 << 16, 1 << 32, u64::MAX][byte as usize % 4] }
    }

    /// A short text with characters that some normalizers separate, join or replace.
    fn text(&mut self) -> String {
        const PIECES: [&str; 14] = [
            "a", "b", "ab", " ", "\u{2581}", "##", "\u{120}", "\u{e9}", "e\u{301}", "\u{fb03}", "\n", "\0",
            "7", "x",
        ];
        let length = self.byte() % 5;
        (0..length).map(|_| self.of(&PIECES)).collect()
    }

    fn pattern(&mut self) -> Value {
        const REGEXES: [&str; 12] = [
            "",
            ".",
            r"\s+",
            r"\p{L}+|\p{N}{1,3}",
            r"(?=a)",
            r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+",
            "(a|b)*?x{0,50}",
            r"\s+(?!\S)|\s+",
            "(?<=a)b",
            "^",
            "$",
            "(a*)*",
        ];
        if self.flag() { json!({"Regex": self.of(&REGEXES)}) } else { json!({"String": self.text()}) }
    }

    fn scheme(&mut self) -> Value {
        self.of(&["first", "always", "never"]).into()
    }

    fn normalizer(&mut self, depth: u8) -> Value {
        match self.byte() % 14 {
            0 => {
                let accents = self.of(&[json!(null), json!(true), json!(false)]);
                json!({"type": "BertNormalizer", "clean_text": self.flag(), "strip_accents": accents,
                       "handle_chinese_chars": self.flag(), "lowercase": self.flag()})
            }
            1 => json!({"type": "Strip", "strip_left": self.flag(), "strip_right": self.flag()}),
            2 => json!({"type": "StripAccents"}),
            3 => json!({"type": "NFC"}),
            4 => json!({"type": "NFD"}),
            5 => json!({"type": "NFKC"}),
            6 => json!({"type": "NFKD"}),
            7 => json!({"type": "Lowercase"}),
            8 => json!({"type": "Nmt"}),
            9 => json!({"type": "Prepend", "prepend": self.text()}),
            10 => json!({"type": "Replace", "pattern": self.pattern(), "content": self.text()}),
            11 => json!({"type": "ByteLevel"}),
            12 => {
                let map = self.of(&["", "AAAA", "BAAAAAAAAAAAAA=="]);
                json!({"type": "Precompiled", "precompiled_charsmap": map})
            }
            _ => json!({"type": "Sequence", "normalizers": self.list(depth, Self::normalizer)}),
        }
    }

    fn cutter(&mut self, depth: u8) -> Value {
        let behavior =
            self.of(&["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]);
        match self.byte() % 12 {
            0 => json!({"type": "BertPreTokenizer"}),
            1 => json!({"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": self.flag(),
                        "use_regex": self.flag()}),
            2 => json!({"type": "CharDelimiterSplit", "delimiter": self.of(&["a", " ", "\u{2581}"])}),
            3 => json!({"type": "Metaspace", "replacement": self.of(&["\u{2581}", "a"]),
                        "prepend_scheme": self.scheme(), "split": self.flag()}),
            4 => json!({"type": "Whitespace"}),
            5 => json!({"type": "WhitespaceSplit"}),
            6 => json!({"type": "Punctuation", "behavior": behavior}),
            7 => {
                json!({"type": "Split", "pattern": self.pattern(), "behavior": behavior,
                       "invert": self.flag()})
            }
            8 => json!({"type": "Digits", "individual_digits": self.flag()}),
            9 => json!({"type": "UnicodeScripts"}),
            10 => json!({"type": "FixedLength", "length": self.number()}),
            _ => json!({"type": "Sequence", "pretokenizers": self.list(depth, Self::cutter)}),
        }
    }

    fn decoder(&mut self, depth: u8) -> Value {
        match self.byte() % 10 {
            0 => json!({"type": "BPEDecoder", "suffix": self.text()}),
            1 => json!({"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": self.flag(),
                        "use_regex": self.flag()}),
            2 => json!({"type": "WordPiece", "prefix": self.text(), "cleanup": self.flag()}),
            3 => json!({"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": self.scheme(),
                        "split": self.flag()}),
            4 => json!({"type": "CTC", "pad_token": self.text(), "word_delimiter_token": self.text(),
                        "cleanup": self.flag()}),
            5 => json!({"type": "Replace", "pattern": self.pattern(), "content": self.text()}),
            6 => json!({"type": "Fuse"}),
            7 => json!({"type": "Strip", "content": self.of(&["a", " ", "\u{2581}"]), "start": self.number(),
                        "stop": self.number()}),
            8 => json!({"type": "ByteFallback"}),
            _ => json!({"type": "Sequence", "decoders": self.list(depth, Self::decoder)}),
        }
    }

    fn processor(&mut self, depth: u8) -> Value {
        match self.byte() % 5 {
            0 => json!({"type": "BertProcessing", "sep": [self.text(), self.number()],
                        "cls": [self.text(), self.number()]}),
            1 => json!({"type": "RobertaProcessing", "sep": [self.text(), self.number()],
                        "cls": [self.text(), self.number()], "trim_offsets": self.flag(),
                        "add_prefix_space": self.flag()}),
            2 => json!({"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": self.flag(),
                        "use_regex": self.flag()}),
            3 => {
                let length = self.byte() % 4;
                let pieces: Vec<Value> = (0..length).map(|_| self.piece()).collect();
                let tokens = vec![self.text(); self.byte() % 3];
                let ids: Vec<u64> = (0..self.byte() % 3).map(|_| self.number()).collect();
                json!({"type": "TemplateProcessing", "single": pieces, "pair": pieces,
                       "special_tokens": {"x": {"id": "x", "ids": ids, "tokens": tokens}}})
            }
            _ => json!({"type": "Sequence", "processors": self.list(depth, Self::processor)}),
        }
    }

    fn piece(&mut self) -> Value {
        match self.byte() % 4 {
            0 | 1 => json!({"Sequence": {"id": "A", "type_id": 0}}),
            2 => json!({"SpecialToken": {"id": self.of(&["x", "y"]), "type_id": 0}}),
            _ => json!({"Sequence": {"id": "B", "type_id": self.number()}}),
        }
    }

    fn list(&mut self, depth: u8, part: fn(&mut Self, u8) -> Value) -> Vec<Value> {
        let length = if depth == 0 { 0 } else { self.byte() % 4 };
        (0..length).map(|_| part(self, depth - 1)).collect()
    }

    fn optional_text(&mut self) -> Value {
        if self.flag() { self.text().into() } else { Value::Null }
    }

    fn model(&mut self) -> Value {
        let mut pieces: Vec<String> = (0..self.byte() % 12).map(|_| self.text()).collect();
        pieces.extend(["a", "b", "ab", "e", " "].map(str::to_owned));
        let ids: Vec<usize> = (0..pieces.len())
            .map(|at| if self.byte() % 8 == 7 { self.number() as usize } else { at })
            .collect();
        let vocab: serde_json::Map<String, Value> =
            pieces.iter().cloned().zip(ids.into_iter().map(Value::from)).collect();
        match self.byte() % 4 {
            0 => {
                let merges: Vec<Value> =
                    (0..self.byte() % 6).map(|_| json!([self.of(&pieces), self.of(&pieces)])).collect();
                json!({"type": "BPE", "vocab": vocab, "merges": merges, "unk_token": self.optional_text(),
                       "continuing_subword_prefix": self.optional_text(),
                       "end_of_word_suffix": self.optional_text(), "fuse_unk": self.flag(),
                       "byte_fallback": self.flag(), "ignore_merges": self.flag(),
                       "dropout": self.of(&[json!(null), json!(0.5), json!(2.0)])})
            }
            1 => json!({"type": "WordPiece", "vocab": vocab, "unk_token": self.text(),
                        "continuing_subword_prefix": self.text(), "max_input_chars_per_word": self.number()}),
            2 => json!({"type": "WordLevel", "vocab": vocab, "unk_token": self.text()}),
            _ => {
                pieces.sort();
                pieces.dedup();
                let scored: Vec<Value> = pieces
                    .iter()
                    .map(|piece| json!([piece, self.of(&[-1.0, 0.0, -1e308, 1e308, 5e-324])]))
                    .collect();
                let unknown = self.of(&[json!(null), json!(0), json!(3)]);
                json!({"type": "Unigram", "vocab": scored, "unk_id": unknown, "byte_fallback": self.flag()})
            }
        }
    }

    fn added(&mut self) -> Value {
        json!({"id": self.number(), "content": self.text(), "single_word": self.flag(), "lstrip": self.flag(),
               "rstrip": self.flag(), "normalized": self.flag(), "special": self.flag()})
    }
}

impl Choices<'_> {
    /// Leaves out the type of some parts.
    fn untype(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                if members.contains_key("type") && self.byte() % 16 == 15 {
                    members.remove("type");
                }
                members.values_mut().for_each(|value| self.untype(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| self.untype(value)),
            _ => {}
        }
    }
}

/// A tokenizer.json whose parts the bytes choose.
pub fn tokenizer(data: &[u8]) -> String {
    let mut choices = Choices(data.iter());
    let model = choices.model();
    let added: Vec<Value> = (0..choices.byte() % 4).map(|_| choices.added()).collect();
    let mut file = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
                          "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
                          "model": model});
    type Part<'a> = fn(&mut Choices<'a>, u8) -> Value;
    let parts: [(&str, Part<'_>); 4] = [
        ("normalizer", Choices::normalizer),
        ("pre_tokenizer", Choices::cutter),
        ("post_processor", Choices::processor),
        ("decoder", Choices::decoder),
    ];
    for (name, part) in parts {
        if choices.flag() {
            file[name] = part(&mut choices, 3);
        }
    }
    choices.untype(&mut file);
    file.to_string()
}
