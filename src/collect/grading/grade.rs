//! Defines grades, which state whether an answer is right. A missing answer (refused, filtered, truncated,
//! empty, failed) is neither right nor wrong and is counted by its kind.

use serde::{Deserialize, Serialize};

use crate::provider::Outcome;

/// The kind of a grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradeKind {
    /// The answer is right or wrong.
    Scored,
    /// The model refused to answer.
    Refused,
    /// A content filter withheld the answer.
    Filtered,
    /// The answer was truncated before it could be graded.
    Truncated,
    /// The answer is empty.
    Empty,
    /// The parser or the grader could not read the answer.
    Unreadable,
    /// The request failed.
    Error,
}

impl GradeKind {
    /// The name in items.csv.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::Refused => "refused",
            Self::Filtered => "filtered",
            Self::Truncated => "truncated",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
            Self::Error => "error",
        }
    }
}

/// The grade of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// The kind.
    pub kind: GradeKind,
    /// 1 for a right answer, 0 for a wrong one, a fraction if choices tie; `None` unless the answer is
    /// scored.
    pub credit: Option<f64>,
    /// Log-probability of the whole right answer in nats, if it is known.
    pub logprob: Option<f64>,
    /// Credit by log-probability per byte, if choices were compared by log-probability.
    pub credit_per_byte: Option<f64>,
    /// The normalised text that was compared, or the reason why no text was compared.
    pub extracted: String,
}

impl Grade {
    /// A grade without credit; `why` is the reason.
    pub fn none(kind: GradeKind, why: impl Into<String>) -> Self {
        Self { kind, credit: None, logprob: None, credit_per_byte: None, extracted: why.into() }
    }

    /// The grade of an answer that is right or wrong.
    pub fn scored(credit: f64, extracted: impl Into<String>) -> Self {
        Self { credit: Some(credit), ..Self::none(GradeKind::Scored, extracted) }
    }
}

/// The grade of an outcome without an answer.
pub(crate) fn without_answer(outcome: &Outcome) -> Grade {
    match outcome {
        Outcome::Refused { text } => Grade::none(GradeKind::Refused, text),
        Outcome::Filtered { category, .. } => {
            Grade::none(GradeKind::Filtered, category.as_deref().unwrap_or_default())
        }
        Outcome::Truncated { text } => Grade::none(GradeKind::Truncated, text),
        Outcome::Empty => Grade::none(GradeKind::Empty, ""),
        Outcome::Unreadable { reason } => Grade::none(GradeKind::Unreadable, reason),
        Outcome::Failed(failure) => Grade::none(GradeKind::Error, &failure.message),
        Outcome::Answered { text } => Grade::none(GradeKind::Unreadable, text),
    }
}
