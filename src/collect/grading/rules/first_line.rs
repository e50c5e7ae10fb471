//! Rule `first-line`: an answer is right if its first non-blank line, normalised, is a right answer.

use super::exact;
use crate::collect::grading::grade::{Grade, GradeKind};
use crate::collect::grading::plain::markdown;
use crate::collect::grading::{Asked, Rule};

/// The rule `first-line`.
#[derive(Debug, Clone, Copy)]
pub struct FirstLine;

impl Rule for FirstLine {
    fn name(&self) -> &'static str {
        "first-line"
    }

    fn about(&self) -> &'static str {
        "The first non-blank line, normalised, is a right answer"
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        // Code fences, horizontal rules and struck-out text do not count as lines.
        let is_fence = |line: &str| line.trim_start().starts_with("```") || markdown::is_rule(line);
        let is_text = |line: &&str| !is_fence(line) && !markdown::strip(line).trim().is_empty();
        let is_mark = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("```");
        let text = asked.text.trim_start();
        match text.lines().find(is_text).or_else(|| text.lines().find(is_mark)) {
            Some(line) => {
                let end = line.as_ptr() as usize - text.as_ptr() as usize + line.len();
                exact::compare(asked, line, asked.is_complete || end < text.len())
            }
            None => Grade::none(if asked.is_complete { GradeKind::Empty } else { GradeKind::Truncated }, ""),
        }
    }
}
