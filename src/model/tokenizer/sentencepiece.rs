//! Reads sentencepiece models. A model contains pieces of text with scores. BPE merges pairs of pieces;
//! unigram chooses all pieces of a text jointly.
//!
//! # References
//! The fields follow `sentencepiece_model.proto`. Normalisation, merges and scores follow sentencepiece (Kudo
//! and Richardson 2018), and give the same ids.

use super::growth::{Growth, LONGEST_PIECE};
use super::protobuf::{self, Value};
use super::{charsmap, trie};

/// The kind of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ordinary text.
    Normal,
    /// Stands for text that no other piece covers.
    Unknown,
    /// Not text, such as a beginning-of-sequence token.
    Control,
    /// Text that is never split.
    UserDefined,
    /// Not used.
    Unused,
    /// One byte of text that no other piece covers.
    Byte,
}

/// A piece. Its id is its index in the list of all pieces.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: Kind,
}

/// How a text is split into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Unigram,
    Bpe,
}

/// A sentencepiece model.
#[derive(Debug)]
pub(super) struct SentencePiece {
    pub(super) method: Method,
    pub(super) pieces: Vec<Piece>,
    /// The beginning-of-sequence piece, if there is one.
    pub(super) bos: Option<String>,
    pub(super) has_byte_fallback: bool,
    /// Normalisation rules, applied first.
    pub(super) charsmap: Vec<u8>,
    pub(super) has_dummy_prefix: bool,
    pub(super) removes_extra_spaces: bool,
    /// Whether spaces are written as U+2581.
    pub(super) escapes_spaces: bool,
}

impl SentencePiece {
    /// A model without pieces, with the format's defaults.
    fn empty() -> Self {
        Self {
            method: Method::Unigram,
            pieces: vec![],
            bos: None,
            has_byte_fallback: false,
            charsmap: vec![],
            has_dummy_prefix: true,
            removes_extra_spaces: true,
            escapes_spaces: true,
        }
    }

    /// Parses the bytes of a `tokenizer.model`.
    ///
    /// # Errors
    /// The reason why the bytes are not a supported model.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if looks_like_tiktoken(bytes) {
            return Err("it is a tiktoken list, which is not supported".into());
        }
        let mut model = Self::empty();
        let mut bos_id = 1;
        for (number, value) in protobuf::fields(bytes)? {
            match number {
                1 => model.pieces.push(piece(value)?),
                2 => bos_id = model.read_training(value)?,
                3 => model.read_normalization(value)?,
                _ => {}
            }
        }
        let bos = usize::try_from(bos_id).ok().and_then(|id| model.pieces.get(id));
        model.bos = bos.filter(|piece| piece.kind == Kind::Control).map(|piece| piece.text.clone());
        model.check()?;
        Ok(model)
    }

    /// Reads the training settings, and returns the id of the beginning-of-sequence piece.
    fn read_training(&mut self, value: Value<'_>) -> Result<i32, String> {
        let mut bos_id = 1;
        for (number, value) in protobuf::fields(value.bytes()?)? {
            match number {
                3 => {
                    self.method = match value.int()? {
                        1 => Method::Unigram,
                        2 => Method::Bpe,
                        3 => return Err("it is a word model, which is not supported".into()),
                        4 => return Err("it is a character model, which is not supported".into()),
                        other => return Err(format!("it is a model of the unknown type {other}")),
                    }
                }
                24 if value.flag()? => {
                    return Err("it puts spaces after words (treat_whitespace_as_suffix), which is not \
                                supported"
                        .into());
                }
                35 => self.has_byte_fallback = value.flag()?,
                41 => bos_id = value.int()?,
                _ => {}
            }
        }
        Ok(bos_id)
    }

    fn read_normalization(&mut self, value: Value<'_>) -> Result<(), String> {
        for (number, value) in protobuf::fields(value.bytes()?)? {
            match number {
                2 => self.charsmap = value.bytes()?.to_vec(),
                3 => self.has_dummy_prefix = value.flag()?,
                4 => self.removes_extra_spaces = value.flag()?,
                5 => self.escapes_spaces = value.flag()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks that the model is a valid tokenizer.
    ///
    /// # Errors
    /// The reason why the model is not valid.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.pieces.iter().filter(|piece| piece.kind == Kind::Unknown).count() != 1 {
            return Err("it does not have exactly one piece for unknown text".into());
        }
        let mut seen = std::collections::HashSet::new();
        for piece in &self.pieces {
            let Piece { text, score, .. } = piece;
            if text.is_empty() || !score.is_finite() {
                return Err(format!("its piece {text:?} is empty or has the invalid score {score}"));
            }
            if text.len() > LONGEST_PIECE {
                let n = text.len();
                return Err(format!(
                    "it has a piece of {n} bytes, which exceeds the limit of {LONGEST_PIECE}"
                ));
            }
            if !seen.insert(text.as_str()) {
                return Err(format!("it has the piece {text:?} twice"));
            }
        }
        match self.method {
            Method::Unigram => drop(trie::lookup_ns(seen.into_iter())?),
            // Each piece is split at every letter to find the pairs that form it.
            Method::Bpe => {
                let lengths = self.pieces.iter().map(|piece| piece.text.len());
                let work: usize = lengths.map(|length| length * length).sum();
                if work > MOST_SPLIT {
                    return Err("its pieces are too long or too many to find all merges".into());
                }
            }
        }
        self.growth().map(drop)
    }

    /// The factors by which the model's rules can lengthen a text.
    ///
    /// # Errors
    /// The reason why the rules are invalid.
    pub(super) fn growth(&self) -> Result<Growth, String> {
        if self.charsmap.is_empty() {
            Ok(Growth::SMALL)
        } else {
            Growth::of_rules(charsmap::check(&self.charsmap)?)
        }
    }
}

