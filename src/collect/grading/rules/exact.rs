//! Rule `exact`: an answer is right if the whole answer, normalised, is a right answer. The comparison is
//! case-sensitive. It ignores markdown, quotes around the whole answer and one final punctuation mark.

use crate::collect::grading::grade::{Grade, GradeKind};
use crate::collect::grading::{Asked, Rule};

/// The rule `exact`.
#[derive(Debug, Clone, Copy)]
pub struct Exact;

impl Rule for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn about(&self) -> &'static str {
        "The whole answer, normalised, is a right answer"
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        compare(asked, asked.text, asked.is_complete)
    }
}

/// Compares a whole text with the right answers.
pub(super) fn compare(asked: &Asked<'_>, text: &str, is_complete: bool) -> Grade {
    let normal = asked.normalisation;
    let extracted = normal.apply(text);
    match (is_complete, extracted.is_empty()) {
        (false, _) => Grade::none(GradeKind::Truncated, extracted),
        (true, true) => Grade::none(GradeKind::Empty, extracted),
        (true, false) => {
            let is_right = asked.item.gold.iter().any(|gold| normal.apply(gold) == extracted);
            asked.scored(is_right, extracted)
        }
    }
}
