//! Black-box scores and texts: what a model answers, whatever is inside it. Local models are graded in
//! process, closed ones over the wire, by the same tasks and into the same scores.

pub mod budget;
pub mod client;
pub mod configuration;
mod dispatch;
pub mod grading;
pub mod journal;
pub mod local;
pub mod plan;
mod probe;
pub mod progress;
mod recovery;
pub mod rescore;
pub mod results;
pub mod run;
pub mod secrets;
pub mod tasks;

pub use self::dispatch::panicked;
pub use self::grading::{Grade, GradeKind, Grading, Normalisation, grade};
pub use self::results::scores::{Gain, QuestionRef, Score, Tally};
pub use self::results::writer::{Replicate, Results, ResultsSummary};
pub use self::tasks::{Completion, Grader, Item, Task};
