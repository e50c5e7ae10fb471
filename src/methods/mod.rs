//! The methods paragraph of a folder: what was measured, asked, calibrated and predicted, with the settings
//! that the files record, as plain text or LaTeX, and the references that it cites. Nothing is said that no
//! file says; a file that lacks a member, or has one that is not known, is an error.
//!
//! | file | contents |
//! |---|---|
//! | `recorded.rs`, `records.rs` | the files of a folder; members of files without another reader |
//! | `prose.rs`, `words.rs` | sentences with citations, in both forms; lists, numbers |
//! | `measured.rs`, `asked.rs`, `calibrated.rs`, `estimated.rs` | the sentences |
//! | `paragraph.rs` | all of these put together |

mod asked;
mod calibrated;
mod estimated;
mod measured;
mod paragraph;
mod prose;
mod recorded;
mod records;
mod words;

pub use self::paragraph::paragraph;
pub use self::prose::{Form, Prose};
pub use self::recorded::Recorded;
