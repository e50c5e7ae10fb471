//! Grades the answers to one item.

use super::grade::{Grade, GradeKind, without_answer};
use super::settings::Grading;
use super::text_match::compare;
use super::{letter, likelihood};
use crate::collect::tasks::Grader;
use crate::collect::tasks::Item;
use crate::provider::{Answer, Outcome};

/// Grades the answers to the prompts of one item, in their order.
pub fn grade(item: &Item, answers: &[Answer], how: &Grading) -> Grade {
    if how.grader.needs_echo() {
        return likelihood::grade(item, answers, how.grader);
    }
    let Some(answer) = answers.first() else { return Grade::none(GradeKind::Error, "not asked") };
    match &answer.outcome {
        Outcome::Answered { text } if how.grader == Grader::Letter => letter::grade(item, answer, text),
        // An answer that is one letter is complete although the token limit of one truncates it.
        Outcome::Truncated { text } if how.grader == Grader::Letter && letter::first(text).is_some() => {
            letter::grade(item, answer, text)
        }
        Outcome::Answered { text } => compare(item, text, true, how),
        Outcome::Truncated { text } => compare(item, text, false, how),
        outcome => without_answer(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::grading::normalisation::Normalisation;
    use crate::provider::Prompt;

    fn item(gold: &[&str]) -> Item {
        Item {
            id: "1".into(),
            task: "t".into(),
            shots: 0,
            question: "1".into(),
            prompts: vec![Prompt::Text("?".into())],
            gold: gold.iter().map(|gold| (*gold).into()).collect(),
            choices: vec![],
            boundary: 0,
        }
    }

    fn how(grader: Grader, stops: &[&str]) -> Grading {
        Grading {
            grader,
            normalisation: Normalisation::default(),
            stops: stops.iter().map(|stop| (*stop).into()).collect(),
        }
    }

    fn answered(text: &str) -> [Answer; 1] {
        [Answer::of(Outcome::Answered { text: text.into() })]
    }

    fn truncated(text: &str) -> [Answer; 1] {
        [Answer::of(Outcome::Truncated { text: text.into() })]
    }

    #[test]
    fn exact_means_the_whole_answer() {
        let credit = |text: &str| {
            grade(&item(&["Paris", "City of Paris"]), &answered(text), &how(Grader::Exact, &[])).credit
        };
        assert_eq!(credit(" Paris."), Some(1.0));
        assert_eq!(credit("City of Paris"), Some(1.0));
        assert_eq!(credit("Paris, France"), Some(0.0));
        assert_eq!(credit("paris"), Some(0.0));
    }

    #[test]
    fn a_truncated_answer_with_a_stop_sequence_is_complete() {
        let of = |text: &str| grade(&item(&["Paris"]), &truncated(text), &how(Grader::Exact, &[",", "\n"]));
        assert_eq!(of(" Paris, Peru -> Li").credit, Some(1.0));
        assert_eq!(of("\nRome\nBerlin").credit, Some(0.0));
        assert_eq!(of(" Paris").kind, GradeKind::Truncated);
        assert_eq!(of("").kind, GradeKind::Truncated);
        assert_eq!(of(", Peru").kind, GradeKind::Empty);
        let line = |text: &str| grade(&item(&["Paris"]), &truncated(text), &how(Grader::FirstLine, &[]));
        assert_eq!(line("\n Paris\nBecause").credit, Some(1.0));
        assert_eq!(line("Paris Bec").kind, GradeKind::Truncated);
    }

    #[test]
    fn a_prefix_ends_at_a_word() {
        let of = |answer: &[Answer]| grade(&item(&["Paris"]), answer, &how(Grader::Prefix, &[]));
        for right in ["Paris", "Paris.", "Paris, of course", " Paris\nBecause"] {
            assert_eq!(of(&answered(right)).credit, Some(1.0), "{right}");
        }
        for wrong in ["Parisian", "It is Paris", "Par"] {
            assert_eq!(of(&answered(wrong)).credit, Some(0.0), "{wrong}");
        }
        // A truncated answer is graded if no continuation could change the grade.
        assert_eq!(of(&truncated("Paris is")).credit, Some(1.0));
        assert_eq!(of(&truncated("It is Pa")).credit, Some(0.0));
        assert_eq!(of(&truncated("Paris")).kind, GradeKind::Truncated);
        assert_eq!(of(&truncated("Par")).kind, GradeKind::Truncated);
        assert_eq!(of(&truncated("")).kind, GradeKind::Truncated);
    }

    #[test]
    fn a_missing_answer_is_neither_right_nor_wrong() {
        let of =
            |outcome: Outcome| grade(&item(&["Paris"]), &[Answer::of(outcome)], &how(Grader::Exact, &[]));
        let refused = of(Outcome::Refused { text: "Paris".into() });
        assert_eq!((refused.kind, refused.credit), (GradeKind::Refused, None));
        assert_eq!(of(Outcome::Empty).kind, GradeKind::Empty);
        assert_eq!(of(Outcome::Unreadable { reason: "x".into() }).kind, GradeKind::Unreadable);
        assert_eq!(grade(&item(&["Paris"]), &[], &how(Grader::Exact, &[])).kind, GradeKind::Error);
    }
}
