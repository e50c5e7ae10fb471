//! Reads a tokenizer.json.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokenizers::{ModelWrapper, Tokenizer};

use super::charsmap;
use crate::error::{Error, Result};

/// Parses the bytes of a tokenizer.json that came from `path`, and switches off what would make its tokens
/// depend on anything but the text.
///
/// # Errors
/// [`Error::Tokenizer`] if it does not parse.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Tokenizer> {
    let fault = |reason: String| Error::Tokenizer { path: path.into(), reason };
    let malformed = |source: &dyn std::fmt::Display| {
        fault(format!("not a tokenizer.json that can be read ({source}); download or save it again"))
    };
    // The library panics where the decoder, which is not used here, is no JSON; so that comes first.
    let value: Value = serde_json::from_slice(bytes).map_err(|source| malformed(&source))?;
    check_normalizer(&value["normalizer"]).map_err(|reason| malformed(&reason))?;
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
    Ok(inner)
}

/// Checks the rules of sentencepiece in a normalizer or a list of them.
fn check_normalizer(normalizer: &Value) -> std::result::Result<(), String> {
    if let Some(rules) = normalizer["precompiled_charsmap"].as_str() {
        let rules = STANDARD.decode(rules).map_err(|error| error.to_string())?;
        charsmap::check(&rules)?;
    }
    normalizer["normalizers"].as_array().into_iter().flatten().try_for_each(check_normalizer)
}
