//! Rule `prefix`: an answer is right if it begins with a right answer. The match must end at the end of a
//! word or number (1 does not match 1.5, 1,000, 7:30 or 3/4). Answers with alternatives, such as "Paris or
//! Rome", "Paris; Rome" and "yes and no", are wrong. The comparison is case-sensitive.

use super::bounds::{ends_before, has_second};
use super::taken_back::{is_listed, may_go_on};
use crate::collect::grading::grade::{Grade, GradeKind};
use crate::collect::grading::plain::markdown;
use crate::collect::grading::{Asked, Rule};

/// The rule `prefix`.
#[derive(Debug, Clone, Copy)]
pub struct Prefix;

impl Rule for Prefix {
    fn name(&self) -> &'static str {
        "prefix"
    }

    fn about(&self) -> &'static str {
        "The answer begins with a right answer, which ends at the end of a word or number"
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let normal = asked.normalisation;
        let whole = normal.apply_inside(&spaced_dashes(asked.text));
        let text = opened(&whole);
        if text.is_empty() {
            return Grade::none(if asked.is_complete { GradeKind::Empty } else { GradeKind::Truncated }, "");
        }
        let mut is_open = false;
        for gold in asked.item.gold.iter().map(|gold| normal.apply(gold)) {
            match text.strip_prefix(gold.as_str()) {
                Some(rest) if !asked.is_complete && may_go_on(rest) => is_open = true,
                Some(rest) => {
                    let rest = rest.trim_start_matches(['"', '*']);
                    if ends_before(&gold, rest)
                        && !has_second(rest)
                        && !is_factorial(&gold, rest)
                        && !is_listed(&gold, rest)
                        && !heads_lines(&gold, asked)
                    {
                        return asked.scored(true, text);
                    }
                }
                None => is_open |= gold.starts_with(text),
            }
        }
        if is_open && !asked.is_complete {
            return Grade::none(GradeKind::Truncated, text);
        }
        asked.scored(false, text)
    }
}

/// Whether an answer is the first of several answers on separate lines.
fn heads_lines(gold: &str, asked: &Asked<'_>) -> bool {
    if !asked.text.contains(['\n', '<']) {
        return false;
    }
    let plain = markdown::strip(asked.text);
    let lines = plain.lines().map(|line| asked.normalisation.apply_inside(line));
    let lines: Vec<String> = lines.filter(|line| line.contains(char::is_alphanumeric)).take(2).collect();
    let lines = lines.join("\n");
    opened(&lines).strip_prefix(gold).is_some_and(|rest| is_listed(gold, rest.trim_start_matches(['"', '*'])))
}

/// Whether a number is the argument of a factorial: "5!".
fn is_factorial(number: &str, rest: &str) -> bool {
    number.ends_with(|c: char| c.is_ascii_digit()) && rest.starts_with('!')
}

/// Removes quotes and LaTeX at the beginning of a text.
fn opened(text: &str) -> &str {
    const OPENINGS: [&str; 9] =
        ["\\boxed{", "\\text{", "\\mathrm{", "\\(", "\\[", "$$", "\"", "**", "<answer>"];
    let mut text = text.trim_start();
    // A `$` before a digit is an amount in dollars, not the beginning of a formula.
    while let Some(rest) = OPENINGS
        .iter()
        .find_map(|open| text.strip_prefix(open))
        .or_else(|| text.strip_prefix('$').filter(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())))
    {
        text = rest.trim_start();
    }
    text
}

/// Puts blanks around em dashes, so that they do not count as hyphens.
pub(super) fn spaced_dashes(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\u{2014}') { text.replace('\u{2014}', " - ").into() } else { text.into() }
}
