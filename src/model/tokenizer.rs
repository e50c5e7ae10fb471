//! tokenizer.json, through the `tokenizers` library: ids with the bytes of text they stand for, and the tokens that begin every window.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A tokenizer bound to a model's vocabulary.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    path: PathBuf,
    inner: tokenizers::Tokenizer,
    prefix: Vec<u32>,
    unknown: Option<u32>,
    vocab_size: usize,
}

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Row of the embedding.
    pub id: u32,
    /// The bytes of the text it stands for.
    pub span: Range<usize>,
}

impl Tokenizer {
    /// Parses the bytes of a tokenizer.json that came from `path`, for a model of `vocab_size` tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if it does not parse.
    pub fn new(path: &Path, bytes: &[u8], vocab_size: usize) -> Result<Self> {
        let fault = |reason: String| Error::Tokenizer { path: path.into(), reason };
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes)
            .map_err(|source| fault(format!("not a tokenizer.json this version can read ({source})")))?;
        // A tokenizer file may ask for padding or truncation; windows are exactly what their text says.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|source| fault(source.to_string()))?;
        let probe = inner.encode("a", true).map_err(|source| fault(source.to_string()))?;
        let special = probe.get_special_tokens_mask().iter().take_while(|mask| **mask == 1).count();
        let prefix = probe.get_ids()[..special].to_vec();
        let unknown = ["<unk>", "[UNK]"].iter().find_map(|token| inner.token_to_id(token));
        Ok(Self { path: path.into(), inner, prefix, unknown, vocab_size })
    }

    /// The special tokens this tokenizer puts before every text (a beginning-of-sequence token, or none). They begin every window, of
    /// one token alone as well.
    pub fn prefix(&self) -> &[u32] {
        &self.prefix
    }

    /// The tokens of a text, without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be encoded, a word is unknown, or an id lies beyond the model's vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<Token>> {
        let encoding = self.inner.encode(text, false).map_err(|source| self.fault(source.to_string()))?;
        let spans = encoding.get_offsets().iter().map(|(start, end)| *start..*end);
        let tokens: Vec<_> = encoding.get_ids().iter().zip(spans).map(|(id, span)| Token { id: *id, span }).collect();
        // Distinct unknown words would all become one token, and their windows one window: a quiet way to a wrong number.
        if let Some(token) = tokens.iter().find(|token| Some(token.id) == self.unknown) {
            let word = text.get(token.span.clone()).unwrap_or_default();
            return Err(
                self.fault(format!("does not know {word:?}; leave it out of the corpus or take a model that knows it"))
            );
        }
        match tokens.iter().find(|token| token.id as usize >= self.vocab_size) {
            Some(token) => Err(self.fault(format!(
                "gives token id {} for {:?}, beyond the model's vocabulary of {}; it belongs to another model",
                token.id,
                text.get(token.span.clone()).unwrap_or_default(),
                self.vocab_size
            ))),
            None => Ok(tokens),
        }
    }

    fn fault(&self, reason: String) -> Error {
        Error::Tokenizer { path: self.path.clone(), reason }
    }
}
