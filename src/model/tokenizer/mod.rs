//! Tokenizers: one reader per file format gives a tokenizer of the `tokenizers` library, which one type binds
//! to a model's vocabulary.

use std::borrow::Cow;
use std::path::PathBuf;

mod bos;
mod bos_prefix;
mod charsmap;
mod checked;
mod encode;
mod gguf;
mod growth;
mod json;
mod open;
mod parts;
mod pattern;
mod pieces;
mod protobuf;
mod sentencepiece;
mod settings;
mod vocab_merges;

pub use self::bos::Bos;
pub use self::encode::{Token, Tokenizer};
pub(in crate::model) use self::gguf::settings as gguf_settings;
use super::weights::gguf::Gguf;
use crate::error::Result;

/// The files of a model, by their names.
pub trait TokenizerFiles {
    /// The place of a file; it need not be there.
    fn path(&self, file: &str) -> PathBuf;
    /// The bytes of a file, if it is there.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) if it is there and cannot be read.
    fn read(&self, file: &str) -> Result<Option<Cow<'static, [u8]>>>;
    /// The GGUF file that the model is in, if it is in one.
    fn gguf(&self) -> Option<&Gguf> {
        None
    }
}
