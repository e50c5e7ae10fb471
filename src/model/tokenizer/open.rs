//! Which files of a model hold its tokenizer, the best first.

use std::path::PathBuf;

use super::TokenizerFiles;
use super::growth::Growth;
use super::sentencepiece::SentencePiece;
use super::settings::TokenizerSettings;
use super::{gguf, json, vocab_merges};
use crate::error::{Error, Result};
use crate::guard::guarded;

pub(super) const JSON: &str = "tokenizer.json";
/// The names of a sentencepiece model.
const SENTENCEPIECE: [&str; 3] = ["tokenizer.model", "spiece.model", "sentencepiece.model"];
/// Tokenizers of other kinds.
const FOREIGN: [&str; 5] =
    ["tekken.json", "tokenizer.model.v3", "qwen.tiktoken", "tiktoken.model", "vocab.txt"];

/// Models whose tokenizer in Python begins every text with a token unless it is told not to.
const BEGINNING: [&str; 4] = ["llama", "mistral", "mixtral", "gemma"];

/// A tokenizer as its files give it.
pub(super) struct Opened {
    /// The file it is from.
    pub(super) path: PathBuf,
    pub(super) inner: tokenizers::Tokenizer,
    /// The id of unknown text, where the model cannot be asked for it.
    pub(super) unknown: Option<u32>,
    /// The beginning-of-sequence token, where its own file names one.
    pub(super) bos: Option<String>,
    /// Whether the class that reads this kind of file in Python puts it before every text.
    pub(super) begins: bool,
    /// How much longer a text can become.
    pub(super) growth: Growth,
}

/// Opens the tokenizer of a model. A panic of the library that reads it is an error.
///
/// # Errors
/// [`Error::Tokenizer`] if there is none that can be read.
pub(super) fn open(
    files: &dyn TokenizerFiles,
    settings: &TokenizerSettings,
    model_type: &str,
) -> Result<Opened> {
    guarded(|| best(files, settings, model_type)).unwrap_or_else(|reason| {
        let path = files.gguf().map_or_else(|| files.path(JSON), |file| file.path().into());
        let reason = format!("holds what its library fails on ({reason}); download or save it again");
        Err(Error::Tokenizer { path, reason })
    })
}

/// Reads the first of the files that is there.
fn best(files: &dyn TokenizerFiles, settings: &TokenizerSettings, model_type: &str) -> Result<Opened> {
    let path = files.path(JSON);
    if let Some(bytes) = files.read(JSON)? {
        let (inner, growth) = json::read(&path, &bytes)?;
        // Beside a GGUF file may lie the tokenizer of another model.
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
        let mut inner = vocab_merges::read(files, settings, model_type)?;
        finish(&mut inner, settings, &path)?;
        let path = files.path(vocab_merges::VOCAB);
        let growth = Growth::SMALL;
        return Ok(Opened { path, inner, unknown: None, bos: None, begins: false, growth });
    }
    for name in SENTENCEPIECE {
        let Some(bytes) = files.read(name)? else { continue };
        return sentencepiece(files.path(name), &bytes, settings, model_type);
    }
    let reason = match FOREIGN.into_iter().find(|name| has(name)) {
        _ if has(vocab_merges::VOCAB) => "is not there, only vocab.json without its merges.txt".to_owned(),
        Some(name) => format!("is not there, only {name}, which is not read"),
        None => format!(
            "is not there, nor {} with {}, nor {}",
            vocab_merges::VOCAB,
            vocab_merges::MERGES,
            SENTENCEPIECE[0]
        ),
    };
    let reason = format!(
        "{reason}; download it too, or make one with transformers \
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
            "no sentencepiece model that can be read ({reason}); download it again, or make a tokenizer.json \
             with transformers (`AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`)"
        );
        Error::Tokenizer { path: path.clone(), reason }
    };
    let mut model = SentencePiece::parse(bytes).map_err(|reason| fault(&reason))?;
    model.extend(&settings.added).map_err(|reason| fault(&reason))?;
    let growth = model.growth().map_err(|reason| fault(&reason))?;
    let (mut inner, unknown) = model.tokenizer().map_err(|source| fault(&source))?;
    finish(&mut inner, settings, &path)?;
    let kind = settings.class.as_deref().unwrap_or(model_type).to_lowercase();
    let begins = BEGINNING.iter().any(|name| kind.starts_with(name));
    Ok(Opened { path, inner, unknown: Some(unknown), bos: model.bos, begins, growth })
}

/// Marks the special tokens of a tokenizer that is not from tokenizer.json.
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
