//! Collects black-box scores and texts of local and closed models. Local models are graded in process and
//! closed models over their API, on the same tasks and with the same scores.

pub mod batch;
pub mod budget;
pub mod client;
pub mod configuration;
mod dispatch;
mod echo_rows;
mod first_answers;
pub mod grading;
pub mod item;
pub mod journal;
pub mod local;
mod logprob_faults;
mod parameter_change;
pub mod plan;
mod probe;
pub mod progress;
mod recovery;
pub mod rescore;
pub mod results;
pub mod run;
pub mod secrets;
mod short_answers;
pub mod tasks;

pub use self::dispatch::panicked;
pub use self::grading::{Grade, GradeKind, Grader, Grading, Normalisation, grade};
pub use self::item::Item;
pub use self::results::Replicate;
pub use self::results::scores::{Gain, Score};
pub use self::results::tally::{AskedTask, QuestionRef, Tally};
pub use self::results::writer::{Results, ResultsSummary};
pub use self::tasks::{Completion, Task};
