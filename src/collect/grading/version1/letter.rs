//! Grades multiple choice by letter: compares the first letter of the answer, and reads the log-probability
//! of the right letter if the answer has log-probabilities.

use crate::collect::grading::grade::{Grade, GradeKind};
use crate::collect::grading::rules::letter::{letter, letter_index, letter_logprob};
use crate::collect::item::Item;
use crate::provider::Answer;

/// Grades an answer that should be a letter.
pub(crate) fn grade(item: &Item, answer: &Answer, text: &str) -> Grade {
    let gold = item.gold.first().and_then(|gold| item.choices.iter().position(|choice| choice == gold));
    let chosen =
        first(text).and_then(|letter| letter_index(&letter.to_string())).filter(|i| *i < item.choices.len());
    match (gold, chosen) {
        (Some(gold), Some(chosen)) => Grade {
            logprob: answer
                .logprobs
                .as_ref()
                .and_then(|tokens| letter_logprob(tokens.first()?, letter(gold))),
            ..Grade::scored(f64::from(u8::from(chosen == gold)), letter(chosen).to_string())
        },
        _ => Grade::none(
            GradeKind::Unreadable,
            format!("the answer {text:?} does not begin with the letter of a choice"),
        ),
    }
}

/// The capital letter at the beginning of a text or after its opening bracket, if no letter, digit or
/// underscore follows: `B`, ` (B)`, `B. because`, but not `Because`.
pub(crate) fn first(text: &str) -> Option<char> {
    let text = text.trim_start();
    let mut rest = text.strip_prefix('(').unwrap_or(text).chars();
    let letter = rest.next().filter(char::is_ascii_uppercase)?;
    let next = rest.next();
    next.is_none_or(|next| !next.is_alphanumeric() && next != '_').then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_stands_alone() {
        for (text, letter) in [
            ("B", Some('B')),
            (" (B) because", Some('B')),
            ("B. Paris", Some('B')),
            ("\nC\n", Some('C')),
            ("Because", None),
            ("b", None),
            ("The answer is B", None),
            ("", None),
        ] {
            assert_eq!(first(text), letter, "{text}");
        }
    }
}
