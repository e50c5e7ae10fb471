//! Grades answers. First, [`answer_text`] removes reasoning and special tokens from an answer. Then one or
//! more rules, in order, compare the remaining text with the right answers.
//!
//! Each rule has a file in [`rules`] and a row in [`registry`].

pub mod answer_text;
pub mod first_token;
pub mod grade;
mod grade_item;
pub mod grader;
pub mod normalisation;
pub mod plain;
pub mod registry;
pub mod rules;
mod settings;
mod version1;

pub use self::grade::{Grade, GradeKind};
pub use self::grade_item::grade;
pub use self::grader::Grader;
pub use self::normalisation::{NORMALISATION_VERSION, Normalisation};
pub use self::settings::Grading;

use regex::Regex;

use super::item::Item;
use crate::provider::Answer;

/// A rule by which answers are graded.
pub trait Rule: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// States in one line when an answer is right.
    fn about(&self) -> &'static str;

    /// The form of the argument after the name and a colon, as shown in help; `None` if the rule takes no
    /// argument.
    fn argument_form(&self) -> Option<&'static str> {
        None
    }

    /// Parses the argument after the name and a colon. `text` is `None` if there is no argument.
    ///
    /// # Errors
    /// Returns what is wrong with the argument, as a phrase that follows the name of the rule.
    fn argument(&self, text: Option<&str>) -> Result<Argument, String> {
        match text {
            None => Ok(Argument::None),
            Some(text) => Err(format!("takes no argument, but has {text:?}")),
        }
    }

    /// What a question must show so that the rule can grade its answer.
    fn question_form(&self) -> QuestionForm {
        QuestionForm::Open
    }

    /// Checks that the rule can compare the right answers of an item.
    ///
    /// # Errors
    /// Returns the reason as a phrase. The caller adds the line number of the item.
    fn check(&self, item: &Item) -> Result<(), String> {
        let _ = item;
        Ok(())
    }

    /// Grades an answer. A truncated answer is scored only if no continuation could change the grade.
    fn grade(&self, asked: &Asked<'_>) -> Grade;
}

/// The input of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The item with its right answers.
    pub item: &'a Item,
    /// The answers to the prompts of the item, in order.
    pub answers: &'a [Answer],
    /// The text of the first answer without reasoning and special tokens, before the first stop sequence.
    pub text: &'a str,
    /// Whether the text is complete: it was not truncated, or a stop sequence ended it.
    pub is_complete: bool,
    /// Normalisation of texts.
    pub normalisation: Normalisation,
    /// The rule's argument.
    pub argument: &'a Argument,
}

impl Asked<'_> {
    /// The grade of an answer that the rule cannot read.
    pub(crate) fn unreadable(&self, why: impl Into<String>) -> Grade {
        Grade::none(if self.is_complete { GradeKind::Unreadable } else { GradeKind::Truncated }, why)
    }

    /// The grade of an answer from which the rule read `extracted`.
    pub(crate) fn scored(&self, is_right: bool, extracted: impl Into<String>) -> Grade {
        Grade::scored(f64::from(u8::from(is_right)), extracted)
    }
}

/// The argument of a rule.
#[derive(Debug, Clone)]
pub enum Argument {
    /// No argument.
    None,
    /// A text.
    Text(String),
    /// A regular expression.
    Pattern(Regex),
}

/// What a question must show to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuestionForm {
    /// Only the text of the question.
    Open,
    /// The choices with their letters.
    Letters,
    /// One prompt per choice. The server returns the log-probabilities of the prompts (`echo`).
    EachChoice,
}
