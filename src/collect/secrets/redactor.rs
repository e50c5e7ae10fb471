//! Stores the key of a run, and redacts texts that may contain it.

use std::borrow::Cow;
use std::ops::Range;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use super::escapes;
use super::forms::{self, Forms, LEAST_CHARACTERS, LEAST_WITHIN};
use crate::collect::grading::answer_text::AnswerText;
use crate::collect::item::Item;
use crate::error::{Error, Result};
use crate::provider::{self, Answer, KeyHeader, Outcome, Prompt};

/// Number of layers of escapes that are decoded: JSON inside JSON inside JSON.
const MOST_ESCAPED: usize = 3;
/// The replacement of a secret, valid within a JSON string.
const MASK: &[u8] = b"[REDACTED]";
/// The replacement within a JSON number.
const NUMBER_MASK: &[u8] = b"1";
/// A placeholder for servers that require no key. It does not resemble any answer or member of an answer.
const PLACEHOLDER: &str = "unused-key-000000";
/// Number of bytes that are examined on each side of a match. This bounds the scan time.
const MOST_LOOKED_AT: usize = 256;
/// Minimum number of characters after `Bearer ` that count as a token, regardless of the issuer.
const LEAST_BEARER: usize = 20;

fn is_placeholder(key: &str) -> bool {
    key.len() < LEAST_CHARACTERS
        || (key.len() < LEAST_WITHIN && !key.bytes().any(|byte| byte.is_ascii_digit()))
}

