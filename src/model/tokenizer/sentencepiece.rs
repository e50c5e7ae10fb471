//! A sentencepiece model: pieces of text with scores, joined by pairs (BPE) or chosen together (unigram).
//!
//! # References
//! The fields are those of `sentencepiece_model.proto`; normalization, merges and scores are those of
//! sentencepiece itself (Kudo and Richardson 2018), whose ids come out.

use super::charsmap;
use super::growth::Growth;
use super::protobuf::{self, Value};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Normal,
    /// What stands for text without pieces.
    Unknown,
    /// No text: marks of beginning and end.
    Control,
    /// Text that is never cut.
    UserDefined,
    /// No longer used.
    Unused,
    /// One byte of text without pieces.
    Byte,
}

/// A piece; its id is its place.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: Kind,
}

/// How pieces are found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Unigram,
    Bpe,
}

/// A model as its file gives it.
#[derive(Debug)]
pub(super) struct SentencePiece {
    pub(super) method: Method,
    pub(super) pieces: Vec<Piece>,
    /// The piece that begins a text, where there is one.
    pub(super) bos: Option<String>,
    pub(super) has_byte_fallback: bool,
    /// Rules that are applied to a text first.
    pub(super) charsmap: Vec<u8>,
    pub(super) has_dummy_prefix: bool,
    pub(super) removes_extra_spaces: bool,
    /// Whether a space is written as a lower block.
    pub(super) escapes_spaces: bool,
}

impl SentencePiece {
    /// Parses the bytes of a `tokenizer.model`.
    ///
    /// # Errors
    /// The reason why they are none that can be read.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if looks_like_tiktoken(bytes) {
            return Err("it is a list of tiktoken, which is not read".into());
        }
        let mut model = Self {
            method: Method::Unigram,
            pieces: vec![],
            bos: None,
            has_byte_fallback: false,
            charsmap: vec![],
            has_dummy_prefix: true,
            removes_extra_spaces: true,
            escapes_spaces: true,
        };
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

    /// Reads what is known of the training, and gives the id of the piece that begins a text.
    fn read_training(&mut self, value: Value<'_>) -> Result<i32, String> {
        let mut bos_id = 1;
        for (number, value) in protobuf::fields(value.bytes()?)? {
            match number {
                3 => {
                    self.method = match value.int()? {
                        1 => Method::Unigram,
                        2 => Method::Bpe,
                        3 => return Err("it is a model of words, which is not read".into()),
                        4 => return Err("it is a model of characters, which is not read".into()),
                        other => return Err(format!("it is a model of the unknown type {other}")),
                    }
                }
                24 if value.flag()? => {
                    return Err("it puts spaces behind words (treat_whitespace_as_suffix), which is not \
                                read"
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

    /// Checks that it can be a tokenizer.
    ///
    /// # Errors
    /// The reason why it cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.pieces.iter().filter(|piece| piece.kind == Kind::Unknown).count() != 1 {
            return Err("it does not have one piece for unknown text".into());
        }
        let mut seen = std::collections::HashSet::new();
        for piece in &self.pieces {
            let Piece { text, score, .. } = piece;
            if text.is_empty() || !score.is_finite() {
                return Err(format!("its piece {text:?} has the score {score}"));
            }
            if text.len() > MOST_BYTES {
                return Err(format!("it has a piece of {} bytes", text.len()));
            }
            if !seen.insert(text.as_str()) {
                return Err(format!("it has the piece {text:?} twice"));
            }
        }
        self.growth().map(drop)
    }

    /// How much longer its rules can make a text.
    ///
    /// # Errors
    /// The reason why its rules are none that can be applied.
    pub(super) fn growth(&self) -> Result<Growth, String> {
        if self.charsmap.is_empty() {
            Ok(Growth::SMALL)
        } else {
            Growth::of_rules(charsmap::check(&self.charsmap)?)
        }
    }
}

/// The longest piece: those of published models have some ten characters, and the ways to cut one grow with
/// its length.
pub(super) const MOST_BYTES: usize = 4096;

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

/// Whether the first line is a text in base64 and its rank.
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
    fn a_list_of_tiktoken_is_known_by_its_first_line() {
        assert!(looks_like_tiktoken(b"IQ== 0\nIg== 1\n"));
        assert!(!looks_like_tiktoken(b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02"));
        assert!(!looks_like_tiktoken(b""));
    }
}
