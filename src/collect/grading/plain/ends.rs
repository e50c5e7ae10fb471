//! Removes quotes, LaTeX and answer tags around a whole text, and one final punctuation mark.

use super::latex;

/// Names of the tags that prompts ask models to put around answers.
const TAGS: [&str; 7] = ["answer", "final_answer", "final", "response", "output", "solution", "result"];
/// Marks that end a sentence or a clause.
const MARKS: [char; 16] = [
    '.', ',', ';', ':', '!', '?', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{3001}', '\u{60c}', '\u{61b}',
    '\u{61f}', '\u{964}', '\u{6d4}', '\u{2026}',
];

/// Removes the marks around a whole text, and one final punctuation mark. A text that consists only of marks
/// is unchanged.
pub fn trim(text: &str) -> &str {
    let mut text = text.trim();
    let mut has_mark = false;
    loop {
        if let Some(inner) = surrounded(text) {
            text = inner;
        } else if let Some(shorter) = without_mark(text).filter(|_| !has_mark) {
            (text, has_mark) = (shorter, true);
        } else {
            return text;
        }
    }
}

/// Removes one layer of quotes, LaTeX, answer tags or unpaired emphasis around a whole text. Returns `None`
/// if the text has no such layer.
pub fn surrounded(text: &str) -> Option<&str> {
    latex::inside(text).or_else(|| quoted(text)).or_else(|| tagged(text)).or_else(|| starred(text))
}

fn without_mark(text: &str) -> Option<&str> {
    let shorter = text.strip_suffix("...").or_else(|| text.strip_suffix(MARKS)).map(str::trim_end)?;
    (!shorter.is_empty() && shorter.contains(|c: char| !MARKS.contains(&c))).then_some(shorter)
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.trim().is_empty() && !inner.contains(quote)).then(|| inner.trim())
}

fn tagged(text: &str) -> Option<&str> {
    let is_tag = |name: &str| TAGS.iter().find(|tag| tag.eq_ignore_ascii_case(name.trim()));
    let Some(rest) = text.strip_prefix('<') else {
        // If the prompt contains the opening tag, the answer has only the closing tag.
        let (inner, name) = text.strip_suffix('>')?.rsplit_once("</")?;
        return (is_tag(name).is_some() && !inner.trim().is_empty()).then(|| inner.trim());
    };
    let (name, rest) = rest.split_once('>')?;
    let tag = is_tag(name)?;
    if !rest.contains("</") {
        // If the closing tag is a stop sequence, the answer has only the opening tag.
        return (!rest.trim().is_empty()).then(|| rest.trim());
    }
    let inner = rest.strip_suffix('>')?;
    let at = inner.rfind("</")?;
    let inner = inner[at + 2..].eq_ignore_ascii_case(tag).then(|| &inner[..at])?;
    (!inner.trim().is_empty()).then(|| inner.trim())
}

/// Removes an emphasis mark whose counterpart was in the prompt.
fn starred(text: &str) -> Option<&str> {
    let inner = text.trim_matches('*').trim();
    (text.starts_with("**") != text.ends_with("**") && !inner.is_empty() && !inner.contains("**"))
        .then_some(inner)
}
