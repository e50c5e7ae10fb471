//! Opens the tokenizer in a GGUF file.

use super::vocabulary::{Vocabulary, fault};
use super::{byte_level, pieces};
use crate::error::Result;
use crate::model::tokenizer::growth::Growth;
use crate::model::tokenizer::sentencepiece::Method;
use crate::model::weights::gguf::Gguf;

/// Opens the tokenizer of a file. Also returns the id of the piece for unknown text (only for a sentencepiece
/// model), and the factors by which the tokenizer can lengthen a text.
///
/// # Errors
/// [`Error::Tokenizer`](crate::Error::Tokenizer) for an unsupported kind of tokenizer, and for any fault in
/// it.
pub(in crate::model::tokenizer) fn open(gguf: &Gguf) -> Result<(tokenizers::Tokenizer, Option<u32>, Growth)> {
    let vocabulary = Vocabulary::read(gguf)?;
    let method = match gguf.metadata().text("tokenizer.ggml.model")? {
        Some("gpt2") => return Ok((byte_level::tokenizer(gguf, &vocabulary)?, None, Growth::SMALL)),
        Some("llama") => Method::Bpe,
        Some("t5") => Method::Unigram,
        other => {
            let kind = other.unwrap_or("none");
            let reason = format!(
                "has a tokenizer of the unsupported kind `{kind}` (supported: gpt2, llama, t5); put the \
                 model's tokenizer.json in the same folder"
            );
            return Err(fault(gguf, reason));
        }
    };
    let model = pieces::model(gguf, &vocabulary, method)?;
    let (inner, unknown) = model.tokenizer().map_err(|source| fault(gguf, source.to_string()))?;
    let growth = model.growth().map_err(|reason| fault(gguf, reason))?;
    Ok((inner, Some(unknown), growth))
}

/// Whether a tokenizer from another file has at least 90 % of this file's tokens under the same ids. The
/// other tokens may differ, because placeholders and spaces are written in several ways.
pub(in crate::model::tokenizer) fn belongs(inner: &tokenizers::Tokenizer, gguf: &Gguf) -> bool {
    let Ok(vocabulary) = Vocabulary::read(gguf) else { return true };
    let has = |(id, text): (u32, &String)| inner.id_to_token(id).as_ref() == Some(text);
    let n = (0_u32..).zip(vocabulary.texts).filter(|pair| has(*pair)).count();
    10 * n >= 9 * vocabulary.texts.len()
}
