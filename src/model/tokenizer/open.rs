//! Finds and opens the tokenizer files of a model, in order of preference.

use std::path::PathBuf;

use super::TokenizerFiles;
use super::growth::Growth;
use super::sentencepiece::SentencePiece;
use super::settings::{self, TokenizerSettings};
use super::{gguf, json, lengths, vocab_merges};
use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::terminal::shortened;

pub(super) const JSON: &str = "tokenizer.json";
/// File names of sentencepiece models.
const SENTENCEPIECE: [&str; 3] = ["tokenizer.model", "spiece.model", "sentencepiece.model"];
/// Tokenizer files of unsupported kinds.
const FOREIGN: [&str; 5] =
    ["tekken.json", "tokenizer.model.v3", "qwen.tiktoken", "tiktoken.model", "vocab.txt"];

/// Prefixes of the names of model types and tokenizer classes. Their Python tokenizers prepend a token to
/// every text by default.
const BEGINNING: [&str; 4] = ["llama", "mistral", "mixtral", "gemma"];

/// A tokenizer that is not yet bound to a model's vocabulary.
pub(super) struct Opened {
    /// The file of the tokenizer.
    pub(super) path: PathBuf,
    pub(super) inner: tokenizers::Tokenizer,
    /// The id of the token for unknown text, if the reader of the file provides it. Otherwise,
    /// `Tokenizer::open` looks it up in `inner`.
    pub(super) unknown: Option<u32>,
    /// The beginning-of-sequence token, if the tokenizer file names one.
    pub(super) bos: Option<String>,
    /// Whether the Python class for this kind of file prepends the beginning-of-sequence token by default.
    pub(super) begins: bool,
    /// The factors by which the tokenizer can lengthen a text.
    pub(super) growth: Growth,
}

/// Opens the tokenizer of a model. Converts a panic of the tokenizers library to an error.
///
/// # Errors
/// [`Error::Tokenizer`] if no tokenizer can be read.
pub(super) fn open(
    files: &dyn TokenizerFiles,
    settings: &TokenizerSettings,
    model_type: &str,
) -> Result<Opened> {
    let opened = guarded(|| best(files, settings, model_type)).unwrap_or_else(|reason| {
        let path = files.gguf().map_or_else(|| files.path(JSON), |file| file.path().into());
        let reason =
            format!("crashes the tokenizers library ({}); download or save it again", shortened(&reason));
        Err(Error::Tokenizer { path, reason })
    })?;
    lengths::check(&opened.inner, opened.growth).map_err(|reason| Error::Tokenizer {
        path: opened.path.clone(),
        reason: format!("is not a readable tokenizer ({reason}); download or save it again"),
    })?;
    Ok(opened)
}

/// Opens the best available tokenizer.
fn best(files: &dyn TokenizerFiles, settings: &TokenizerSettings, model_type: &str) -> Result<Opened> {
    let path = files.path(JSON);
    if let Some(bytes) = files.read(JSON)? {
        let (inner, growth) = json::read(&path, &bytes)?;
        // The folder of a GGUF file may contain the tokenizer of another model.
        if files.gguf().is_none_or(|file| gguf::belongs(&inner, file)) {
            return Ok(Opened { path, inner, unknown: None, bos: None, begins: false, growth });
        }
    }
    if let Some(file) = files.gguf() {
        let (mut inner, unknown, growth) = gguf::open(file)?;
        inner.set_encode_special_tokens(true);
        return Ok(Opened { path: file.path().into(), inner, unknown, bos: None, begins: false, growth });
    }
    let has = |name: &str| files.read(name).is_ok_and(|bytes| bytes.is_some());
    if has(vocab_merges::VOCAB) && has(vocab_merges::MERGES) {
        let growth = Growth::SMALL;
        let fault = |reason| Error::Tokenizer { path: files.path(settings::CONFIG), reason };
        admit_added(growth, settings).map_err(fault)?;
        let mut inner = vocab_merges::read(files, settings, model_type)?;
        finish(&mut inner, settings, &path)?;
        let path = files.path(vocab_merges::VOCAB);
        return Ok(Opened { path, inner, unknown: None, bos: None, begins: false, growth });
    }
    for name in SENTENCEPIECE {
        let Some(bytes) = files.read(name)? else { continue };
        return sentencepiece(files.path(name), &bytes, settings, model_type);
    }
    let reason = match FOREIGN.into_iter().find(|name| has(name)) {
        _ if has(vocab_merges::VOCAB) => {
            "is missing; the folder has vocab.json without merges.txt".to_owned()
        }
        Some(name) => format!("is missing; the folder has only {name}, which is not supported"),
        None => format!(
            "is missing; the folder also has neither {} with {} nor {}",
            vocab_merges::VOCAB,
            vocab_merges::MERGES,
            SENTENCEPIECE[0]
        ),
    };
    let reason = format!(
        "{reason}; download tokenizer.json too, or create it with transformers \
         (`AutoTokenizer.from_pretrained(id).save_pretrained(folder)`)"
    );
    Err(Error::Tokenizer { path, reason })
}

fn sentencepiece(
    path: PathBuf,
    bytes: &[u8],
    settings: &TokenizerSettings,
    model_type: &str,
) -> Result<Opened> {
    let fault = |reason: &dyn std::fmt::Display| {
        let reason = format!(
            "is not a readable sentencepiece model ({}); download it again, or create a tokenizer.json with \
             transformers (`AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`)",
            shortened(&reason.to_string())
        );
        Error::Tokenizer { path: path.clone(), reason }
    };
    let mut model = SentencePiece::parse(bytes).map_err(|reason| fault(&reason))?;
    let growth = model.growth().map_err(|reason| fault(&reason))?;
    admit_added(growth, settings).map_err(|reason| fault(&reason))?;
    model.extend(&settings.added).map_err(|reason| fault(&reason))?;
    let (mut inner, unknown) = model.tokenizer().map_err(|source| fault(&source))?;
    finish(&mut inner, settings, &path)?;
    let kind = settings.class.as_deref().unwrap_or(model_type).to_lowercase();
    let begins = BEGINNING.iter().any(|name| kind.starts_with(name));
    Ok(Opened { path, inner, unknown: Some(unknown), bos: model.bos, begins, growth })
}

/// Checks that the added tokens of tokenizer_config.json and added_tokens.json do not exceed the limit on
/// their total length after normalization.
fn admit_added(growth: Growth, settings: &TokenizerSettings) -> std::result::Result<(), String> {
    growth.admits_added(settings.added.values().map(|token| (token.content.as_str(), token.normalized)))
}

/// Adds the added tokens to a tokenizer that does not come from tokenizer.json, and marks its special tokens.
fn finish(
    inner: &mut tokenizers::Tokenizer,
    settings: &TokenizerSettings,
    path: &std::path::Path,
) -> Result<()> {
    let known: Vec<_> = settings
        .special
        .iter()
        .filter(|text| inner.token_to_id(text).is_some())
        .map(|text| tokenizers::AddedToken::from(text.clone(), true))
        .collect();
    let added: Vec<_> = settings.added.values().cloned().collect();
    inner
        .add_tokens(added)
        .and_then(|_| inner.add_special_tokens(known))
        .map_err(|source| Error::Tokenizer { path: path.into(), reason: source.to_string() })?;
    inner.set_encode_special_tokens(true);
    Ok(())
}
