//! Checks where a right answer begins and ends inside a text. A match must cover whole words and whole
//! numbers. The following text must neither name an alternative nor take the answer back.

use super::taken_back::is_taken_back;

/// Words that introduce an alternative.
const OR: [&str; 22] = [
    "vs",
    "vs.",
    "versus",
    "alternatively",
    "possibly",
    "or",
    "and/or",
    "oder",
    "ou",
    "o",
    "eller",
    "lub",
    "albo",
    "nebo",
    "vagy",
    "sau",
    "или",
    "або",
    "veya",
    "atau",
    "hoặc",
    "tai",
];
/// Words that introduce a second answer.
const AND: [&str; 9] = ["&", "and", "und", "et", "y", "e", "och", "og", "и"];
/// If one of these words follows a word of [`AND`], the text is still about the first answer.
const SAME: [&str; 22] = [
    "it",
    "its",
    "it's",
    "is",
    "was",
    "are",
    "has",
    "had",
    "the",
    "a",
    "an",
    "this",
    "that",
    "not",
    "so",
    "also",
    "therefore",
    "thus",
    "they",
    "he",
    "she",
    "there",
];
/// Words that deny the answer after them.
const NOT: [&str; 24] = [
    "not", "isn't", "wasn't", "aren't", "never", "nor", "neither", "without", "except", "unlike", "nicht",
    "kein", "keine", "pas", "non", "não", "niet", "inte", "ikke", "nie", "не", "不是", "ない", "cannot",
];
/// Adverbs that may be between a denial and the denied answer.
const ADVERBS: [&str; 8] =
    ["actually", "really", "quite", "necessarily", "exactly", "in", "even", "eigentlich"];
/// Number words that scale the number before them.
const SCALES: [&str; 16] = [
    "hundred",
    "thousand",
    "million",
    "millions",
    "billion",
    "billions",
    "trillion",
    "bn",
    "mn",
    "dozen",
    "lakh",
    "crore",
    "mio",
    "mrd",
    "millionen",
    "milliarden",
];

/// Fractions that, after "and a", belong to the preceding number: "3 and a half".
const PARTS: [&str; 6] = ["half", "third", "quarter", "fifth", "eighth", "tenth"];
/// Words and marks between two numbers in a range, a computation or a comparison.
const OPERATORS: [&str; 22] = [
    "-", "to", "through", "until", "x", "*", "\u{d7}", "/", "\u{f7}", "\u{b7}", "+", "^", "~", "..", "...",
    "bis", "à", "plus", "minus", "times", "<", ">",
];

/// Whether a character is part of a word. Characters of scripts without blanks between words do not count,
/// because their words have no visible boundaries.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() && (c < '\u{e00}' || ('\u{1e00}'..'\u{2000}').contains(&c))
}

/// Whether an answer ends before `rest`: `rest` must not continue the last word or number of the answer, name
/// an alternative ("or Rome"), or deny the answer ("is not it").
pub(crate) fn ends_before(answer: &str, rest: &str) -> bool {
    let Some(last) = answer.chars().next_back() else { return false };
    let mut chars = rest.chars();
    let (next, second) = (chars.next(), chars.next());
    let Some(next) = next else { return true };
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    if is_word(last) {
        let is_joined = match next {
            '-' | '/' | '_' | '\'' | '@' | '&' => second.is_some_and(is_word),
            '+' | '#' => true,
            _ => is_word(next),
        };
        // The word ends before a possessive 's.
        let is_possessive =
            next == '\'' && second == Some('s') && !chars.next().is_some_and(char::is_alphanumeric);
        if is_joined && !is_possessive {
            return false;
        }
    }
    if last.is_ascii_digit() {
        let joins = matches!(
            next,
            '.' | ',' | ':' | '/' | '^' | '~' | '\u{d7}' | '\u{b7}' | '\u{22c5}' | '\u{f7}' | '\u{2044}'
        );
        let is_range = rest.starts_with("..")
            && rest.trim_start_matches('.').trim_start().starts_with(|c: char| c.is_ascii_digit());
        if joins && is_digit(second) || is_range || !next.is_ascii() && next.is_numeric() {
            return false;
        }
        if number_goes_on(answer, rest) {
            return false;
        }
    } else if !last.is_alphanumeric() && matches!(last, '-' | '+' | '.' | '$') && next.is_alphanumeric() {
        return false;
    }
    !has_alternative(rest) && !is_taken_back(rest)
}

/// Whether a number continues after a blank: `1 000`, `3 1/2`, `3 million`, `5 - 6`, `5 to 6`, `3 × 10`.
fn number_goes_on(number: &str, rest: &str) -> bool {
    if !rest.starts_with(' ') {
        return false;
    }
    let mut words = rest.split_whitespace();
    let mut word = || words.next().unwrap_or_default();
    let (first, second, third) = (word(), word(), word());
    let begins_with_digit = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let bare = first.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    let group = bare.split([',', '.']).next().unwrap_or_default();
    let is_group = group.len() == 3 && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'));
    let is_part = |word: &str| PARTS.iter().any(|part| word.starts_with(part));
    let lead = number.len() - number.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (is_group && lead <= 3)
        || (begins_with_digit(first) && first.contains('/'))
        || first.starts_with(|c: char| !c.is_ascii() && c.is_numeric())
        || SCALES.contains(&bare.to_lowercase().as_str())
        || (first == "and" && matches!(second, "a" | "one" | "two" | "three") && is_part(third))
        || (OPERATORS.contains(&first) && begins_with_digit(second))
}

