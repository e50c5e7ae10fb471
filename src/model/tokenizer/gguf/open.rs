//! Which kind of tokenizer a GGUF file holds.

use super::vocabulary::{Vocabulary, fault};
use super::{byte_level, pieces};
use crate::error::Result;
use crate::model::tokenizer::growth::Growth;
use crate::model::tokenizer::sentencepiece::Method;
use crate::model::weights::gguf::Gguf;

/// The tokenizer of a file; of a sentencepiece model also the id of its unknown piece; and how much longer a
/// text can become.
///
/// # Errors
/// [`Error::Tokenizer`](crate::Error::Tokenizer) for a kind that is not read and for whatever is wrong with
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
                "has a tokenizer of the kind `{kind}`, which is not read (gpt2, llama and t5 are); put the \
                 model's tokenizer.json beside it"
            );
            return Err(fault(gguf, reason));
        }
    };
    let model = pieces::model(gguf, &vocabulary, method)?;
    let (inner, unknown) = model.tokenizer().map_err(|source| fault(gguf, source.to_string()))?;
    let growth = model.growth().map_err(|reason| fault(gguf, reason))?;
    Ok((inner, Some(unknown), growth))
}

/// Whether a tokenizer of another file has the tokens of this one, under the same ids but for a tenth: what
/// stands for spaces and what fills a vocabulary up is written in several ways.
pub(in crate::model::tokenizer) fn belongs(inner: &tokenizers::Tokenizer, gguf: &Gguf) -> bool {
    let Ok(vocabulary) = Vocabulary::read(gguf) else { return true };
    let has = |(id, text): (u32, &String)| inner.id_to_token(id).as_ref() == Some(text);
    let n = (0_u32..).zip(vocabulary.texts).filter(|pair| has(*pair)).count();
    10 * n >= 9 * vocabulary.texts.len()
}
