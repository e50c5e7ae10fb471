//! Finds the letters of choices in a text.

use std::sync::LazyLock;

use regex::Regex;

use super::rivals;
use super::words::{ARTICLES, BEHIND_A_LETTER, BEING, CALLED_RIGHT, DENYING, NOUNS, REASONS, STATING, word};

const BOLD: &str = r"\*\*\s*\(?([A-Z])[.):]?(?:\s[^*\n]{0,200})?\s*\*\*";
static EMPHASISED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BOLD).ok());

/// The letters that a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect::grading::rules) enum Read {
    /// One letter, as its index from 0.
    Letter(usize),
    /// Several different letters.
    Several,
    /// No letter.
    None,
}

impl Read {
    /// Returns this result, or `other` if this result is [`Self::None`].
    pub(super) fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::None { other() } else { self }
    }

    /// Combines two results; different letters become [`Self::Several`].
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, read) | (read, Self::None) => read,
            (Self::Letter(a), Self::Letter(b)) if a == b => self,
            _ => Self::Several,
        }
    }
}

/// Whether a character is part of a word. Characters of scripts without blanks between words do not count,
/// because their words have no visible boundaries.
fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        c == '_' || c.is_alphanumeric() && (c < '\u{e00}' || ('\u{1e00}'..'\u{2000}').contains(&c))
    })
}

fn index(c: char, n: usize) -> Option<usize> {
    let upper = c.to_ascii_uppercase();
    upper.is_ascii_uppercase().then(|| upper as usize - 'A' as usize).filter(|index| *index < n)
}

/// Whether a capital letter before `rest` is the article A or the pronoun I.
fn is_english_word(letter: char, rest: &str) -> bool {
    matches!(letter, 'A' | 'I')
        && rest.starts_with(' ')
        && rest.trim_start().starts_with(char::is_alphabetic)
        && (letter == 'I' || !BEHIND_A_LETTER.contains(&word(rest).as_str()))
}

/// Whether a capital letter before `rest` is the pronoun I, followed by an aside.
fn is_pronoun(letter: char, rest: &str) -> bool {
    let asides = [", for one", ", for my part", ", personally", ", myself", ", too,", ", however", ", as "];
    letter == 'I' && asides.iter().any(|aside| rest.starts_with(aside))
}

/// The letter at the beginning of a text: alone on its line, in brackets, before a punctuation mark or before
/// its reason. With `or_small`, a lower-case letter also counts if it is alone or before a mark.
pub(in crate::collect::grading::rules) fn leading(text: &str, n: usize, or_small: bool) -> Read {
    let text = without_noun(text.trim_start());
    let (text, is_bracketed) = match text.strip_prefix(['(', '[', '{', '\u{3010}']) {
        Some(rest) => (rest.trim_start(), true),
        None => (text, false),
    };
    let Some(letter) = text.chars().next() else { return Read::None };
    let Some(index) = index(letter, n).filter(|_| or_small || letter.is_ascii_uppercase()) else {
        return Read::None;
    };
    let rest = &text[1..];
    let next = rest.chars().next();
    let is_small = letter.is_ascii_lowercase();
    let closed = rest.trim_start().strip_prefix([')', ']', '}', '\u{3011}', '.', ':']);
    let line = rest.split('\n').next().unwrap_or_default();
    let is_alone = line.trim_matches(|c: char| !c.is_alphanumeric()).is_empty();
    let is_name = matches!(next, Some('+' | '#'));
    if is_word(next) || is_name || matches!(next, Some('\'' | '-' | '&')) && is_word(rest.chars().nth(1)) {
        return Read::None;
    }
    // "I, for one, say B" begins with a pronoun; "B is wrong" denies its letter. Neither text states an
    // answer.
    if is_pronoun(letter, rest) || rivals::is_denied_behind(rest) {
        return Read::None;
    }
    if is_alone {
        // Another letter on a separate line is a second answer.
        let others = rest.lines().skip(1).map(|line| line.trim_matches(|c: char| !c.is_alphanumeric()));
        let others = others.filter(|line| line.len() == 1).filter_map(|line| line.chars().next());
        let mut others = others.filter(char::is_ascii_uppercase).filter_map(|c| self::index(c, n));
        return if others.any(|other| other != index) { Read::Several } else { Read::Letter(index) };
    }
    // In "Q: ... A: B", the A introduces the answer.
    if letter == 'A'
        && let Some(answer) = rest.strip_prefix(':')
        && answer.trim().len() <= 3
    {
        return leading(answer, n, or_small).or(|| Read::Letter(index));
    }
    if rivals::rivals(rest).into_iter().filter_map(|c| self::index(c, n)).any(|o| o != index) {
        return Read::Several;
    }
    if is_joined(rest, n) {
        return Read::Several;
    }
    if is_bracketed || closed.is_some() || matches!(next, Some(',' | ';' | '!' | '?')) {
        if is_small && closed.is_none() {
            return Read::None;
        }
        // A list of all choices does not choose any of them.
        let reach = [" because ", " since "].iter().filter_map(|reason| rest.find(reason)).min();
        let rest = &rest[..reach.unwrap_or(rest.len())];
        let others = options(rest, is_spoken_of(rest), n);
        return if others.iter().any(|other| *other != index) { Read::Several } else { Read::Letter(index) };
    }
    if is_small || is_english_word(letter, rest) {
        return Read::None;
    }
    let clause = rest.split(['.', ';', ',', '\n']).next().unwrap_or_default();
    let called: Vec<String> = clause.split_whitespace().take(5).map(word).collect();
    let is_called =
        called.first().is_some_and(|first| matches!(first.as_str(), "is" | "ist" | "est" | "es" | "è"));
    let is_right = |word: &String| CALLED_RIGHT.contains(&word.as_str());
    if is_called && called.iter().any(is_right) && !called.iter().any(|word| DENYING.contains(&word.as_str()))
    {
        return Read::Letter(index);
    }
    let behind = rest.trim_start();
    let is_dash = behind.starts_with("- ") || behind.starts_with(['=', '\u{2192}']);
    if is_dash && !REASONS.contains(&word(behind.trim_start_matches(['-', '=', '\u{2192}'])).as_str()) {
        return all(text, n).or(|| Read::Letter(index));
    }
    if is_dash || REASONS.contains(&word(rest).as_str()) || !next.is_some_and(char::is_whitespace) {
        return Read::Letter(index);
    }
    all(text, n)
}

