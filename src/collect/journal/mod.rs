//! The journal: an append-only JSONL file that holds every request before it is sent and every answer before
//! it counts.
//!
//! ```text
//! journal.jsonl        configuration, intent, outcome records, each with a checksum
//! journal.lock         who collects into the folder now
//! journal.torn-N       a tail that a crash left unfinished, set aside
//! journal.damaged-N    lines that `surmise collect repair` took out
//! ```
//!
//! An intent without its outcome was under way when a process ended: it may have been paid. One process
//! writes, one thread of it; any tool may read.

mod index;
mod lock;
mod open;
mod record;
mod repair;
mod scan;
mod storage;
mod writer;

pub use self::index::{Index, QuestionState};
pub use self::lock::Lock;
pub use self::open::Journal;
pub use self::record::{Intent, NAME, NOT_ASKED, OutcomeRecord, QuestionKey, Record, VERSION, now};
pub use self::repair::repair;
pub use self::scan::{JournalReader, RecordSpan};
pub use self::storage::as_storage;
pub use self::writer::{Commit, JournalWriter};
