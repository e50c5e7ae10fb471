//! Redacts API keys in texts that are copied from files of other tools, and reports where the keys were.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::collect::secrets::Secrets;

/// Patterns of keys for services that surmise does not use: code and model hosts, and cloud services.
static OTHER_KEYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let hosts = r"hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}";
    let clouds = r"AKIA[A-Z0-9]{16}|xox[abprs]-[\w-]{10,}|r8_[A-Za-z0-9]{30,}";
    Regex::new(&format!(r"\b(?:{hosts}|{clouds})")).ok()
});

const MASK: &str = "[REDACTED]";
/// Maximum number of places that a message lists.
const MOST_NAMED: usize = 5;
/// Maximum number of characters of a place name in a message.
const LONGEST_PLACE: usize = 60;

/// Whether a value may contain a key, because it matches the pattern of a key or is a URL with a user, a
/// password or a query.
pub(super) fn is_suspect(text: &str) -> bool {
    text.contains("://") && text.contains(['@', '?']) || KeyRedaction::new().is_in(text)
}

/// Copies texts without keys, and records where keys were found.
#[derive(Debug)]
pub(super) struct KeyRedaction {
    secrets: Secrets,
    places: BTreeSet<String>,
}

impl KeyRedaction {
    pub(super) fn new() -> Self {
        Self { secrets: Secrets::new(""), places: BTreeSet::new() }
    }

    fn is_in(&self, text: &str) -> bool {
        self.secrets.is_in(text) || OTHER_KEYS.as_ref().is_some_and(|keys| keys.is_match(text))
    }

    /// Copies a text and replaces the keys in it. `place` names the text in the report.
    pub(super) fn copy(&mut self, place: impl Fn() -> String, text: &str) -> String {
        let known = self.secrets.redact_text(text);
        let all = match OTHER_KEYS.as_ref() {
            Some(keys) => keys.replace_all(&known, MASK),
            None => Cow::Borrowed(known.as_ref()),
        };
        if all != text {
            // The name of a place may come from the file, so the name may contain a key, too.
            let place: String = place().chars().filter(|c| !c.is_control()).take(LONGEST_PLACE).collect();
            let is_safe = !self.is_in(&place);
            self.places.insert(if is_safe { place } else { "a member whose name contains a key".into() });
        }
        all.into_owned()
    }

    /// A message that lists the places where keys were found; `None` if there are none.
    pub(super) fn note(&self) -> Option<String> {
        let named: Vec<&str> = self.places.iter().map(String::as_str).take(MOST_NAMED).collect();
        let more = self.places.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!named.is_empty()).then(|| {
            format!(
                "contains text that looks like a key; it is replaced by {MASK} in {}{more}",
                named.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_replaced_and_their_places_named() {
        let mut keys = KeyRedaction::new();
        for key in ["sk-proj-0123456789abcdefghijKLMN", "hf_abcdefghijklmnopqrstuvwx", "AKIA0123456789ABCDEF"]
        {
            let copied = keys.copy(|| format!("answer {}", key.len()), &format!("it is {key}, yes"));
            assert_eq!(copied, "it is [REDACTED], yes");
            assert!(is_suspect(key));
        }
        assert_eq!(keys.copy(|| "other".into(), "skip hf_model"), "skip hf_model");
        let note = keys.note().expect("a note");
        assert!(note.contains("answer 32") && !note.contains("other"), "{note}");
        assert!(is_suspect("https://h/m?key=x") && !is_suspect("https://h/m"));
    }
}
