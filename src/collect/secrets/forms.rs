//! Builds the forms of a key that are redacted, and finds fragments of them in a text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::provider;
use crate::seed;

/// Minimum length of a fragment that identifies a key. A whole key that is shorter cannot be distinguished
/// from other text.
pub(super) const LEAST_CHARACTERS: usize = 8;
/// Length of an inner fragment that identifies a key of any length.
pub(super) const LEAST_WITHIN: usize = 16;
/// Minimum number of characters after a provider's prefix that identify a key.
const LEAST_AFTER_PREFIX: usize = 4;

/// A key in one form.
struct KeyForm {
    text: SecretString,
    /// Minimum length of a fragment at the beginning of the form, at its end, and within it.
    least_first: usize,
    least_last: usize,
    least_within: usize,
}

/// All forms of a key, indexed by two successive characters.
pub(super) struct Forms {
    forms: Vec<KeyForm>,
    /// Index into `places` by pair of bytes; 0 if no form contains the pair.
    starts: Vec<u16>,
    /// For each pair of bytes that occurs, the forms and the positions in them. The first list is empty.
    places: Vec<Vec<(u16, u16)>>,
}

/// A key without punctuation, and without the prefix that all keys of its provider share.
pub(super) fn without_punctuation(key: &str) -> String {
    key[prefix_length(key)..].chars().filter(|c| !c.is_ascii_punctuation()).collect()
}

/// The length of the longest known prefix of a key.
fn prefix_length(key: &str) -> usize {
    let prefixes = provider::key_patterns().map(|pattern| pattern.prefix);
    prefixes.filter(|prefix| key.starts_with(prefix)).map(str::len).max().unwrap_or(0)
}

impl Forms {
    pub(super) fn new(key: &str) -> Self {
        let known = prefix_length(key);
        let first = LEAST_CHARACTERS.max(known + LEAST_AFTER_PREFIX);
        let hex = seed::hex(key.as_bytes());
        // A character of a key has two hexadecimal digits.
        let mut texts = vec![
            (key.to_owned(), first, LEAST_CHARACTERS),
            (hex.to_uppercase(), 2 * first, 2 * LEAST_CHARACTERS),
            (hex, 2 * first, 2 * LEAST_CHARACTERS),
        ];
        // The base64 encoding of a text with the key contains one of three forms. The form depends on where
        // in a group of three bytes the key begins.
        for shift in 0..3 {
            let padded = format!("{}{key}", "x".repeat(shift));
            // Characters that also depend on the bytes before or after the key are omitted.
            let from = [0, 2, 3][shift];
            let to = (padded.len() * 8) / 6;
            for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
                let text = encoded.get(from..to).unwrap_or_default().to_owned();
                texts.push((
                    text,
                    LEAST_CHARACTERS.max((known + LEAST_AFTER_PREFIX) * 4 / 3),
                    LEAST_CHARACTERS,
                ));
            }
        }
        texts.retain(|(text, ..)| text.len() >= LEAST_CHARACTERS);
        texts.sort_unstable();
        texts.dedup_by(|a, b| a.0 == b.0);
        let (mut starts, mut places) = (vec![0; 1 << 16], vec![vec![]]);
        for (number, (text, least_first, _)) in texts.iter().enumerate() {
            for first in 0..=text.len() - LEAST_CHARACTERS.min(*least_first) {
                let Some(pair) = text.as_bytes().get(first..first + 2).and_then(pair) else { continue };
                let start = &mut starts[pair];
                if *start == 0 {
                    *start = places.len() as u16;
                    places.push(vec![]);
                }
                places[usize::from(*start)].push((number as u16, first as u16));
            }
        }
        let form = |(text, least_first, least_last): (String, usize, usize)| KeyForm {
            least_within: (text.len() / 2).clamp(LEAST_CHARACTERS, LEAST_WITHIN).max(least_last),
            least_first: least_first.min(text.len()),
            least_last: least_last.min(text.len()),
            text: text.into(),
        };
        Self { forms: texts.into_iter().map(form).collect(), starts, places }
    }

    /// An empty set of forms, which finds nothing.
    pub(super) fn none() -> Self {
        Self { forms: vec![], starts: vec![0; 1 << 16], places: vec![vec![]] }
    }

    /// The length of the key fragment at the beginning of `here`, if it is long enough to identify the key.
    pub(super) fn key_at(&self, here: &[u8]) -> Option<usize> {
        let places = &self.places[usize::from(self.starts[pair(here.get(..2)?)?])];
        let lengths = places.iter().filter_map(|(form, first)| {
            self.forms[usize::from(*form)].fragment_at(here, usize::from(*first))
        });
        lengths.max()
    }
}

impl KeyForm {
    /// The length of a fragment that begins at character `first` of the form, if it is long enough.
    fn fragment_at(&self, here: &[u8], first: usize) -> Option<usize> {
        let text = &self.text.expose_secret().as_bytes()[first..];
        let same = here.iter().zip(text).take_while(|(byte, wanted)| byte == wanted).count();
        let least = match (first == 0, same == text.len()) {
            (true, true) => 0,
            (true, false) => self.least_first,
            (false, true) => self.least_last,
            (false, false) => self.least_within,
        };
        (same >= least).then_some(same)
    }
}

fn pair(bytes: &[u8]) -> Option<usize> {
    Some(usize::from(*bytes.first()?) << 8 | usize::from(*bytes.get(1)?))
}
