//! Black-box scores: what a model answers, whatever is inside it. For now the in-context tasks are graded in process, on local models; the scores have the
//! form that answers collected over the wire will have.

pub mod budget;
pub mod journal;
pub mod limiter;
pub mod local;
pub mod scores;
pub mod secrets;
pub mod task;

pub use self::scores::Score;
pub use self::task::{Item, Task};
