//! Converts texts to tokens and back with the `tokenizers` library: ids with their byte spans, and the tokens
//! that begin every window.

use std::ops::Range;
use std::path::{Path, PathBuf};

use tokenizers::{Encoding, ModelWrapper};

use super::TokenizerFiles;
use super::bos::Bos;
use super::bos_prefix::{self, BosPrefix, BosSettings};
use super::budget::Share;
use super::growth::Growth;
use super::open::{self, Opened};
use super::settings::TokenizerSettings;
use super::steps::Steps;
use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::model::arch::Config;
use crate::model::embedded::embedded;
use crate::terminal::shortened;

/// Number of characters of a text that an error shows.
const SHOWN: usize = 200;

/// A tokenizer bound to a model's vocabulary.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    path: PathBuf,
    inner: tokenizers::Tokenizer,
    prefix: Vec<u32>,
    notes: Vec<String>,
    unknown: Option<u32>,
    vocab_size: usize,
    growth: Growth,
    steps: Steps,
}

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Id of the token, which is its row in the embedding.
    pub id: u32,
    /// The span of the token in the text, in bytes.
    pub span: Range<usize>,
}

impl Tokenizer {
    /// Opens the tokenizer of a model with this config: tokenizer.json, or else vocab.json with merges.txt,
    /// or else a sentencepiece model, with the settings in the other tokenizer files. `bos` determines how
    /// every text begins.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if no tokenizer can be read, if texts begin with a token outside the model's
    /// vocabulary, or if `bos` requires a beginning-of-sequence token and no file names one in the
    /// vocabulary.
    pub fn open(files: &dyn TokenizerFiles, config: &Config, bos: Bos) -> Result<Self> {
        let settings = TokenizerSettings::read(files)?;
        let vocab_size = config.size("vocab_size")?;
        let model_type = config.text_or("model_type", "")?;
        let opened = open::open(files, &settings, model_type)?;
        let Opened { path, inner, unknown, bos: piece, begins, growth } = opened;
        let fault = |reason: String| Error::Tokenizer { path: path.clone(), reason };
        // The tokens around a text do not depend on the text, so an arbitrary token serves as the probe. A
        // real word might be missing from the vocabulary.
        let text = Encoding::from_tokens(vec![tokenizers::Token::new(0, "a".into(), (0, 1))], 0);
        let probe = call(|| inner.post_process(text, None, true)).map_err(fault)?;
        let special = probe.get_special_tokens_mask();
        let n_before = special.iter().take_while(|mask| **mask == 1).count();
        let unknown = unknown.or_else(|| unknown_id(&inner));
        let named = settings.bos.as_ref().or(piece.as_ref());
        let id = named.and_then(|token| inner.token_to_id(token));
        let known = BosSettings {
            template: probe.get_ids()[..n_before].to_vec(),
            template_ends: n_before < special.len() && special.last() == Some(&1),
            is_json: path == files.path(open::JSON),
            begins,
            bos: id.or_else(|| id_of_config(config)),
            settings: &settings,
        };
        let Some(BosPrefix { prefix, notes }) = bos_prefix::choose(&known, bos) else {
            let reason = "has no beginning-of-sequence token, and neither tokenizer_config.json nor \
                          config.json names one; omit --bos on";
            return Err(fault(reason.into()));
        };
        let steps = call(|| Steps::of(&inner)).map_err(fault)?;
        let tokenizer = Self { path, inner, prefix, notes, unknown, vocab_size, growth, steps };
        tokenizer.known(tokenizer.prefix.iter().map(|id| {
            let at = probe.get_ids().iter().position(|other| other == id);
            (*id, at.map_or("bos_token", |at| probe.get_tokens()[at].as_str()))
        }))?;
        Ok(tokenizer)
    }

    /// [`Bos::On`] if tokens are prepended to every text, otherwise [`Bos::Off`].
    pub fn bos(&self) -> Bos {
        if self.prefix.is_empty() { Bos::Off } else { Bos::On }
    }

    /// Whether the tokenizer belongs to an embedded model.
    fn is_embedded(&self) -> bool {
        embedded().any(|member| Path::new(member.name).join(open::JSON) == self.path)
    }

    /// Notes for the user, if the tokenizer files disagree about how texts begin or do not specify it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The special tokens prepended to every text: a beginning-of-sequence token, or none. They begin every
    /// window, including windows of a single token.
    pub fn prefix(&self) -> &[u32] {
        &self.prefix
    }

