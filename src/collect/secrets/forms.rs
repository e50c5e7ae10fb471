//! The disguises of a key, and where one of them begins.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::seed;

/// Parts of a key shorter than this say too little about it; a whole key shorter than this cannot be told
/// from other text.
pub(super) const LEAST_CHARACTERS: usize = 8;
/// A part from within a key that has so many characters is found, however long the key is; and so is one in
/// other letters of the same case, or with blanks in it.
pub(super) const LEAST_WITHIN: usize = 16;
/// What anybody knows of a key, because all keys of a provider begin with it; a part must say more.
const KNOWN_STARTS: [&str; 12] = [
    "sk-ant-api03-",
    "sk-ant-",
    "sk-or-v1-",
    "sk-proj-",
    "sk-svcacct-",
    "sk-admin-",
    "sk-",
    "gsk_",
    "xai-",
    "nvapi-",
    "pplx-",
    "AIza",
];
/// Characters behind such a beginning that make it a part of one key.
const LEAST_BEHIND: usize = 4;
/// So many blanks in a row may break a key.
const MOST_BLANKS: usize = 32;

/// A key in one disguise.
struct Form {
    text: SecretString,
    /// Characters a part from its beginning must have, and a part that goes to its end.
    least_first: usize,
    least_last: usize,
    /// Characters a part from within must have.
    least_within: usize,
}

/// All disguises of a key, found by the two characters they may begin with.
pub(super) struct Forms {
    forms: Vec<Form>,
    /// By a pair of characters, disguise and place in it; 0 for none.
    starts: Vec<u16>,
    /// What the numbers above stand for, the first for nothing.
    places: Vec<Vec<(u16, u16)>>,
}

/// A key without what all keys of its provider begin with.
pub(super) fn own(key: &str) -> &str {
    KNOWN_STARTS.iter().find_map(|start| key.strip_prefix(start)).unwrap_or(key)
}

impl Forms {
    pub(super) fn new(key: &str) -> Self {
        let known = KNOWN_STARTS.iter().find(|start| key.starts_with(*start)).map_or(0, |start| start.len());
        let reversed: String = key.chars().rev().collect();
        let first = LEAST_CHARACTERS.max(known + LEAST_BEHIND);
        // Two digits of a hexadecimal number are one character.
        let mut texts = vec![
            (key.to_owned(), first, LEAST_CHARACTERS),
            (reversed, LEAST_CHARACTERS, first),
            (seed::hex(key.as_bytes()), 2 * first, 2 * LEAST_CHARACTERS),
        ];
        // Base64 of a text that contains the key holds one of three forms, by where in a group of three bytes
        // the key begins.
        for shift in 0..3 {
            let padded = format!("{}{key}", "x".repeat(shift));
            // Characters that also depend on the bytes before or behind the key say nothing about it alone.
            let from = [0, 2, 3][shift];
            let to = (padded.len() * 8) / 6;
            for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
                let text = encoded.get(from..to).unwrap_or_default().to_owned();
                texts.push((text, LEAST_CHARACTERS.max((known + LEAST_BEHIND) * 4 / 3), LEAST_CHARACTERS));
            }
        }
        texts.retain(|(text, ..)| text.len() >= LEAST_CHARACTERS);
        texts.sort_unstable();
        texts.dedup_by(|a, b| a.0 == b.0);
        let (mut starts, mut places) = (vec![0; 1 << 16], vec![vec![]]);
        for (number, (text, least_first, _)) in texts.iter().enumerate() {
            for first in 0..=text.len() - LEAST_CHARACTERS.min(*least_first) {
                let start = &mut starts[pair(text.as_bytes()[first], text.as_bytes()[first + 1])];
                if *start == 0 {
                    *start = places.len() as u16;
                    places.push(vec![]);
                }
                places[usize::from(*start)].push((number as u16, first as u16));
            }
        }
        let form = |(text, least_first, least_last): (String, usize, usize)| Form {
            least_within: (text.len() / 2).clamp(LEAST_CHARACTERS, LEAST_WITHIN).max(least_last),
            least_first: least_first.min(text.len()),
            least_last: least_last.min(text.len()),
            text: text.into(),
        };
        Self { forms: texts.into_iter().map(form).collect(), starts, places }
    }

    /// The disguises of nothing.
    pub(super) fn none() -> Self {
        Self { forms: vec![], starts: vec![0; 1 << 16], places: vec![vec![]] }
    }

    /// How many bytes of the key stand at the beginning, if they are enough to say so.
    pub(super) fn key_at(&self, here: &[u8]) -> Option<usize> {
        let (first, rest) = here.split_first()?;
        let next = rest.iter().take(MOST_BLANKS).find(|byte| !byte.is_ascii_whitespace())?;
        let places = &self.places[usize::from(self.starts[pair(*first, *next)])];
        places
            .iter()
            .filter_map(|(form, first)| self.forms[usize::from(*form)].part_at(here, (*first).into()))
            .max()
    }
}

impl Form {
    /// How many bytes stand for a part of it that begins at `first`, if it is long enough.
    fn part_at(&self, here: &[u8], first: usize) -> Option<usize> {
        let text = self.text.expose_secret().as_bytes();
        let (mut at, mut same, mut blanks) = (0, 0, 0);
        // As it stands, and with other cases and blanks in it: characters, and bytes.
        let (mut exact, mut loose) = (None, (0, 0));
        while let (Some(byte), Some(wanted)) = (here.get(at), text.get(first + same)) {
            at += 1;
            if byte.eq_ignore_ascii_case(wanted) {
                if byte != wanted || blanks > 0 {
                    exact.get_or_insert((same, loose.1));
                }
                same += 1;
                blanks = 0;
                loose = (same, at);
            } else if byte.is_ascii_whitespace() && same > 0 && blanks < MOST_BLANKS {
                blanks += 1;
            } else {
                break;
            }
        }
        let exact = exact.unwrap_or(loose);
        let is_long = |same: usize, least: usize| match (first == 0, first + same == text.len()) {
            (true, true) => true,
            (true, false) => same >= self.least_first.max(least),
            (false, true) => same >= self.least_last.max(least),
            (false, false) => same >= self.least_within.max(least),
        };
        if is_long(loose.0, LEAST_WITHIN) { Some(loose.1) } else { is_long(exact.0, 0).then_some(exact.1) }
    }
}

/// Upper and lower case are one.
fn pair(first: u8, second: u8) -> usize {
    usize::from(first.to_ascii_lowercase()) << 8 | usize::from(second.to_ascii_lowercase())
}
