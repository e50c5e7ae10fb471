//! Finds letters after a verb or noun for a choice: "I choose B", "option b".

use std::sync::LazyLock;

use regex::Regex;

use super::letters::Read;
use super::rivals;

/// Verbs whose object is the chosen letter.
const CHOSEN: &str = concat!(
    r"\b(?i:choose|pick|select|chose|go with|going with|went with|opt for|settle on|settle for|vote for|",
    r"wähle|nehme|choisis|elijo|escolho|scelgo|выбираю|seçiyorum)\s+",
    r"(?i:(?:option|choice|letter|answer|the|la|die)\s+)?[(\x22']?([A-Z])\b",
);
static CHOSEN_LETTERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CHOSEN).ok());
/// A lower-case letter after a noun for a choice, at the end of a clause.
const SMALL: &str = concat!(
    r"(?i)\b(?:option|choice|letter|alternative|opción|opção|opzione|lettre|letra|lettera|buchstabe|вариант)",
    r"\s+[(\x22']?([a-z])[)\x22']?\s*(?:[.,;!?\n]|$)",
);
static SMALL_LETTERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SMALL).ok());

/// The only letter after a verb of choice, even if the text contains other letters: "Between A and B, I
/// choose B."
pub(super) fn chosen(text: &str, n: usize) -> Read {
    only(&CHOSEN_LETTERS, text, n)
}

/// The only lower-case letter after a noun for a choice.
pub(super) fn small(text: &str, n: usize) -> Read {
    only(&SMALL_LETTERS, text, n)
}

fn only(pattern: &LazyLock<Option<Regex>>, text: &str, n: usize) -> Read {
    let Some(pattern) = pattern.as_ref() else { return Read::None };
    let found = pattern.captures_iter(text).filter_map(|found| {
        let (all, letter) = (found.get(0)?, found.get(1)?);
        let behind = &text[letter.end()..];
        let is_joined =
            behind.starts_with(['\'', '+', '#', '/', '&']) || behind.trim_start().starts_with("or ");
        let is_denied = rivals::is_denied_before(&text[..all.start()]) || rivals::is_denied_behind(behind);
        let index = usize::from(letter.as_str().as_bytes().first()?.to_ascii_uppercase().checked_sub(b'A')?);
        (index < n && !is_denied).then_some(if is_joined { Read::Several } else { Read::Letter(index) })
    });
    found.fold(Read::None, Read::and)
}