/// Removes the noun before a letter: "Option B".
fn without_noun(text: &str) -> &str {
    let first = word(text);
    if !NOUNS.contains(&first.as_str()) {
        // In scripts without blanks, the letter follows the noun directly.
        let joined = NOUNS.iter().find_map(|noun| text.strip_prefix(noun).filter(|_| !noun.is_ascii()));
        return joined.map_or(text, |rest| rest.trim_start_matches([' ', ':', '\u{ff1a}']));
    }
    let behind = text.split_once(char::is_whitespace).map_or("", |(_, behind)| behind);
    behind.trim_start()
}

/// Whether a text continues with another letter: ", C", " or C", "/C", " and (C)".
fn is_joined(rest: &str, n: usize) -> bool {
    const WORDS: [&str; 14] =
        ["and", "or", "und", "oder", "et", "ou", "y", "o", "e", "и", "или", "both", "&", "+"];
    let mut rest = rest.trim_start().trim_start_matches([')', ']', '}', '.']).trim_start();
    let mut has_link = false;
    loop {
        let mark =
            rest.strip_prefix([',', '/', '&', '+', ';', '|', '\u{3001}', '\u{548c}', '\u{6216}', '\u{53ca}']);
        let first = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let after = if mark.is_some() {
            mark
        } else if WORDS.contains(&first.to_lowercase().as_str()) && !first.is_empty() {
            rest.strip_prefix(first)
        } else {
            None
        };
        match after {
            Some(after) => (rest, has_link) = (after.trim_start(), true),
            None => break,
        }
    }
    let rest = rest.trim_start_matches(['(', '[', '"', '\'']);
    let Some(letter) = rest.chars().next().filter(|c| has_link && c.is_ascii_uppercase()) else {
        return false;
    };
    index(letter, n).is_some() && !is_word(rest[1..].chars().next()) && !is_english_word(letter, &rest[1..])
}

/// Whether the letter before `rest` is the subject of a sentence: "(A) would be the sky".
fn is_spoken_of(rest: &str) -> bool {
    BEING.contains(&word(rest.trim_start_matches(['.', ')', ':', ']'])).as_str())
}

/// The letters that introduce an option in a text: `B.`, `B)`, `(B)`, `B:`. Letters that are the subject of a
/// sentence count only with `or_spoken_of`.
fn options(text: &str, or_spoken_of: bool, n: usize) -> Vec<usize> {
    let (chars, mut found) = (text.char_indices().collect::<Vec<_>>(), vec![]);
    for (k, (place, c)) in chars.iter().enumerate().filter(|(_, (_, c))| c.is_ascii_uppercase()) {
        let at = |k: Option<usize>| k.and_then(|k| chars.get(k)).map(|(_, c)| *c);
        let (before, after) = (at(k.checked_sub(1)), at(Some(k + 1)));
        let begins = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '['));
        // A mark at the end of a line ends a sentence, so the letter introduces no option.
        let has_text = text[place + 1..].lines().next().is_some_and(|line| line.trim().len() > 1);
        let nearest = word_before(&text[..*place]);
        let is_denied = DENYING.contains(&nearest.as_str()) || rivals::is_denied_behind(&text[place + 1..]);
        let is_meant = or_spoken_of || !is_spoken_of(&text[place + 1..]);
        if begins && has_text && is_meant && !is_denied && matches!(after, Some('.' | ')' | ':' | ']')) {
            found.extend(index(*c, n));
        }
    }
    found
}

