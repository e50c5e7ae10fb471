//! Grading: whether an answer is right. An answer is read first ([`answer_text`]: its reasoning is set aside,
//! special tokens are removed), then one rule or several in order compare it with the right answers.
//!
//! Each rule is a file in [`rules`] and a row in [`registry`].

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
    /// Its name, as it is typed.
    fn name(&self) -> &'static str;

    /// When an answer is right, in one line.
    fn about(&self) -> &'static str;

    /// What may follow the name and a colon, as it is shown in help; `None` if nothing may.
    fn argument_form(&self) -> Option<&'static str> {
        None
    }

    /// Reads what follows the name and a colon; `None` where nothing does.
    ///
    /// # Errors
    /// What is wrong with it, as a phrase that follows the rule's name.
    fn argument(&self, text: Option<&str>) -> Result<Argument, String> {
        match text {
            None => Ok(Argument::None),
            Some(text) => Err(format!("takes no argument, and has {text:?}")),
        }
    }

    /// What a question must show for the rule to be applicable.
    fn question_form(&self) -> QuestionForm {
        QuestionForm::Open
    }

    /// Checks that an item's right answers can be compared by the rule.
    ///
    /// # Errors
    /// The reason, as a phrase that follows the item's line.
    fn check(&self, item: &Item) -> Result<(), String> {
        let _ = item;
        Ok(())
    }

    /// Grades an answer. A truncated answer is scored only where no continuation could change the grade.
    fn grade(&self, asked: &Asked<'_>) -> Grade;
}

/// What a rule compares.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The item with its right answers.
    pub item: &'a Item,
    /// The answers to its prompts, in their order.
    pub answers: &'a [Answer],
    /// The text of the first answer without reasoning and special tokens, before the first stop sequence.
    pub text: &'a str,
    /// Whether the text has its end: it was not truncated, or a stop sequence ended it.
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

    /// The grade of an answer that reads `extracted`.
    pub(crate) fn scored(&self, is_right: bool, extracted: impl Into<String>) -> Grade {
        Grade::scored(f64::from(u8::from(is_right)), extracted)
    }
}

/// The argument of a rule.
#[derive(Debug, Clone)]
pub enum Argument {
    /// There is none.
    None,
    /// A text.
    Text(String),
    /// A regular expression.
    Pattern(Regex),
}

/// What a question must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuestionForm {
    /// Nothing beside its own text.
    Open,
    /// Its choices with their letters.
    Letters,
    /// One prompt for each choice, whose log-probabilities the server returns (`echo`).
    EachChoice,
}
