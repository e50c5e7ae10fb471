//! Keys: read from the environment alone, kept where no debug print reaches them, and taken out of everything that leaves the process.
//!
//! Servers echo keys, whole, shortened or encoded. What is taken out of a text is: the key, any part of it from its beginning or to its end that has at least eight
//! characters, any other part that is half of it or has sixteen, its URL and base64 forms, all of this behind the escapes of JSON too, and whatever looks like a key
//! of a known provider.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};
use crate::provider::KeyHeader;

/// Parts of a key shorter than this say too little about it; a whole key shorter than this cannot be told from other text.
const LEAST_CHARACTERS: usize = 8;
/// A part from within a key that has so many characters is found, however long the key is.
const LEAST_WITHIN: usize = 16;
/// JSON inside of JSON inside of JSON: so often escapes are undone.
const MOST_ESCAPED: usize = 3;
/// What stands where a secret stood; it breaks no JSON.
const MASK: &[u8] = b"[REDACTED]";
/// What a server that asks for no key may be told; no answer and no member of an answer reads like it.
const PLACEHOLDER: &str = "unused-key-000000";
/// How keys of known providers begin, and how many characters they have at least behind that. Words of a text do not look like this.
const KNOWN: [(&[u8], usize); 3] = [(b"sk-", 20), (b"AIza", 30), (b"Bearer ", 20)];

