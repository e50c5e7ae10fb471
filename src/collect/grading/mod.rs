//! Grading: whether an answer is right, by exact text, by letter, or by log-probability.

pub mod grade;
pub(super) mod letter;
pub(super) mod likelihood;
