//! Simplifies a text before its numbers are read.

use std::sync::LazyLock;

use regex::Regex;

use crate::collect::grading::plain::{folding, latex, markdown};

/// The zeros of other scripts. In Unicode, the digits 1 to 9 follow each zero.
const ZEROS: [char; 16] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
    '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}',
];

/// Numbers in square brackets after a number with its unit, or directly after a word or a punctuation mark.
const CITATION: &str = r"(\d%? ?|\d ?\pL{1,12}\.? |[\pL.,;!?])(?:\[\d{1,3}\])+";
static CITATIONS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CITATION).ok());

/// Converts a text to plain characters and digits, without markdown.
pub(super) fn prepare(text: &str) -> String {
    let text = without_citations(markdown::strip(&folding::fold(text)));
    if text.is_ascii() {
        return text;
    }
    let plain = |c: char| {
        let digit = ZEROS.iter().find_map(|zero| (c as u32).checked_sub(*zero as u32).filter(|d| *d < 10));
        match (digit.and_then(|digit| char::from_digit(digit, 10)), c) {
            (Some(digit), _) => digit,
            (None, '\u{66b}') => '.',
            (None, '\u{66c}') => ',',
            (None, c) => c,
        }
    };
    text.chars().map(plain).collect()
}

/// Removes citation numbers from a text: "It is 42 [1]."
fn without_citations(text: String) -> String {
    match CITATIONS.as_ref().filter(|_| text.contains('[')) {
        Some(citations) => citations.replace_all(&text, "$1").into_owned(),
        None => text,
    }
}

/// Rewrites the formulas of a text without LaTeX: `\frac{3}{4}` as 3/4, `1{,}000` as 1,000.
pub(super) fn without_latex(text: &str) -> String {
    if !text.contains(['\\', '{', '$']) {
        return text.to_owned();
    }
    let mut text = text.replace("{,}", ",");
    for (written, meant) in [
        ("\\dfrac", "\\frac"),
        ("\\tfrac", "\\frac"),
        ("\\cfrac", "\\frac"),
        ("\\sqrt", "\u{221a}"),
        ("\\pi", "\u{3c0}"),
        ("\\,", " "),
        ("\\;", " "),
        ("\\:", " "),
        ("\\ ", " "),
        ("\\!", ""),
        ("\\%", "%"),
        ("\\$", "$"),
        ("\\times", "\u{d7}"),
        ("\\cdot", "\u{d7}"),
        ("\\left", " "),
        ("\\right", " "),
        ("\\(", " "),
        ("\\)", " "),
        ("\\[", " "),
        ("\\]", " "),
        ("$$", " "),
    ] {
        if text.contains(written) {
            text = text.replace(written, meant);
        }
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = rest.find(['\\', '{', '}']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((over, under, behind)) = fraction(rest) {
            // A number and the fraction after it form a mixed number, so a blank must separate them.
            if plain.ends_with(|c: char| c.is_ascii_digit()) {
                plain.push(' ');
            }
            plain.push_str(&format!("{}/{}", operand(over), operand(under)));
            rest = behind;
            continue;
        }
        let is_command = rest.starts_with('\\');
        let end = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |end| end + 1);
        rest = if is_command { &rest[end.max(1)..] } else { &rest[1..] };
        // Braces are removed without a blank, so that an exponent stays with its base: 10^{6}.
        if is_command {
            plain.push(' ');
        }
    }
    plain.push_str(rest);
    plain
}

/// The numerator and denominator of a fraction at the beginning of a text (`\frac{1}{2}`, `\frac12`), and the
/// rest of the text.
fn fraction(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.strip_prefix("\\frac")?.trim_start();
    let (over, rest) = part(rest)?;
    let (under, rest) = part(rest.trim_start())?;
    Some((over.trim(), under.trim(), rest))
}

/// The argument of a command (in braces, or one digit), and the rest of the text.
fn part(text: &str) -> Option<(&str, &str)> {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    if is_digit { text.split_at_checked(1) } else { latex::braced(text) }
}

/// A numerator or denominator as text. If the part is not a number, a root sign is put before it, so that its
/// digits are not read as a number.
fn operand(part: &str) -> String {
    let is_number = part.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | ',' | ' '));
    if is_number { part.to_owned() } else { format!("\u{221a}{}", part.replace(['{', '}', '\\'], "")) }
}