/// The letters that are separate words in a text and are not denied, each as its position in the text and its
/// index.
fn standing(text: &str, n: usize) -> Vec<(usize, usize)> {
    let mut found = vec![];
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_uppercase()) {
        let (before, rest) = (&text[..at], &text[at + 1..]);
        let (last, next) = (before.chars().next_back(), rest.chars().next());
        let is_inside = |mark: Option<char>, other: Option<char>| {
            matches!(mark, Some('\'' | '-' | '.' | '+' | '#' | '/' | '&')) && is_word(other)
        };
        let is_name = matches!(next, Some('+' | '#'));
        let joined = is_inside(next, rest.chars().nth(1)) && next != Some('.') && next != Some('/');
        let joined = is_name
            || joined
            || is_inside(last, before.chars().rev().nth(1)) && last != Some('.') && last != Some('/');
        if is_word(last) || is_word(next) || joined || is_english_word(c, rest) || is_pronoun(c, rest) {
            continue;
        }
        let nearest = word_before(before);
        if DENYING.contains(&nearest.as_str())
            || nearest.ends_with("n't")
            || before.trim_end().ends_with("不是")
            || rivals::is_denied_before(before)
            || rivals::is_denied_behind(rest)
        {
            continue;
        }
        found.extend(index(c, n).map(|index| (at, index)));
    }
    found
}

/// The second-to-last word of a text, in lower case.
fn second_last(text: &str) -> String {
    let word = text.split_whitespace().rev().nth(1).unwrap_or_default();
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase()
}

fn word_before(before: &str) -> String {
    let before = before.trim_end_matches([' ', '(', '[', '"', '\'', '*']);
    // Brackets and nouns are skipped: in "not option A" and "not (A)", the word before the letter is "not".
    let mut words = before
        .rsplit(|c: char| c.is_whitespace())
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase());
    let nearest = words.next().unwrap_or_default();
    if NOUNS.contains(&nearest.as_str()) { words.next().unwrap_or_default() } else { nearest }
}

/// The only letter in a short statement.
pub(in crate::collect::grading::rules) fn all(text: &str, n: usize) -> Read {
    standing(text, n).into_iter().map(|(_, index)| Read::Letter(index)).fold(Read::None, Read::and)
}

/// The only letter in a text, if the surrounding words state the letter as the answer: "I think it is B."
pub(super) fn only(text: &str, n: usize) -> Read {
    let found = standing(text, n);
    let read = found.iter().map(|(_, index)| Read::Letter(*index)).fold(Read::None, Read::and);
    let is_stated = found.iter().any(|(at, _)| {
        let (before, rest) = (&text[..*at], &text[at + 1..]);
        let bare = before.trim_end();
        let nearest = bare.rsplit(char::is_whitespace).next().unwrap_or_default();
        let nearest = nearest.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase();
        // An article before the letter is skipped: "It is the B."
        let ends = rest.is_empty() || rest.starts_with(['.', ',', '!', ';', ')', '\n']);
        let nearest = if ends && ARTICLES.contains(&nearest.as_str()) { second_last(bare) } else { nearest };
        let begins = bare.is_empty()
            || bare.ends_with(['(', '[', ':', '=', '\u{2192}', ','])
            || before.ends_with('\n');
        let called: Vec<String> = rest.split_whitespace().take(5).map(word).collect();
        begins
            || rest.trim_start().starts_with("it is")
            || STATING.contains(&nearest.as_str())
            || NOUNS.contains(&nearest.as_str())
            || called.iter().any(|word| CALLED_RIGHT.contains(&word.as_str()))
    });
    match read {
        Read::Letter(_) if !is_stated => Read::None,
        read => read,
    }
}

/// The only letter in bold.
pub(super) fn emphasised(folded: &str, n: usize) -> Read {
    let Some(bold) = EMPHASISED.as_ref().filter(|_| folded.contains("**")) else { return Read::None };
    let is_denied = |end: usize| rivals::is_denied_behind(&folded[end..]);
    let found =
        bold.captures_iter(folded).filter(|found| !found.get(0).is_some_and(|all| is_denied(all.end())));
    let letters = found.filter_map(|found| found.get(1)?.as_str().chars().next());
    letters.filter_map(|letter| index(letter, n)).map(Read::Letter).fold(Read::None, Read::and)
}
