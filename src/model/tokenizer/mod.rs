//! Opens tokenizers: one reader per file format creates a tokenizer of the `tokenizers` library, and
//! [`Tokenizer`] binds it to a model's vocabulary.

use std::borrow::Cow;
use std::path::PathBuf;

mod bos;
mod bos_prefix;
mod budget;
mod charsmap;
mod checked;
mod encode;
mod gguf;
mod growth;
mod json;
mod lengths;
mod open;
mod parts;
mod pattern;
mod pieces;
mod protobuf;
mod sentencepiece;
mod settings;
mod steps;
mod trie;
mod vocab_merges;

pub use self::bos::Bos;
pub use self::encode::{Token, Tokenizer};
pub(in crate::model) use self::gguf::settings as gguf_settings;
use super::weights::gguf::Gguf;
use crate::error::Result;

/// The files of a model, by name.
pub trait TokenizerFiles {
    /// The path of a file, which need not exist.
    fn path(&self, file: &str) -> PathBuf;
    /// The bytes of a file, or `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) if the file exists and cannot be read.
    fn read(&self, file: &str) -> Result<Option<Cow<'static, [u8]>>>;
    /// The GGUF file of the model, if it has one.
    fn gguf(&self) -> Option<&Gguf> {
        None
    }
}