/// Whether a text continues with an alternative: "or Rome", "/ Rome".
fn has_alternative(rest: &str) -> bool {
    if let Some(reply) = rest.trim_start().strip_prefix('?') {
        let word = reply.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        if word.is_some_and(|word| ["no", "nope", "nein", "non"].contains(&word.to_lowercase().as_str())) {
            return true;
        }
    }
    // The alternative may be a separate sentence: "Paris? Or Rome?"
    let rest = rest.trim_start_matches(['.', '?', '!', ',', '(', ';', ' ']);
    let rest = rest.strip_prefix("- ").unwrap_or(rest).trim_start();
    if let Some(other) = rest.strip_prefix('/').or_else(|| rest.strip_prefix('|')) {
        return other.trim_start().starts_with(char::is_alphanumeric);
    }
    let mut words = rest.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let Some(first) = words.next().map(str::to_lowercase) else { return false };
    let Some(second) = words.next() else { return false };
    let second = second.to_lowercase();
    let is_other = second.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '\'' | '$' | '-'));
    OR.contains(&first.as_str()) && is_other && second != "not" && second != "so"
}

/// Whether a text continues with a second answer: "and no", but not "and its river".
pub(crate) fn has_second(rest: &str) -> bool {
    let rest = rest.trim_start_matches("...");
    let mut words = rest.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let Some(first) = words.next().map(str::to_lowercase) else { return false };
    let second = words.next().unwrap_or_default().to_lowercase();
    let is_other = second.starts_with(char::is_alphanumeric);
    AND.contains(&first.as_str()) && is_other && !SAME.contains(&second.trim_end_matches(['.', ',', ';']))
}

/// Words that may be between a denial and the denied answer: "I don't think it is Paris", "not in Paris".
const CARRYING: [&str; 32] = [
    "think", "believe", "say", "suppose", "expect", "guess", "it", "it's", "is", "be", "was", "that",
    "would", "called", "named", "in", "a", "an", "the", "to", "likely", "glaube", "dass", "es", "ist", "è",
    "é", "era", "c'est", "que", "esta", "está",
];

/// Whether `before` ends with a denial, or with a denial followed only by words of [`CARRYING`].
fn is_denied_before(before: &str) -> bool {
    let mut has_verb = false;
    for word in before.split_whitespace().rev().take(8) {
        if word.ends_with(['.', ',', ';', ':', '!', '?', ')']) {
            return false;
        }
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase();
        // "no" denies only before a verb ("no es Paris"); otherwise it is an answer.
        if NOT.contains(&word.as_str())
            || word.ends_with("n't")
            || word == "no" && has_verb
            || word == "n'est"
        {
            return true;
        }
        if !CARRYING.contains(&word.as_str()) {
            return false;
        }
        has_verb = matches!(word.as_str(), "es" | "é" | "è" | "era" | "está");
    }
    false
}

/// Whether an answer may begin after `before`. A word or number must begin there, and the answer must be
/// neither denied nor the second of two alternatives.
pub(crate) fn begins_after(before: &str, answer: &str) -> bool {
    let Some(first) = answer.chars().next() else { return false };
    let mut back = before.chars().rev();
    let (last, but_last) = (back.next(), back.next());
    if is_word(first) && last.is_some_and(is_word) {
        return false;
    }
    if let Some(mark) = last.filter(|_| first.is_alphanumeric()) {
        let is_inside = matches!(mark, '.' | ',' | ':' | '/' | '\'' | '_' | '^' | '@' | '#' | '\\')
            && but_last.is_some_and(char::is_alphanumeric);
        let is_sign = first.is_ascii_digit() && matches!(mark, '-' | '+' | '~');
        let is_hyphen = mark == '-' && but_last.is_some_and(char::is_alphanumeric);
        if is_inside || is_sign || is_hyphen {
            return false;
        }
    }
    let mut words = before.split(|c: char| c.is_whitespace() || matches!(c, '(' | '"' | ',')).rev();
    let mut word = || words.by_ref().find(|word| !word.is_empty()).unwrap_or_default().to_lowercase();
    let (mut nearest, mut next) = (word(), word());
    // Adverbs before the answer are skipped, so that "not" is found in "It's not actually Paris".
    while ADVERBS.contains(&nearest.as_str()) {
        (nearest, next) = (next, word());
    }
    let is_bound = matches!(nearest.as_str(), ">" | "<" | "\u{2264}" | "\u{2265}")
        || matches!(nearest.as_str(), "-" | "~") && next.is_empty();
    if first.is_ascii_digit() && is_bound || nearest == "either" {
        return false;
    }
    if NOT.contains(&nearest.as_str()) || nearest.ends_with("n't") || nearest.ends_with("不是") {
        return false;
    }
    // "rather than Paris", "instead of Paris"
    if matches!(
        (next.as_str(), nearest.as_str()),
        ("rather" | "other", "than")
            | ("instead", "of")
            | ("anything" | "anywhere" | "everything" | "all", "but")
            | ("ruled", "out")
    ) {
        return false;
    }
    if is_denied_before(before) {
        return false;
    }
    let is_second = matches!(nearest.as_str(), "or" | "oder" | "ou" | "или" | "/") && !next.is_empty();
    !is_second
}
