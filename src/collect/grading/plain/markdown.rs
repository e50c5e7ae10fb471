//! Removes markdown and HTML formatting tags: headings, quotes, bullets, code, emphasis, links, and
//! struck-out text. An asterisk or underscore inside a word or between blanks does not count as markdown.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

const LINK: &str = r"!?\[([^\[\]\n]{1,500})\]\((?:https?://|www\.|/|#)[^()\s]{0,2000}\)";
static LINKS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LINK).ok());
const TAG: &str = r"(?i)</?(?:b|strong|em|i|u|code|span|mark|pre|small|center|font)(?:\s[^<>\n]{0,200})?>";
static TAGS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(TAG).ok());
const BREAK: &str = r"(?i)</?(?:p|br|div|li|ul|ol)(?:\s[^<>\n]{0,200})?\s?/?>";
static BREAKS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BREAK).ok());

const STRUCK: &str = concat!(
    r"(?i)(^|[^~])~~[^~\s](?:[^~\n]{0,500}[^~\s])?~~|",
    r"<(?:del|strike)(?:\s[^<>\n]{0,200})?>[^<>]{0,500}</(?:del|strike)>|\\sout\{[^{}]{0,500}\}",
);
static STRUCK_OUT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(STRUCK).ok());

/// Whether a line is a horizontal rule or the rule below a heading: `---`, `***`, `===`.
pub fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && ['-', '*', '_', '=', '~'].iter().any(|c| line.trim_matches(*c).is_empty())
}

/// Removes the markup of a text, line by line.
pub fn strip(text: &str) -> String {
    let marks = ['*', '_', '`', '#', '>', '-', '+', '[', '~', '='];
    if !text.contains(marks) && !text.contains("\\sout") {
        return text.to_owned();
    }
    let mut text = Cow::Borrowed(text);
    if text.contains("~~") || text.contains("</") || text.contains("\\sout") {
        text = replace(&STRUCK_OUT, text, "$1");
    }
    if text.contains("](") {
        text = replace(&LINKS, text, "$1");
    }
    if text.contains('<') {
        text = replace(&TAGS, text, "");
        text = replace(&BREAKS, text, "\n");
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let line = without_prefix(line.trim());
        let is_fence = line.starts_with("```") || line.starts_with("~~~");
        // A code fence is a separate line, which may name a language. If the line contains a second fence,
        // the two fences surround code.
        let is_fence = is_fence && !line[3..].contains("```");
        // A text that consists only of marks is kept.
        if is_fence || is_rule(line) && line.len() < text.trim().len() {
            continue;
        }
        if !plain.is_empty() {
            plain.push('\n');
        }
        plain.push_str(&emphasis(line));
    }
    plain
}

fn replace<'a>(regex: &LazyLock<Option<Regex>>, text: Cow<'a, str>, with: &str) -> Cow<'a, str> {
    match regex.as_ref() {
        Some(regex) if regex.is_match(&text) => Cow::Owned(regex.replace_all(&text, with).into_owned()),
        _ => text,
    }
}

/// Removes the marks of headings, quotes and bullets at the beginning of a line.
fn without_prefix(mut line: &str) -> &str {
    loop {
        let hashes = line.len() - line.trim_start_matches('#').len();
        let rest = match line.as_bytes() {
            [b'#', ..] if hashes <= 6 && line[hashes..].starts_with(' ') => Some(&line[hashes..]),
            // "> 5" and "- 5" mean something else than 5.
            [b'>' | b'-', b' ', ..] if is_number(&line[1..]) => None,
            [b'>', b' ', ..] => Some(&line[1..]),
            [b'-' | b'*' | b'+', b' ', ..] => Some(&line[1..]),
            _ => None,
        };
        match rest.map(str::trim).filter(|rest| !rest.is_empty()) {
            Some(rest) => line = rest,
            None => return line,
        }
    }
}

/// Whether a text consists of a number.
fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '%' | ' ' | '/'))
}

/// A run of equal marks in a line.
struct Run {
    at: usize,
    len: usize,
    mark: u8,
}

/// Removes pairs of emphasis and code marks from a line.
fn emphasis(line: &str) -> Cow<'_, str> {
    if !line.contains(['*', '_', '`']) {
        return Cow::Borrowed(line);
    }
    let (bytes, mut at) = (line.as_bytes(), 0);
    let (mut open, mut removed): (Vec<Run>, Vec<(usize, usize)>) = (vec![], vec![]);
    while at < bytes.len() {
        let mark = bytes[at];
        if !matches!(mark, b'*' | b'_' | b'`') {
            at += 1;
            continue;
        }
        let len = bytes[at..].iter().take_while(|byte| **byte == mark).count();
        let (before, after) = (line[..at].chars().next_back(), line[at + len..].chars().next());
        let (can_open, can_close) = sides(mark, before, after);
        let opener = open.iter().rposition(|run| run.mark == mark && run.len == len).filter(|_| can_close);
        if let Some(opener) = opener {
            removed.push((open[opener].at, len));
            removed.push((at, len));
            open.truncate(opener);
        } else if can_open {
            open.push(Run { at, len, mark });
        }
        at += len;
    }
    removed.sort_unstable();
    let (mut plain, mut from) = (String::with_capacity(line.len()), 0);
    for (at, len) in removed {
        plain.push_str(&line[from..at]);
        from = at + len;
    }
    plain.push_str(&line[from..]);
    Cow::Owned(plain)
}

/// Whether a mark between two characters can open emphasis, and whether it can close it.
fn sides(mark: u8, before: Option<char>, after: Option<char>) -> (bool, bool) {
    let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
    // Some scripts have no blanks between words, so a mark between two of their letters can still mark
    // emphasis.
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c < '\u{e00}');
    match mark {
        b'`' => (after.is_some(), before.is_some()),
        _ => (!is_blank(after) && !is_word(before), !(is_blank(before) || is_word(before) && is_word(after))),
    }
}
