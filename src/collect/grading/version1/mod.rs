//! Grades with version 1 of the normalisation, the first version. It does not remove reasoning or special
//! tokens, and compares texts after NFKC.

mod letter;
pub(super) mod normal;
mod text_match;

use super::grade::{Grade, without_answer};
use super::settings::Grading;
use crate::collect::item::Item;
use crate::provider::{Answer, Outcome};

/// Grades an answer.
pub(super) fn grade(item: &Item, answer: &Answer, how: &Grading) -> Grade {
    let rule = how.grader.steps().first().map_or("exact", |step| step.rule.name());
    match &answer.outcome {
        Outcome::Answered { text } if rule == "letter" => letter::grade(item, answer, text),
        // An answer of one letter is complete, even if it was truncated at a token limit of 1.
        Outcome::Truncated { text } if rule == "letter" && letter::first(text).is_some() => {
            letter::grade(item, answer, text)
        }
        Outcome::Answered { text } => text_match::compare(item, text, true, rule, how),
        Outcome::Truncated { text } => text_match::compare(item, text, false, rule, how),
        outcome => without_answer(outcome),
    }
}
