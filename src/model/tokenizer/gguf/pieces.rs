//! Reads a sentencepiece model from the metadata of a GGUF file.

use std::collections::HashSet;

use super::vocabulary::{Vocabulary, fault, id, numbers};
use crate::error::Result;
use crate::model::tokenizer::sentencepiece::{Kind, Method, Piece, SentencePiece};
use crate::model::weights::gguf::Gguf;

/// Reads the pieces, their scores, and the rules for spaces.
///
/// # Errors
/// [`Error::Tokenizer`](crate::Error::Tokenizer) if something is missing or invalid.
pub(super) fn model(gguf: &Gguf, vocabulary: &Vocabulary, method: Method) -> Result<SentencePiece> {
    let metadata = gguf.metadata();
    let n = vocabulary.texts.len();
    let again = "; download the file again, or put the model's tokenizer.json in the same folder";
    let Some(scores) = numbers(gguf, "tokenizer.ggml.scores", n)? else {
        let reason = format!("has a tokenizer without scores (key `tokenizer.ggml.scores`){again}");
        return Err(fault(gguf, reason));
    };
    let mut seen = HashSet::new();
    let mut pieces = Vec::with_capacity(n);
    for ((text, score), kind) in vocabulary.texts.iter().zip(scores).zip(&vocabulary.kinds) {
        // Placeholders never occur in a text. Several of them may have the same name, so they are renamed.
        let is_new = seen.insert(text.as_str());
        let (text, kind) = match is_new && !text.is_empty() {
            true => (text.clone(), *kind),
            false => (format!("\u{fffe}unused{}", pieces.len()), Kind::Unused),
        };
        pieces.push(Piece { text, score: score as f32, kind });
    }
    // Unknown text needs a piece, even if every byte has its own piece.
    if !pieces.iter().any(|piece| piece.kind == Kind::Unknown) {
        let unknown =
            pieces.iter().position(|piece| piece.text == "<unk>" && piece.kind != Kind::UserDefined);
        let unknown = unknown.and_then(|at| pieces.get_mut(at));
        match unknown {
            Some(piece) => piece.kind = Kind::Unknown,
            None => {
                let reason = format!("has a tokenizer without a piece for unknown text{again}");
                return Err(fault(gguf, reason));
            }
        }
    }
    let flag = |key: &str, default: bool| metadata.flag(key).map(|flag| flag.unwrap_or(default));
    let bos = id(metadata, "tokenizer.ggml.bos_token_id")?.and_then(|id| pieces.get(id));
    let rules = metadata.numbers("tokenizer.ggml.precompiled_charsmap")?.unwrap_or_default();
    let model = SentencePiece {
        method,
        bos: bos.map(|piece| piece.text.clone()),
        has_byte_fallback: vocabulary.kinds.contains(&Kind::Byte),
        charsmap: rules.into_iter().map(|byte| byte as i64 as u8).collect(),
        has_dummy_prefix: flag("tokenizer.ggml.add_space_prefix", true)?,
        removes_extra_spaces: flag("tokenizer.ggml.remove_extra_whitespaces", method == Method::Unigram)?,
        escapes_spaces: true,
        pieces,
    };
    model.check().map_err(|reason| fault(gguf, format!("{reason}{again}")))?;
    Ok(model)
}
