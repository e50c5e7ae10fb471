//! Tokenizers: one reader per file format gives a tokenizer of the `tokenizers` library, which one type binds
//! to a model's vocabulary.

mod bos;
mod encode;
mod json;

pub use self::bos::Bos;
pub use self::encode::{Token, Tokenizer};
