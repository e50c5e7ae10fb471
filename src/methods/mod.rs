//! Writes the methods paragraph for a results folder: what was measured, asked, calibrated and predicted,
//! with the recorded settings and the cited references, as plain text or LaTeX. Every statement comes from a
//! file. A file with a missing or unknown member is an error.
//!
//! | file | contents |
//! |---|---|
//! | `recorded.rs`, `records.rs` | read the files of a folder; formats that no other module reads |
//! | `prose.rs`, `words.rs` | sentences with citations as text or LaTeX; lists and numbers |
//! | `measured.rs`, `asked.rs`, `calibrated.rs`, `estimated.rs` | write the sentences |
//! | `paragraph.rs` | combines all sentences |

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
