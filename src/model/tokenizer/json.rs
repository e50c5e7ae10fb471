//! Reads a tokenizer.json.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokenizers::{ModelWrapper, Tokenizer};

use super::growth::Growth;
use super::{charsmap, checked};
use crate::error::{Error, Result};

/// Parses the bytes of a tokenizer.json that came from `path`, and switches off what would make its tokens
/// depend on anything but the text. The growth of a text by its rules comes with it.
///
/// # Errors
/// [`Error::Tokenizer`] if it does not parse.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(Tokenizer, Growth)> {
    let fault = |reason: String| Error::Tokenizer { path: path.into(), reason };
    let malformed = |source: &dyn std::fmt::Display| {
        fault(format!("not a tokenizer.json that can be read ({source}); download or save it again"))
    };
    // The library panics where the decoder, which is not used here, is no JSON; so that comes first.
    let value: Value = serde_json::from_slice(bytes).map_err(|source| malformed(&source))?;
    checked::check(&value).map_err(|reason| malformed(&reason))?;
    let growth = Growth::of(&value, &precompiled).map_err(|reason| malformed(&reason))?;
    let mut inner = Tokenizer::from_bytes(bytes).map_err(|source| malformed(&source))?;
    // A tokenizer file may ask for padding, truncation or merges left out at random; windows are exactly
    // what their text says.
    inner.with_padding(None);
    // What looks like a special token in a text, such as "</s>", is read like any other word.
    inner.set_encode_special_tokens(true);
    inner.with_truncation(None).map_err(|source| fault(source.to_string()))?;
    if let ModelWrapper::BPE(bpe) = inner.get_model()
        && bpe.dropout.is_some()
    {
        let mut bpe = bpe.clone();
        bpe.dropout = None;
        inner.with_model(bpe);
    }
    Ok((inner, growth))
}

/// The growth of a text by rules of sentencepiece, which are checked.
fn precompiled(rules: &str) -> std::result::Result<usize, String> {
    let rules = STANDARD.decode(rules).map_err(|error| error.to_string())?;
    charsmap::check(&rules)
}
