//! The journal: an append-only JSONL file that records every request before it is sent and every answer
//! before it counts.
//!
//! ```text
//! journal.jsonl        configuration, intent, outcome and batch records, each with a checksum
//! journal.lock         names the process that collects into the folder now
//! journal.torn-N       an incomplete last line of the journal, moved here after a crash
//! journal.damaged-N    damaged lines that `surmise collect repair` removed
//! ```
//!
//! An intent without an outcome belongs to a request that was in flight when a process ended, and that may
//! have been billed. A single thread of one process writes the journal; any tool may read it.

mod batch_record;
mod batches;
mod index;
mod lock;
mod open;
mod question_key;
mod question_state;
mod record;
mod repair;
mod scan;
mod storage;
mod writer;

pub use self::batch_record::{BatchRecord, BatchStage, OpenBatch};
pub use self::batches::{BatchIntent, batch_intents};
pub use self::index::{Index, OpenIntent, RouteTotals};
pub use self::lock::Lock;
pub use self::open::Journal;
pub use self::question_key::QuestionKey;
pub use self::question_state::QuestionState;
pub use self::record::{Intent, NAME, NOT_ASKED, OutcomeRecord, Record, VERSION, now};
pub use self::repair::repair;
pub use self::scan::{JournalReader, RecordSpan};
pub use self::storage::as_storage;
pub use self::writer::{Commit, JournalWriter};