/// Maximum sum of the squared lengths (in bytes) of all pieces. Published models stay below 2^25.
const MOST_SPLIT: usize = 1 << 28;

fn piece(value: Value<'_>) -> Result<Piece, String> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: Kind::Normal };
    for (number, value) in protobuf::fields(value.bytes()?)? {
        match number {
            1 => value.text()?.clone_into(&mut piece.text),
            2 => piece.score = value.float()?,
            3 => {
                piece.kind = match value.int()? {
                    1 => Kind::Normal,
                    2 => Kind::Unknown,
                    3 => Kind::Control,
                    4 => Kind::UserDefined,
                    5 => Kind::Unused,
                    6 => Kind::Byte,
                    other => return Err(format!("a piece has the unknown type {other}")),
                }
            }
            _ => {}
        }
    }
    Ok(piece)
}

/// Whether the first line is a base64 string followed by a number (its rank), as in tiktoken files.
fn looks_like_tiktoken(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).ok().and_then(|line| line.trim_end().split_once(' '));
    line.is_some_and(|(text, rank)| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
            && rank.parse::<u32>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_take_too_much_work_or_memory_are_refused() {
        let check = |method: Method, texts: Vec<String>| {
            let piece = |text| Piece { text, score: 0.0, kind: Kind::Normal };
            let unknown = Piece { kind: Kind::Unknown, ..piece("<unk>".into()) };
            let pieces = texts.into_iter().map(piece).chain([unknown]).collect();
            SentencePiece { method, pieces, ..SentencePiece::empty() }.check()
        };
        let nested = |n: usize| (1..=n).map(|n| "a".repeat(n)).collect::<Vec<_>>();
        let separate = |n: usize| (0..n).map(|i| format!("{i:04}{}", "a".repeat(4000))).collect::<Vec<_>>();
        assert_eq!(check(Method::Bpe, nested(900)), Ok(()));
        assert!(check(Method::Bpe, nested(1000)).is_err_and(|reason| reason.contains("too many")));
        assert_eq!(check(Method::Unigram, nested(1000)), Ok(()));
        assert_eq!(check(Method::Unigram, separate(1000)), Ok(()));
        assert!(check(Method::Unigram, separate(2000)).is_err_and(|reason| reason.contains("nodes")));
        assert!(check(Method::Unigram, vec!["a".repeat(5000)]).is_err());
    }

    #[test]
    fn a_list_of_tiktoken_is_known_by_its_first_line() {
        assert!(looks_like_tiktoken(b"IQ== 0\nIg== 1\n"));
        assert!(!looks_like_tiktoken(b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02"));
        assert!(!looks_like_tiktoken(b""));
    }
}
