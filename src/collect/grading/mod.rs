//! Grading: whether an answer is right, by exact text, by letter, or by log-probability.

pub mod first_token;
pub mod grade;
mod grade_item;
mod letter;
mod likelihood;
pub mod normalisation;
mod settings;
mod text_match;

pub use self::grade::{Grade, GradeKind};
pub use self::grade_item::grade;
pub use self::normalisation::{NORMALISATION_VERSION, Normalisation};
pub use self::settings::Grading;
