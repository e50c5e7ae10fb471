//! Grades the answers to one item.

use super::answer_text::AnswerText;
use super::grade::{Grade, GradeKind, without_answer};
use super::settings::Grading;
use super::{Asked, version1};
use crate::collect::item::Item;
use crate::provider::{Answer, Outcome};

/// Grades the answers to the prompts of one item, in the order of the prompts. If the grader has several
/// rules, the first rule that can read the answer determines the grade.
pub fn grade(item: &Item, answers: &[Answer], how: &Grading) -> Grade {
    if how.grader.needs_echo() {
        return by_rules(item, answers, how, "", true);
    }
    let Some(answer) = answers.first() else { return Grade::none(GradeKind::Error, "not asked") };
    if how.normalisation.version == 1 {
        return version1::grade(item, answer, how);
    }
    let (text, is_whole) = match &answer.outcome {
        Outcome::Answered { text } => (text, true),
        Outcome::Truncated { text } => (text, false),
        outcome => return without_answer(outcome),
    };
    let read = AnswerText::read(text);
    if read.ends_in_reasoning {
        return Grade::none(GradeKind::Truncated, "");
    }
    let (piece, is_stopped) = cut(&read.text, &how.stops);
    let is_complete = is_whole || read.has_ended || is_stopped;
    if piece.trim().is_empty() {
        return Grade::none(if is_complete { GradeKind::Empty } else { GradeKind::Truncated }, "");
    }
    by_rules(item, answers, how, piece, is_complete)
}

/// Returns the text before the first stop sequence, without leading white space, and whether there was a stop
/// sequence.
fn cut<'a>(text: &'a str, stops: &[String]) -> (&'a str, bool) {
    let text = text.trim_start();
    match stops.iter().filter_map(|stop| text.find(stop.as_str())).min() {
        Some(end) => (&text[..end], true),
        None => (text, false),
    }
}

fn by_rules(item: &Item, answers: &[Answer], how: &Grading, text: &str, is_complete: bool) -> Grade {
    let mut first: Option<Grade> = None;
    for step in how.grader.steps() {
        let normalisation = how.normalisation;
        let asked = Asked { item, answers, text, is_complete, normalisation, argument: &step.argument };
        let grade = step.rule.grade(&asked);
        if grade.kind != GradeKind::Unreadable {
            return grade;
        }
        first.get_or_insert(grade);
    }
    first.unwrap_or_else(|| Grade::none(GradeKind::Unreadable, "no rule"))
}