fn is_placeholder(key: &str) -> bool {
    key.len() < LEAST_CHARACTERS || (key.len() < LEAST_WITHIN && key.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// The key of one run and all its disguises.
pub struct Secrets {
    key: SecretString,
    /// The key, and its encoded forms where they differ.
    forms: Vec<SecretString>,
    /// Pairs of bytes with which something secret can begin; all others are passed over at once.
    starts: Vec<bool>,
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
                "no key: set the environment variable {variable} (to {PLACEHOLDER} if the server asks for none)"
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

    /// Whether the key is too short, or too much like a word, to be told from what a model says, as what stands for a key where a server asks for none (`EMPTY`).
    /// Taking it out would take words out of answers, so that it is left in.
    pub fn is_placeholder(&self) -> bool {
        is_placeholder(self.key.expose_secret())
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
        forms.retain(|form| form.len() >= LEAST_CHARACTERS && !is_placeholder(key));
        forms.sort_unstable();
        forms.dedup();
        let mut starts = vec![false; 1 << 16];
        let pairs = forms.iter().flat_map(|form| form.as_bytes().windows(2));
        pairs.chain(KNOWN.iter().map(|(start, _)| &start[..2])).for_each(|pair| starts[number(pair)] = true);
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
        if self.is_in(base_url) || self.is_in(&percent_decoded(base_url)) {
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
        let mut spans = self.spans(bytes, MOST_ESCAPED);
        if spans.is_empty() {
            return Cow::Borrowed(bytes);
        }
        spans.sort_unstable_by_key(|span| span.start);
        let (mut out, mut from) = (Vec::with_capacity(bytes.len()), 0);
        for span in spans {
            // Of two that overlap, the second only makes the first longer.
            if span.start >= from {
                out.extend_from_slice(&bytes[from..span.start]);
                out.extend_from_slice(MASK);
            }
            from = from.max(span.end);
        }
        out.extend_from_slice(&bytes[from..]);
        Cow::Owned(out)
    }

    /// Where secrets are, as they stand and behind so many layers of escapes. No span cuts an escape in two, so that what was JSON stays it.
    fn spans(&self, bytes: &[u8], layers: usize) -> Vec<Range<usize>> {
        let (mut spans, mut i) = (vec![], 0);
        while i + 1 < bytes.len() {
            let span = if self.starts[number(&bytes[i..i + 2])] { self.secret_at(bytes, i) } else { None };
            i = span.as_ref().map_or(i + 1, |span| span.end);
            spans.extend(span);
        }
        if layers == 0 || !bytes.contains(&b'\\') {
            return spans;
        }
        let (plain, places) = unescape(bytes);
        for span in &mut spans {
            let (first, end) =
                (places.partition_point(|p| *p <= span.start), places.partition_point(|p| *p < span.end));
            *span = places[first - 1]..places[end];
        }
        let hidden = self.spans(&plain, layers - 1);
        // Several bytes of one character stand at one place.
        let end = |end: usize| places[places.partition_point(|p| *p <= places[end - 1])];
        spans.extend(hidden.into_iter().map(|span| places[span.start]..end(span.end)));
        spans
    }

    /// Whether a text of the user's own holds the key of this run; keys of others may be what it is about.
    pub fn holds_key(&self, text: &str) -> bool {
        (0..text.len()).any(|i| self.key_at(&text.as_bytes()[i..]).is_some())
    }

    /// The secret that begins at `i`.
    fn secret_at(&self, bytes: &[u8], i: usize) -> Option<Range<usize>> {
        let here = &bytes[i..];
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let known = || {
            KNOWN.iter().find_map(|(start, least)| {
                let rest = here.strip_prefix(*start)?;
                let n = rest.iter().take_while(|byte| is_key(byte)).count();
                // Keys are random: a long one without a digit is a phrase with hyphens.
                let is_random = rest[..n].iter().any(u8::is_ascii_digit);
                (n >= *least && is_random).then_some(start.len() + n)
            })
        };
        self.key_at(here).or_else(known).map(|n| i..i + n)
    }

    /// How many bytes of the key stand at the beginning, if they are enough to say so.
    fn key_at(&self, here: &[u8]) -> Option<usize> {
        if here.len() < 2 || !self.starts[number(&here[..2])] {
            return None;
        }
        let mut longest = 0;
        for form in &self.forms {
            let form = form.expose_secret().as_bytes();
            let least_within = (form.len() / 2).clamp(LEAST_CHARACTERS, LEAST_WITHIN);
            for first in 0..=form.len() - LEAST_CHARACTERS {
                let same = here.iter().zip(&form[first..]).take_while(|(a, b)| a == b).count();
                let at_an_end = first == 0 || first + same == form.len();
                if same >= if at_an_end { LEAST_CHARACTERS } else { least_within } {
                    longest = longest.max(same);
                }
            }
        }
        (longest > 0).then_some(longest)
    }
}

fn percent_decoded(text: &str) -> String {
    let (mut decoded, mut rest) = (vec![], text.as_bytes());
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (decoded.push(byte), rest = &behind[2..]),
            None => (decoded.push(*first), rest = behind),
        };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn number(pair: &[u8]) -> usize {
    usize::from(pair[0]) << 8 | usize::from(pair[1])
}

/// Bytes with the escapes of JSON undone, and for each of them and for the end the place where it stood.
fn unescape(bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut plain, mut places, mut i) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len() + 1), 0);
    while i < bytes.len() {
        let (character, taken) = match bytes.get(i..i + 2) {
            Some([b'\\', b'u']) => {
                let digits = bytes.get(i + 2..i + 6).and_then(|digits| std::str::from_utf8(digits).ok());
                let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                // Half of a pair of surrogates is part of no key, whatever stands for it here.
                unit.map_or((None, 1), |unit| (Some(char::from_u32(unit).unwrap_or('\u{fffd}')), 6))
            }
            Some([b'\\', b'n' | b'r' | b't' | b'b' | b'f']) => (Some(' '), 2),
            Some([b'\\', next]) if next.is_ascii() => (Some(char::from(*next)), 2),
            _ => (None, 1),
        };
        let mut buffer = [0; 4];
        let piece = character.map_or(&bytes[i..=i], |character| character.encode_utf8(&mut buffer).as_bytes());
        plain.extend_from_slice(piece);
        places.resize(plain.len(), i);
        i += taken;
    }
    places.push(bytes.len());
    (plain, places)
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
    fn parts_from_within_and_escapes_of_json_hide_nothing() {
        let secrets = Secrets::new(KEY);
        let escaped: String = KEY.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let half: String = KEY
            .chars()
            .enumerate()
            .map(|(i, c)| if i % 3 == 0 { format!("\\u{:04X}", u32::from(c)) } else { c.into() })
            .collect();
        for hidden in
            [&escaped, &half, &KEY[2..KEY.len() - 2].to_owned(), &KEY[5..21].to_owned(), &KEY.replace('/', "\\/")]
        {
            let body = format!("{{\"a\":\"é\\n{hidden}\\u00e9\",\"b\":1}}");
            let clean: serde_json::Value = serde_json::from_slice(&secrets.redact(body.as_bytes())).unwrap();
            assert_eq!(clean, serde_json::json!({"a": "é\n[REDACTED]é", "b": 1}), "{hidden}");
            // JSON in a string of JSON.
            let nested = serde_json::json!({"message": body, "c": 2}).to_string();
            let clean: serde_json::Value = serde_json::from_slice(&secrets.redact(nested.as_bytes())).unwrap();
            let inner: serde_json::Value = serde_json::from_str(clean["message"].as_str().unwrap()).unwrap();
            assert_eq!(inner["a"], "é\n[REDACTED]é", "{hidden}");
        }
        for text in [&KEY[2..14], "\\u00", "\\", "a\\", "\\ud83d\\ude00", "\\u{1f600}\\é"] {
            assert!(!secrets.is_in(text), "{text}");
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