    /// The tokens of a text, without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be encoded, a word is unknown, or an id is outside the model's
    /// vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<Token>> {
        let encoding = self.encoding(text).map_err(|reason| {
            let shown: String = text.chars().take(SHOWN).collect();
            self.fault(&format!(
                "cannot encode {shown:?} ({reason}); use other words or a model that supports them"
            ))
        })?;
        let spans = encoding.get_offsets().iter().map(|(start, end)| *start..*end);
        let tokens: Vec<_> =
            encoding.get_ids().iter().zip(spans).map(|(id, span)| Token { id: *id, span }).collect();
        // Distinct unknown words would get the same token or no token, so windows with different words would
        // silently be identical.
        let unknown = tokens.iter().find(|token| Some(token.id) == self.unknown);
        let unknown =
            unknown.and_then(|token| text.get(token.span.clone())).or_else(|| without_token(text, &tokens));
        if let Some(word) = unknown {
            let advice = if self.is_embedded() {
                "an embedded model has tokens only for the words of its own corpora; choose one of these \
                 corpora, or a real model: a folder, a GGUF file, or owner/name on a hub"
            } else {
                "remove it from the corpus or use a model that supports it"
            };
            return Err(self.fault(&format!("has no token for {word:?}; {advice}")));
        }
        self.known(tokens.iter().map(|token| (token.id, text.get(token.span.clone()).unwrap_or_default())))?;
        Ok(tokens)
    }

    /// The tokens of any text, including unknown words, with the text of each token. With `special`, the
    /// tokens that begin every window come first.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be encoded or an id is outside the model's vocabulary.
    pub fn encode_any(&self, text: &str, special: bool) -> Result<(Vec<u32>, Vec<String>)> {
        let prefix = if special { self.prefix.as_slice() } else { &[] };
        let encoding = self
            .encoding(text)
            .map_err(|reason| self.fault(&format!("cannot encode the text ({reason})")))?;
        let (mut ids, mut pieces) = (prefix.to_vec(), vec![String::new(); prefix.len()]);
        let mut end = 0;
        for (id, (_, stop)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            // Text between tokens, such as a space, belongs to the following token.
            let piece = text.get(end..*stop).unwrap_or_default();
            end = end.max(*stop);
            ids.push(*id);
            pieces.push(piece.to_owned());
        }
        if let (Some(last), Some(rest)) = (pieces.last_mut(), text.get(end..)) {
            last.push_str(rest);
        }
        self.known(ids.iter().copied().zip(pieces.iter().map(String::as_str)))?;
        Ok((ids, pieces))
    }

    /// The same tokenizer, but it recognises special tokens that are written out in a text, such as the
    /// output of a chat template.
    pub fn with_special_tokens_in_text(&self) -> Self {
        let mut tokenizer = self.clone();
        tokenizer.inner.set_encode_special_tokens(false);
        tokenizer
    }

    /// The text of some tokens, without special tokens. The text is empty if the tokens cannot be decoded or
    /// if it could have more than 8 MiB.
    pub fn decode(&self, ids: &[u32]) -> String {
        let lengths = ids.iter().map(|id| self.inner.id_to_token(*id).map_or(0, |text| text.len()));
        if !self.growth.admits_tokens(lengths) {
            return String::new();
        }
        call(|| self.inner.decode(ids, true)).unwrap_or_default()
    }

    fn encoding(&self, text: &str) -> std::result::Result<Encoding, String> {
        self.growth.admits(text)?;
        let _until_done = Share::take(self.growth.memory(text));
        call(|| self.steps.encode(&self.inner, text))
    }

    /// Checks that the tokens, given with their texts, are in the model's vocabulary.
    fn known<'a>(&self, tokens: impl IntoIterator<Item = (u32, &'a str)>) -> Result<()> {
        match tokens.into_iter().find(|(id, _)| *id as usize >= self.vocab_size) {
            None => Ok(()),
            Some((id, text)) => Err(self.fault(&format!(
                "gives token id {id} for {text:?}, beyond the model's vocabulary of {}; use the {} that \
                 belongs to the model",
                self.vocab_size,
                self.path.file_name().unwrap_or_default().to_string_lossy()
            ))),
        }
    }

    fn fault(&self, reason: &str) -> Error {
        Error::Tokenizer { path: self.path.clone(), reason: shortened(reason).into_owned() }
    }
}

/// Calls the library, and converts a panic to an error.
fn call<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> std::result::Result<T, String> {
    guarded(work)?.map_err(|error| error.to_string())
}

/// The id of the token for unknown text.
fn unknown_id(inner: &tokenizers::Tokenizer) -> Option<u32> {
    let token = match inner.get_model() {
        ModelWrapper::BPE(model) => model.unk_token.as_deref()?,
        ModelWrapper::WordPiece(model) => model.unk_token.as_str(),
        ModelWrapper::WordLevel(model) => model.unk_token.as_str(),
        // The library does not expose the unknown token of a unigram model; published files use this name.
        ModelWrapper::Unigram(_) => "<unk>",
    };
    inner.token_to_id(token)
}

/// `bos_token_id` of config.json.
fn id_of_config(config: &Config) -> Option<u32> {
    config.size_or("bos_token_id", usize::MAX).ok().and_then(|id| u32::try_from(id).ok())
}

/// The first part of `text` that no token covers, from the start of its word. Whitespace needs no token.
fn without_token<'a>(text: &'a str, tokens: &[Token]) -> Option<&'a str> {
    let mut end = 0;
    let spans = tokens.iter().map(|token| (token.span.start, token.span.end));
    for (start, stop) in spans.chain([(text.len(), text.len())]) {
        if let Some(gap) = text.get(end..start).map(str::trim_start).filter(|gap| !gap.is_empty()) {
            let before = text[..start - gap.len()].trim_end_matches(|c: char| !c.is_whitespace());
            return Some(text[before.len()..start].trim_end());
        }
        end = end.max(stop);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_without_token_if_any_part_of_it_has_no_token() {
        let out = |text, spans: &[(usize, usize)]| {
            let token = |(start, end): &(usize, usize)| Token { id: 0, span: *start..*end };
            without_token(text, &spans.iter().map(token).collect::<Vec<_>>())
        };
        assert_eq!(out("", &[]), None);
        assert_eq!(out("red, blue", &[(0, 3), (3, 4), (5, 9)]), None);
        // A token may begin with the preceding space, and several tokens may share one character.
        assert_eq!(out("red, gr\u{fc}n", &[(0, 4), (4, 7), (7, 9), (7, 9), (9, 10)]), None);
        assert_eq!(out("red, blue", &[(0, 3), (3, 4)]), Some("blue"));
        assert_eq!(out("red, blue,", &[(0, 3), (3, 4), (5, 7), (9, 10)]), Some("blue"));
        assert_eq!(out("red, blue", &[]), Some("red, blue"));
    }
}
