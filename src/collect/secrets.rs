//! Keys: read from the environment alone, kept where no debug print reaches them, and taken out of everything that leaves the process.
//!
//! Servers echo keys, whole, shortened or encoded. What is taken out of a text is: the key, any part of it from its beginning or to its end that has at least eight
//! characters, its URL and base64 forms, and whatever looks like a key of a known provider.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};
use crate::provider::KeyHeader;

/// Parts of a key shorter than this say too little about it; a whole key shorter than this is none (`EMPTY`, `none`).
const LEAST_CHARACTERS: usize = 8;
/// What stands where a secret stood; it breaks no JSON.
const MASK: &[u8] = b"[REDACTED]";
/// How keys of known providers begin, and how many characters they have at least behind that. Words of a text do not look like this.
const KNOWN: [(&[u8], usize); 3] = [(b"sk-", 20), (b"AIza", 30), (b"Bearer ", 20)];

/// The key of one run and all its disguises.
pub struct Secrets {
    key: SecretString,
    /// The key, and its encoded forms where they differ.
    forms: Vec<SecretString>,
    /// Bytes with which something secret can begin to be recognised; all others are passed over at once.
    starts: [bool; 256],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// The key of an environment variable.
    ///
    /// # Errors
    /// [`Error::Account`] if it is not set, or can be no key; the value is never said.
    pub fn from_env(variable: &str, endpoint: &str) -> Result<Self> {
        let fault = |reason: String| Error::Account { endpoint: endpoint.into(), reason };
        let value = std::env::var(variable).map_err(|error| match error {
            std::env::VarError::NotPresent => fault(format!(
                "no key: set the environment variable {variable} (to any word if the server asks for none)"
            )),
            std::env::VarError::NotUnicode(_) => {
                fault(format!("the environment variable {variable} holds bytes that are no key"))
            }
        })?;
        // A key that was read from a file often ends in a line feed.
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return Err(fault(format!("the environment variable {variable} is empty; set it to the key")));
        }
        if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "holds blanks or characters that no key has; copy the key again";
            return Err(fault(format!("the environment variable {variable} {reason}")));
        }
        Ok(Self::new(trimmed))
    }

    /// A key that is known.
    pub fn new(key: &str) -> Self {
        let escaped: String = key
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        let slashes = key.replace('/', "\\/");
        let mut forms = vec![key.to_owned(), escaped.clone(), escaped.to_lowercase(), slashes];
        // Base64 of a text that contains the key holds one of three forms, by where in a group of three bytes the key begins.
        for shift in 0..3 {
            let padded = format!("{}{key}", "x".repeat(shift));
            // Characters that also depend on the bytes before or behind the key say nothing about it alone.
            let first = [0, 2, 3][shift];
            let last = (padded.len() * 8) / 6;
            for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
                forms.push(encoded.get(first..last).unwrap_or_default().to_owned());
            }
        }
        forms.retain(|form| form.len() >= LEAST_CHARACTERS);
        forms.sort_unstable();
        forms.dedup();
        let mut starts = [false; 256];
        let ends = forms.iter().map(|form| form.as_bytes()[form.len() - LEAST_CHARACTERS]);
        let known = KNOWN.iter().map(|(start, _)| start[0]);
        forms
            .iter()
            .map(|form| form.as_bytes()[0])
            .chain(ends)
            .chain(known)
            .for_each(|b| starts[usize::from(b)] = true);
        Self { key: key.into(), forms: forms.into_iter().map(Into::into).collect(), starts }
    }

    /// The header that carries the key; it is marked sensitive.
    ///
    /// # Errors
    /// [`Error::Account`] for characters no header can hold.
    pub fn header(&self, kind: KeyHeader, endpoint: &str) -> Result<(&'static str, HeaderValue)> {
        let (name, text) = match kind {
            KeyHeader::Bearer => ("authorization", format!("Bearer {}", self.key.expose_secret())),
            KeyHeader::Named(name) => (name, self.key.expose_secret().to_owned()),
        };
        let fault = |_| Error::Account { endpoint: endpoint.into(), reason: "the key fits in no header".into() };
        let mut value = HeaderValue::from_str(&text).map_err(fault)?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    /// Whether a text holds the key or a part of it.
    pub fn is_in(&self, text: &str) -> bool {
        matches!(self.redact(text.as_bytes()), Cow::Owned(_))
    }

    /// Refuses a base URL that holds the key: it is recorded and printed.
    ///
    /// # Errors
    /// [`Error::Parameter`]
    pub fn check_url(&self, base_url: &str) -> Result<()> {
        if self.is_in(base_url) {
            let reason = "holds the key; take it out, keys come from the environment".into();
            return Err(Error::Parameter { name: "--base-url", reason });
        }
        Ok(())
    }

    /// A text without secrets.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.redact(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Secrets are ASCII, so what is left of UTF-8 is UTF-8.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Bytes without secrets; borrowed if there were none.
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out: Option<Vec<u8>> = None;
        let (mut from, mut i) = (0, 0);
        while i < bytes.len() {
            let span = if self.starts[usize::from(bytes[i])] { self.secret_at(bytes, from, i) } else { None };
            let Some(span) = span else {
                i += 1;
                continue;
            };
            let out = out.get_or_insert_default();
            out.extend_from_slice(&bytes[from..span.start]);
            out.extend_from_slice(MASK);
            (from, i) = (span.end, span.end);
        }
        match out {
            None => Cow::Borrowed(bytes),
            Some(mut out) => {
                out.extend_from_slice(&bytes[from..]);
                Cow::Owned(out)
            }
        }
    }

    /// The secret that is recognised at `i`; it may have begun before it, but not before `from`.
    fn secret_at(&self, bytes: &[u8], from: usize, i: usize) -> Option<std::ops::Range<usize>> {
        let here = &bytes[i..];
        for form in &self.forms {
            let form = form.expose_secret().as_bytes();
            let same = here.iter().zip(form).take_while(|(a, b)| a == b).count();
            if same >= LEAST_CHARACTERS {
                return Some(i..i + same);
            }
            // The end of a key, behind stars for instance.
            let tail = &form[form.len() - LEAST_CHARACTERS..];
            if here.starts_with(tail) {
                let before = bytes[from..i].iter().rev().zip(form[..form.len() - LEAST_CHARACTERS].iter().rev());
                let more = before.take_while(|(a, b)| a == b).count();
                return Some(i - more..i + LEAST_CHARACTERS);
            }
        }
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        KNOWN.iter().find_map(|(start, least)| {
            let rest = here.strip_prefix(*start)?;
            let n = rest.iter().take_while(|byte| is_key(byte)).count();
            // Keys are random: a long one without a digit is a phrase with hyphens.
            let is_random = rest[..n].iter().any(u8::is_ascii_digit);
            (n >= *least && is_random).then_some(i..i + start.len() + n)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "zq-Test+Key/0123456789abcdefXYZ";

    #[test]
    fn the_key_is_found_whole_in_part_and_in_every_disguise() {
        let secrets = Secrets::new(KEY);
        let mut texts = vec![
            KEY.to_owned(),
            format!("{{\"message\":\"Incorrect API key provided: {KEY}.\"}}"),
            "zq-Test+Key".into(),
            "zq-Test+***cdefXYZ9".replace("cdefXYZ9", "abcdefXYZ"),
            format!("https://host/?key={}", KEY.replace('+', "%2B").replace('/', "%2F")),
            KEY.replace('+', "%2b").replace('/', "%2f"),
            KEY.replace('/', "\\/"),
        ];
        for before in ["", "a", "ab", "abc", "Bearer ", "user:"] {
            texts.push(STANDARD_NO_PAD.encode(format!("{before}{KEY}")));
            texts.push(URL_SAFE_NO_PAD.encode(format!("{before}{KEY} and more")));
        }
        for text in texts {
            let clean = secrets.redact_text(&text);
            assert!(clean.contains("[REDACTED]"), "{text}");
            for part in [&KEY[..8], &KEY[KEY.len() - 8..]] {
                assert!(!clean.contains(part), "{text} -> {clean}");
            }
            assert!(!clean.contains(&STANDARD_NO_PAD.encode(KEY)[4..16]), "{text} -> {clean}");
        }
    }

    #[test]
    fn keys_of_other_accounts_go_and_words_stay() {
        let secrets = Secrets::new("EMPTY");
        for text in [
            "sk-proj-abcdefghij0123456789",
            "AIzaSyA1234567890abcdefghijklmnopqrstuv",
            "Bearer abcdefghijklmnop01234567",
        ] {
            assert!(secrets.is_in(text), "{text}");
        }
        for text in [
            "EMPTY",
            "the sk-learn-like-interface-of-the-library",
            "Bearer of bad news",
            "ask-me-anything",
            "",
            "Paris",
        ] {
            assert!(matches!(secrets.redact(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn nothing_but_the_secret_is_touched_and_json_stays_json() {
        let secrets = Secrets::new(KEY);
        let json = serde_json::json!({"a": format!("é{KEY}\u{1f600}{KEY}"), "b": [1, "x"]}).to_string();
        let clean: serde_json::Value = serde_json::from_slice(&secrets.redact(json.as_bytes())).unwrap();
        assert_eq!(clean, serde_json::json!({"a": "é[REDACTED]\u{1f600}[REDACTED]", "b": [1, "x"]}));
        assert_eq!(secrets.redact(b"\xff\xfe plain").as_ref(), b"\xff\xfe plain");
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }

    #[test]
    fn the_header_does_not_print_its_value() {
        let (name, value) = Secrets::new(KEY).header(KeyHeader::Bearer, "e").unwrap();
        assert_eq!((name, format!("{value:?}")), ("authorization", "Sensitive".into()));
        assert_eq!(value.as_bytes(), format!("Bearer {KEY}").as_bytes());
    }
}
