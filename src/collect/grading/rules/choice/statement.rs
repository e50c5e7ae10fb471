//! Reads the text after a word for "answer".

use crate::collect::grading::rules::links::LINKS;

/// Words between "answer" and a letter, in addition to [`LINKS`].
const BEFORE_A_LETTER: [&str; 10] =
    ["to", "for", "this", "question", "option", "choice", "letter", "l'option", "and", "here"];
/// Words between "answer" and a letter, in scripts without blanks.
const JOINED: [&str; 22] = [
    "应该是",
    "應該是",
    "应为",
    "應為",
    "是",
    "为",
    "為",
    "选项",
    "選項",
    "选择",
    "選擇",
    "选",
    "選",
    "项",
    "項",
    "は",
    "が",
    "은",
    "는",
    "이",
    "คือ",
    "ข้อ",
];

/// Removes the words and marks that link a text to the preceding word for "answer".
pub(super) fn without_link(said: &str) -> &str {
    let is_mark = |c: char| {
        c.is_whitespace() || matches!(c, ':' | '=' | '-' | '>' | '*' | '\u{2192}' | ',' | '"' | '|')
    };
    let mut rest = said.trim_start_matches(is_mark);
    loop {
        let end = rest.find(|c: char| c.is_whitespace() || c == ':').unwrap_or(rest.len());
        let word = rest[..end].to_lowercase();
        let is_link = LINKS.contains(&word.as_str()) || BEFORE_A_LETTER.contains(&word.as_str());
        let next = if is_link && end < rest.len() {
            Some(&rest[end..])
        } else {
            JOINED.iter().find_map(|link| rest.strip_prefix(link))
        };
        match next.map(|next| next.trim_start_matches(is_mark)) {
            Some(next) => rest = next,
            None => return rest,
        }
    }
}

/// The first sentence of a text.
pub(super) fn sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let ends = [". ", "! ", "? ", "; ", "\u{3002}", " because ", " since "];
    // The mark after a letter does not end a sentence: "B. blood".
    let end = ends.iter().filter_map(|end| line.find(end).filter(|at| *at > 2)).min();
    &line[..end.unwrap_or(line.len())]
}
