//! Reads the tokens of a GGUF file and their kinds.

use crate::error::{Error, Result};
use crate::model::tokenizer::sentencepiece::Kind;
use crate::model::weights::gguf::{Gguf, Metadata};

pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";

/// Texts and kinds of the tokens, by id.
pub(super) struct Vocabulary<'a> {
    pub(super) texts: &'a [String],
    pub(super) kinds: Vec<Kind>,
}

impl<'a> Vocabulary<'a> {
    /// Reads the tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if there are no tokens, or if the list of kinds has a wrong length or an unknown
    /// kind.
    pub(super) fn read(gguf: &'a Gguf) -> Result<Self> {
        let metadata = gguf.metadata();
        let texts = metadata.texts(TOKENS)?.unwrap_or_default();
        if texts.is_empty() {
            let reason = format!(
                "has no tokenizer (key `{TOKENS}`); put the model's tokenizer.json in the same folder"
            );
            return Err(fault(gguf, reason));
        }
        let kinds = numbers(gguf, "tokenizer.ggml.token_type", texts.len())?.unwrap_or_default();
        let unknown = id(metadata, "tokenizer.ggml.unknown_token_id")?;
        let mut kinds: Vec<Kind> = match kinds.is_empty() {
            true => vec![Kind::Normal; texts.len()],
            false => kinds.into_iter().map(kind).collect::<Option<_>>().ok_or_else(|| {
                fault(
                    gguf,
                    "`tokenizer.ggml.token_type` has an unknown kind of token; use another file".into(),
                )
            })?,
        };
        if let Some(kind) = unknown.and_then(|id| kinds.get_mut(id))
            && *kind == Kind::Control
        {
            *kind = Kind::Unknown;
        }
        Ok(Self { texts, kinds })
    }

    /// The tokens of a kind, with their ids.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (usize, &'a str)> + '_ {
        let of_kind = self.kinds.iter().enumerate().filter(move |(_, other)| **other == kind);
        of_kind.map(|(id, _)| (id, self.texts[id].as_str()))
    }
}

/// A list with one number per token; `None` if the key is absent.
///
/// # Errors
/// [`Error::Tokenizer`] if the list does not have `n` numbers.
pub(super) fn numbers(gguf: &Gguf, key: &str, n: usize) -> Result<Option<Vec<f64>>> {
    let numbers = gguf.metadata().numbers(key)?;
    match numbers {
        Some(numbers) if numbers.len() != n => {
            let reason =
                format!("`{key}` has {} entries for {n} tokens; download the file again", numbers.len());
            Err(fault(gguf, reason))
        }
        numbers => Ok(numbers),
    }
}

/// The id of a special token, if the file has one.
///
/// # Errors
/// [`Error::Config`] if the value is not a whole number.
pub(super) fn id(metadata: &Metadata, key: &str) -> Result<Option<usize>> {
    // Files without such a token may store -1, written as the largest u32.
    if metadata.json(key).as_f64().is_some_and(|id| id < 0.0 || id >= f64::from(u32::MAX)) {
        return Ok(None);
    }
    metadata.size(key)
}

pub(super) fn fault(gguf: &Gguf, reason: String) -> Error {
    Error::Tokenizer { path: gguf.path().into(), reason }
}

fn kind(code: f64) -> Option<Kind> {
    Some(match code as i64 {
        1 => Kind::Normal,
        2 => Kind::Unknown,
        3 => Kind::Control,
        4 => Kind::UserDefined,
        // Some converters write 0 for unknown kinds.
        0 | 5 => Kind::Unused,
        6 => Kind::Byte,
        _ => return None,
    })
}
