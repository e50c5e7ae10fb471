//! Reads a tokenizer.json.

use std::path::Path;

use serde_json::Value;
use tokenizers::{ModelWrapper, Tokenizer};

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
    serde_json::from_slice::<Value>(bytes).map_err(|source| malformed(&source))?;
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
