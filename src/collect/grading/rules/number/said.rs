//! Finds the number that a sentence states as the answer. The number may be directly after a word for
//! "answer" ("The answer is 42"), after the verb if the question is repeated ("The answer to 12 + 30 is 42"),
//! or before the word ("42 is the answer").

use std::sync::LazyLock;

use regex::Regex;

use super::scan::{self, Found};
use super::value::Value;
use crate::collect::grading::rules::links::LINKS;
use crate::collect::grading::rules::stated;

const IS_THE_ANSWER: &str =
    r"(?i)\bis\s+(?:the|our|my|your)\s+(?:\w{1,12}\s){0,2}(?:answer|solution|result)\b";
static BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(IS_THE_ANSWER).ok());

/// Words that introduce the question after a word for "answer".
const PREPOSITIONS: [&str; 16] = [
    "to", "for", "of", "in", "on", "auf", "zu", "für", "à", "de", "a", "para", "alla", "на", "rounded",
    "given",
];
/// Verbs before the answer, and marks that replace a verb. Earlier rows take precedence.
const VERBS: [[&str; 6]; 3] = [
    [" is ", " are ", " was ", " equals ", " makes ", " gives "],
    [" ist ", " lautet ", " est ", " es ", " è ", " é "],
    [" är ", " jest ", " là ", " adalah ", " = ", ": "],
];

/// The number that the last sentence about an answer states. `None` if no sentence states a number, or the
/// number is not a result.
pub(super) fn stated_number(text: &str) -> Option<Value> {
    let before = BEFORE.as_ref().and_then(|regex| {
        let found = regex.find_iter(text).last()?;
        Some((found.end(), before(&text[..found.start()])?))
    });
    let behind = stated::leads(text).into_iter().rev().find_map(|(at, said)| Some((at, behind(said)?)));
    match (before, behind) {
        (Some((a, before)), Some((b, behind))) => Some(if b > a { behind } else { before }),
        (before, behind) => before.or(behind).map(|(_, value)| value),
    }
}

/// The number at the end of a text, followed by at most one word for its unit.
fn before(text: &str) -> Option<Value> {
    let line = text.lines().next_back().unwrap_or_default();
    let last = scan::numbers(line).pop()?;
    let unit = line.get(last.end..)?.trim();
    (unit.split_whitespace().count() <= 1 && !unit.ends_with(['.', '!', '?', ';'])).then_some(last.value)?
}

/// The number that follows a word for "answer".
fn behind(said: &str) -> Option<Value> {
    let sentence = first_sentence(said);
    if let Some(value) = at_once(sentence) {
        return value;
    }
    let first = sentence.trim_start_matches([' ', '(']);
    let word = first.split_whitespace().next().unwrap_or_default().to_lowercase();
    if !first.starts_with(',') && !PREPOSITIONS.contains(&word.as_str()) {
        return None;
    }
    // The question may be between the word for "answer" and the verb: "the answer to 6 times 7 is 42".
    let ends = |verbs: &[&str; 6]| {
        verbs.iter().filter_map(|verb| sentence.find(verb).map(|at| at + verb.len() - 1)).min()
    };
    let verb = VERBS.iter().find_map(ends)?;
    at_once(&sentence[verb..])?
}

/// The number at the beginning of a sentence, which may begin with link words: 42 in "is equal to 42".
/// `Some(None)` if the sentence begins with a number but states no result.
fn at_once(sentence: &str) -> Option<Option<Value>> {
    let found = scan::numbers(sentence);
    let first = found.first()?;
    let lead = sentence.get(..first.start)?;
    let mut words = lead.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_link = |word: &str| {
        // Single letters ("x =", "(C)"), and words of scripts without blanks, count as link words.
        word.chars().count() == 1
            || word.chars().all(|c| c > '\u{e00}') && word.chars().count() <= 6
            || LINKS.contains(&word.to_lowercase().as_str())
    };
    if !words.clone().all(is_link) {
        return None;
    }
    // In "The 3 boxes hold 42 apples", the first number is not the answer.
    if words.next_back().is_some_and(|last| last.eq_ignore_ascii_case("the")) {
        return None;
    }
    let rest = sentence.get(first.start..)?;
    // The clause ends where an explanation of the number begins.
    let ends = [" (", " because ", " since ", " as ", ", "];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let clause = &rest[..end];
    Some(if clause.contains('=') {
        result(clause, &found, first)
    } else if is_computed(rest, first) {
        None
    } else {
        scan::first(sentence)
    })
}

/// The number at the beginning of the last line, if the line is an equation that computes it: "42 = 6 × 7".
pub(super) fn equated(text: &str) -> Option<Value> {
    let line = text.trim().lines().next_back()?;
    let (left, right) = line.split_once('=')?;
    let is_computed =
        right.contains(['+', '*', '/', '\u{d7}', '\u{b7}', '\u{f7}', '^']) && !right.contains('=');
    if left.contains(char::is_alphabetic) || !is_computed { None } else { scan::only(left.trim()) }
}

/// The result of an equation: the left side if it is a single number ("5 = 2 + 3"), otherwise the last
/// number.
fn result(clause: &str, found: &[Found], first: &Found) -> Option<Value> {
    let before = clause.split('=').next().unwrap_or_default();
    let is_first = !before.contains(['+', '*', '/', '\u{d7}', '\u{b7}', '\u{f7}', '^'])
        && found.iter().filter(|number| number.start < first.start + before.len()).count() == 1;
    if is_first && !before.contains(" - ") { first.value.clone() } else { scan::last(clause) }
}

/// Whether an operator and another number follow the first number: "5 apples + 3 apples".
fn is_computed(rest: &str, first: &Found) -> bool {
    let behind = rest.get(first.end - first.start..).unwrap_or_default().trim_start();
    let unit = behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len());
    [behind, behind[unit..].trim_start()].into_iter().any(|behind| {
        let words = ["plus ", "minus ", "times ", "divided by ", "multiplied by "];
        let operand = behind
            .strip_prefix(['+', '*', '\u{d7}', '\u{b7}', '\u{f7}'])
            .or_else(|| words.iter().find_map(|word| behind.strip_prefix(word)));
        operand.is_some_and(|operand| operand.trim_start().starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The first sentence of the first line. A mark inside a number does not end a sentence.
fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let end = [". ", "! ", "? ", "; ", "\u{3002}"].iter().filter_map(|end| line.find(end)).min();
    &line[..end.unwrap_or(line.len())]
}