/// The key of one run and all its forms.
pub struct Secrets {
    key: SecretString,
    forms: Forms,
    /// Forms of the key without its prefix and punctuation, which grading may remove.
    bare: Forms,
    /// Prefixes of keys of known providers, each with the minimum number of characters after the prefix. The
    /// minimum excludes ordinary words.
    patterns: Vec<(&'static [u8], usize)>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Reads the key from an environment variable. A server on this machine needs no key: if the variable is
    /// not set, a placeholder is sent.
    ///
    /// # Errors
    /// [`Error::Account`] if the variable is not set, or its value cannot be a key. The message never
    /// contains the value.
    pub fn from_env(variable: &str, endpoint: &str, is_local: bool) -> Result<Self> {
        let fault = |reason: String| Error::Account { endpoint: endpoint.into(), reason };
        let value = std::env::var(variable);
        if is_local && value == Err(std::env::VarError::NotPresent) {
            return Ok(Self::new(PLACEHOLDER));
        }
        let value = value.map_err(|error| match error {
            std::env::VarError::NotPresent => fault(format!(
                "there is no key: set the environment variable {variable} (to {PLACEHOLDER} if the server \
                 requires no key)"
            )),
            std::env::VarError::NotUnicode(_) => fault(format!(
                "the environment variable {variable} contains bytes that cannot be a key; copy the key again"
            )),
        })?;
        // A key that was read from a file often ends in a line feed.
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return Err(fault(format!("the environment variable {variable} is empty; set it to the key")));
        }
        if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "contains blanks or characters that cannot be part of a key; copy the key again";
            return Err(fault(format!("the environment variable {variable} {reason}")));
        }
        Ok(Self::new(trimmed))
    }

    /// Whether the key is too short or too similar to a word to be distinguished from a model's text. This
    /// applies to placeholders for servers that require no key (`EMPTY`). Such a key is not redacted, because
    /// that would remove words from answers.
    pub fn is_placeholder(&self) -> bool {
        is_placeholder(self.key.expose_secret())
    }

    /// Builds the secrets of a given key.
    pub fn new(key: &str) -> Self {
        let of = |key: &str| if is_placeholder(key) { Forms::none() } else { Forms::new(key) };
        let forms = of(key);
        let bare = if is_placeholder(key) { Forms::none() } else { of(&forms::without_punctuation(key)) };
        let known = provider::key_patterns()
            .filter_map(|pattern| Some((pattern.prefix.as_bytes(), pattern.least_tail?)));
        let mut patterns: Vec<_> = known.chain([(b"Bearer ".as_slice(), LEAST_BEARER)]).collect();
        // Providers with the same wire format share their patterns.
        patterns.sort_unstable();
        patterns.dedup();
        Self { key: key.into(), forms, bare, patterns }
    }

    /// The header that contains the key. It is marked as sensitive.
    ///
    /// # Errors
    /// [`Error::Account`] if the key contains characters that a header cannot contain.
    pub fn header(&self, kind: KeyHeader, endpoint: &str) -> Result<(&'static str, HeaderValue)> {
        let (name, text) = match kind {
            KeyHeader::Bearer => ("authorization", format!("Bearer {}", self.key.expose_secret())),
            KeyHeader::Named(name) => (name, self.key.expose_secret().to_owned()),
        };
        let fault = |_| Error::Account {
            endpoint: endpoint.into(),
            reason: "the key contains characters that an HTTP header cannot contain; copy the key \
                     again"
                .into(),
        };
        let mut value = HeaderValue::from_str(&text).map_err(fault)?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    /// Whether a text contains the key, a fragment of it, or text that matches the pattern of a known
    /// provider's keys.
    pub fn is_in(&self, text: &str) -> bool {
        !self.spans(text.as_bytes(), MOST_ESCAPED, &|here| self.secret_at(here)).is_empty()
    }

    /// Whether an answer contains a secret. The bytes of the response alone do not show this, because the
    /// text of an answer may be joined from several strings.
    pub fn is_in_answer(&self, answer: &Answer) -> bool {
        let mut texts: Vec<&str> = match &answer.outcome {
            Outcome::Answered { text } | Outcome::Refused { text } | Outcome::Truncated { text } => {
                vec![text]
            }
            Outcome::Filtered { category, text, .. } => {
                category.iter().chain(text).map(String::as_str).collect()
            }
            Outcome::Unreadable { reason } => vec![reason],
            Outcome::Failed(failure) => {
                [Some(&failure.message), failure.code.as_ref(), failure.param.as_ref()]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect()
            }
            Outcome::Empty => vec![],
        };
        let named = [&answer.model_snapshot, &answer.system_fingerprint, &answer.finish_reason];
        texts.extend(named.into_iter().flatten().map(String::as_str));
        let tokens: String = answer.logprobs.iter().flatten().map(|token| token.token.as_str()).collect();
        texts.iter().any(|text| self.is_in(text) || self.is_in_graded(text)) || self.is_in(&tokens)
    }

    /// Whether grading would reveal the key. Grading removes special tokens and invisible characters,
    /// normalises letters (NFKC), and may remove punctuation.
    fn is_in_graded(&self, text: &str) -> bool {
        let is_in = |text: &str| {
            let plain: String = text.nfkc().collect();
            let bare: String = plain.chars().filter(|c| !c.is_ascii_punctuation()).collect();
            self.is_in(&plain) || !self.spans(bare.as_bytes(), 0, &|here| self.bare.key_at(here)).is_empty()
        };
        is_in(text) || is_in(&AnswerText::read(text).text)
    }

    /// Whether an item contains the key of this run. Other keys are allowed, because they may be the subject
    /// of the item.
    pub fn is_in_item(&self, item: &Item) -> bool {
        let lists = item.gold.iter().chain(&item.choices).chain([&item.id, &item.question]);
        let prompts = item.prompts.iter().flat_map(|prompt| match prompt {
            Prompt::Text(text) => vec![text],
            Prompt::Messages(messages) => messages.iter().map(|message| &message.content).collect(),
        });
        lists.chain(prompts).any(|text| self.holds_key(text))
    }

    /// Whether a text of the user contains the key of this run.
    pub fn holds_key(&self, text: &str) -> bool {
        !self.spans(text.as_bytes(), MOST_ESCAPED, &|here| self.forms.key_at(here)).is_empty()
    }

    /// Returns an error if the base URL contains the key, because the URL is recorded and printed.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the URL contains the key.
    pub fn check_url(&self, base_url: &str) -> Result<()> {
        if self.is_in(base_url) {
            let reason = "contains the key; remove it, because keys are read from the environment".into();
            return Err(Error::Parameter { name: "--base-url", reason });
        }
        Ok(())
    }

    /// Redacts the secrets in a text.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.redact(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Secrets are ASCII, so valid UTF-8 stays valid.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Redacts the secrets in bytes. Returns the input, borrowed, if it contains no secrets.
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut spans = self.spans(bytes, MOST_ESCAPED, &|here| self.secret_at(here));
        if spans.is_empty() {
            return Cow::Borrowed(bytes);
        }
        spans.sort_unstable_by_key(|span| span.start);
        let (mut out, mut from) = (Vec::with_capacity(bytes.len()), 0);
        for span in spans {
            // Overlapping spans are merged.
            if span.start >= from {
                out.extend_from_slice(&bytes[from..span.start]);
                out.extend_from_slice(if is_number(bytes, &span) { NUMBER_MASK } else { MASK });
            }
            from = from.max(span.end);
        }
        out.extend_from_slice(&bytes[from..]);
        Cow::Owned(out)
    }

    /// The spans of secrets, in the text itself and under up to `layers` layers of escapes. No span begins or
    /// ends within an escape, so that JSON stays valid.
    fn spans(
        &self,
        bytes: &[u8],
        layers: usize,
        secret_at: &dyn Fn(&[u8]) -> Option<usize>,
    ) -> Vec<Range<usize>> {
        let (mut spans, mut i) = (vec![], 0);
        while i < bytes.len() {
            let span = secret_at(&bytes[i..]).map(|n| i..i + n).filter(|span| !self.is_word(bytes, span));
            i = span.as_ref().map_or(i + 1, |span| span.end);
            spans.extend(span);
        }
        if layers == 0 {
            return spans;
        }
        if let Some(plain) = escapes::unescape(bytes) {
            for span in &mut spans {
                *span = plain.widen(span);
            }
            let hidden = self.spans(&plain.bytes, layers - 1, secret_at);
            spans.extend(hidden.iter().map(|span| plain.original(span)));
        }
        spans
    }

    /// Whether a span lies within a JSON string that must be kept. Such a string consists only of letters and
    /// underscores. It is either a member name, or a word with underscores that is entirely in lower or upper
    /// case and shorter than the key (`content_filter`). Servers do not put keys there, and an answer cannot
    /// be read without these words.
    fn is_word(&self, bytes: &[u8], span: &Range<usize>) -> bool {
        let is_letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'_';
        let first =
            span.start - bytes[..span.start].iter().rev().take(MOST_LOOKED_AT).take_while(is_letter).count();
        let end = span.end + bytes[span.end..].iter().take(MOST_LOOKED_AT).take_while(is_letter).count();
        let mut behind = bytes[end..].iter().take(MOST_LOOKED_AT).skip_while(|byte| **byte == b'\\');
        let is_quoted = first > 0 && bytes[first - 1] == b'"' && behind.next() == Some(&b'"');
        let word = &bytes[first..end];
        if !is_quoted || !word.iter().all(|byte| is_letter(&byte)) {
            return false;
        }
        let is_name = behind.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        let is_one_case =
            !word.iter().any(u8::is_ascii_uppercase) || !word.iter().any(u8::is_ascii_lowercase);
        is_name || (is_one_case && word.contains(&b'_') && word.len() < self.key.expose_secret().len())
    }

    /// The length of the secret at the beginning of `here`, if there is one.
    fn secret_at(&self, here: &[u8]) -> Option<usize> {
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let known = || {
            self.patterns.iter().find_map(|(start, least)| {
                let rest = here.strip_prefix(*start)?;
                let first = rest.iter().take(MOST_LOOKED_AT).take_while(|byte| is_key(byte)).count();
                // Keys are random, so a long text without a digit is most likely a phrase with hyphens.
                let is_random = rest[..first].iter().any(u8::is_ascii_digit);
                let whole = || start.len() + rest.iter().take_while(|byte| is_key(byte)).count();
                (first >= *least && is_random).then(whole)
            })
        };
        self.forms.key_at(here).or_else(known)
    }
}

/// Whether a span is part of a JSON number.
fn is_number(bytes: &[u8], span: &Range<usize>) -> bool {
    let is_outside = |byte: &&u8| !byte.is_ascii_digit() && !byte.is_ascii_whitespace();
    bytes[span.clone()].iter().all(u8::is_ascii_digit)
        && matches!(
            bytes[..span.start].iter().rev().take(MOST_LOOKED_AT).find(is_outside),
            Some(b':' | b'[' | b',')
        )
        && matches!(bytes[span.end..].iter().take(MOST_LOOKED_AT).find(is_outside), Some(b',' | b']' | b'}'))
}
