//! Rule `contains`: an answer is right if it contains a right answer as separate words. Case is ignored
//! unless the right answer has no lower-case letters ("US", "IT"). A right answer does not count if the text
//! denies it ("not Paris") or offers it as one of two alternatives ("Rome or Paris").

use super::bounds::{begins_after, ends_before};
use super::prefix::spaced_dashes;
use super::taken_back::may_go_on;
use crate::collect::grading::grade::{Grade, GradeKind};
use crate::collect::grading::{Asked, Rule};

/// The rule `contains`.
#[derive(Debug, Clone, Copy)]
pub struct Contains;

impl Rule for Contains {
    fn name(&self) -> &'static str {
        "contains"
    }

    fn about(&self) -> &'static str {
        "The answer contains a right answer as separate words, neither denied nor one of two alternatives"
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let normal = asked.normalisation;
        let text = normal.apply_inside(&spaced_dashes(asked.text));
        if text.is_empty() {
            return Grade::none(if asked.is_complete { GradeKind::Empty } else { GradeKind::Truncated }, "");
        }
        let lower = text.to_lowercase();
        for gold in asked.item.gold.iter().map(|gold| normal.apply(gold)) {
            let heeds_case = !gold.chars().any(char::is_lowercase);
            let found = if heeds_case {
                holds(&text, &gold, asked)
            } else {
                holds(&lower, &gold.to_lowercase(), asked)
            };
            if found {
                return asked.scored(true, gold);
            }
        }
        if asked.is_complete { asked.scored(false, text) } else { Grade::none(GradeKind::Truncated, text) }
    }
}

/// Whether a text contains an answer as separate words. In a truncated text, the answer must end before the
/// end of the text.
fn holds(text: &str, answer: &str, asked: &Asked<'_>) -> bool {
    !answer.is_empty()
        && text.match_indices(answer).any(|(at, found)| {
            let rest = &text[at + found.len()..];
            (asked.is_complete || !may_go_on(rest))
                && begins_after(&text[..at], answer)
                && ends_before(answer, rest.trim_start_matches(['"', '*', '}', '$']))
        })
}
