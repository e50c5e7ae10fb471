//! Black-box scores and texts: what a model answers, whatever is inside it. Local models are graded in
//! process, closed ones over the wire, by the same tasks and into the same scores.

pub mod ask;
mod breaker;
pub mod budget;
pub mod client;
pub mod configuration;
pub mod estimate;
pub mod grade;
pub mod import;
pub mod journal;
mod letter;
mod likelihood;
pub mod limiter;
pub mod local;
mod pilot;
pub mod plan;
mod probe;
pub mod progress;
mod reading;
pub mod replay;
pub mod results;
pub mod run;
pub mod scores;
pub mod secrets;
pub mod statistics;
pub mod stop;
pub mod task;
mod verdict;

pub use self::grade::{Grade, Grader, Grading, Kind, Normalisation, grade};
pub use self::results::{Replicate, Results, Summary};
pub use self::scores::{Asked, Gain, Score, Tally};
pub use self::task::{Completion, Item, Task};
