//! Reads a tokenizer.json.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokenizers::{ModelWrapper, Tokenizer};

use super::growth::Growth;
use super::{charsmap, checked};
use crate::error::{Error, Result};
use crate::terminal::shortened;

/// Parses the bytes of the tokenizer.json at `path`, and disables padding, truncation and dropout, which
/// would change the tokens of a text. Also returns the factors by which the rules can lengthen a text.
///
/// # Errors
/// [`Error::Tokenizer`] if the file is malformed.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(Tokenizer, Growth)> {
    let fault = |reason: String| Error::Tokenizer { path: path.into(), reason };
    let malformed = |source: &dyn std::fmt::Display| {
        let source = source.to_string();
        fault(format!("is not a readable tokenizer.json ({}); download or save it again", shortened(&source)))
    };
    // The JSON is parsed here first, because the library panics if the decoder is invalid JSON.
    let mut value: Value = serde_json::from_slice(bytes).map_err(|source| malformed(&source))?;
    checked::check(&mut value).map_err(|reason| malformed(&reason))?;
    let growth = Growth::of(&value, &precompiled).map_err(|reason| malformed(&reason))?;
    // If the bytes contain a member twice, the checked value contains it once. The library gets this value
    // instead of the bytes, so that it uses the member that was checked.
    let mut inner: Tokenizer = serde_json::from_value(value).map_err(|source| malformed(&source))?;
    // The file may specify padding, truncation or random omission of merges (dropout), but windows must
    // contain exactly the tokens of their text.
    inner.with_padding(None);
    // Text that looks like a special token, such as "</s>", is encoded like any other text.
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

/// The factor by which sentencepiece rules can lengthen a text; also checks the rules.
fn precompiled(rules: &str) -> std::result::Result<usize, String> {
    let rules = STANDARD.decode(rules).map_err(|error| error.to_string())?;
    charsmap::check(&rules)
}
