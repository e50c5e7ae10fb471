//! Detects words that cancel the choice of a letter: a denial before or after the letter, or another letter
//! after it.

use super::words::{BEING, CALLED_RIGHT, DENYING, FILLERS, WRONG, word};

/// Whether the text after a letter denies it: " is wrong", ") is not the answer".
pub(super) fn is_denied_behind(rest: &str) -> bool {
    let rest = rest.trim_start_matches([')', ']', '}', '*', '"', '\'']);
    // "A? No, B."
    if let Some(reply) = rest.strip_prefix('?') {
        return matches!(word(reply).as_str(), "no" | "nope" | "not" | "nein" | "non");
    }
    let clause = rest.split(['.', ';', ',', '\n', ':', '!', '?']).next().unwrap_or_default();
    if !clause.starts_with(' ') {
        return false;
    }
    let mut words = clause.split_whitespace().map(word);
    let verb = words.next().unwrap_or_default();
    let denies = |word: &String| WRONG.contains(&word.as_str()) || DENYING.contains(&word.as_str());
    match verb.as_str() {
        verb if verb.ends_with("n't") || verb == "cannot" => true,
        verb if BEING.contains(&verb) => words.take(3).any(|word| denies(&word)),
        _ => false,
    }
}

/// Words that may be between a denial and the denied letter.
const CARRYING: [&str; 19] = [
    "be",
    "is",
    "the",
    "really",
    "actually",
    "necessarily",
    "simply",
    "option",
    "answer",
    "choose",
    "pick",
    "select",
    "say",
    "think",
    "it",
    "it's",
    "go",
    "with",
    "that",
];

/// Whether the words before a letter deny it, directly or before words of [`CARRYING`]: "It cannot be", "It
/// isn't option".
pub(super) fn is_denied_before(before: &str) -> bool {
    let mut words = before.split_whitespace().rev().map(|word| {
        // A punctuation mark ends the scope of a denial.
        let is_end = word.ends_with(['.', ',', ';', ':', '!', '?']);
        (word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase(), is_end)
    });
    let nearest = words.by_ref().find(|(word, is_end)| *is_end || !CARRYING.contains(&word.as_str()));
    nearest
        .is_some_and(|(word, is_end)| !is_end && (DENYING.contains(&word.as_str()) || word.ends_with("n't")))
}

/// The capital letters after a letter, if only punctuation marks and words such as "no" and "or maybe"
/// separate them.
pub(super) fn rivals(rest: &str) -> Vec<char> {
    let line = rest.lines().next().unwrap_or_default();
    let (mut found, mut at, mut is_behind_letter) = (vec![], 0, false);
    while let Some(start) = line[at..].find(char::is_alphanumeric).map(|start| at + start) {
        let is_inside = |c: char| !c.is_alphanumeric() && c != '\'';
        let end = line[start..].find(is_inside).map_or(line.len(), |end| start + end);
        let (name, behind) = (&line[start..end], &line[end..]);
        let is_free = behind.trim().is_empty() || behind.starts_with(['.', ',', ';', '!', '?', ')', ']']);
        let lower = name.to_lowercase();
        match name.as_bytes() {
            [letter @ b'A'..=b'Z'] if is_free || is_list(behind) => found.push(char::from(*letter)),
            [letter @ b'A'..=b'Z'] if BEING.contains(&word(behind).as_str()) => {
                let mut called = behind.split_whitespace().take(5).map(word);
                if !called.any(|word| CALLED_RIGHT.contains(&word.as_str())) || is_denied_behind(behind) {
                    return vec![];
                }
                found.push(char::from(*letter));
            }
            // In "B. A, C and D are wrong", the letters after B are the subject of a sentence, so they are no
            // rivals of B.
            _ if is_behind_letter && BEING.contains(&lower.as_str()) => return vec![],
            _ if FILLERS.contains(&lower.as_str()) => {}
            _ => return found,
        }
        is_behind_letter = name.len() == 1;
        at = end;
    }
    found
}

/// Whether a text begins with a word for "and" or "or".
fn is_list(behind: &str) -> bool {
    matches!(word(behind).as_str(), "and" | "or" | "und" | "oder")
}
