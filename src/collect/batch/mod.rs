//! Asks questions in batches, which cost less and are answered within a day.
//!
//! Questions without an answer are grouped into batches. For each batch, surmise reserves the maximum cost,
//! writes the requests to the journal, and then creates the batch. It stores the id of the batch durably
//! before it does anything else. If the process ends before the id is stored, the next run searches the
//! provider's list for the batch, so that the batch is not created twice. Results may arrive in any order and
//! are written to the journal like other answers.
//!
//! ```text
//! engine       runs the rounds: prepare, submit, wait, store the results
//! prepare      groups questions into batches and writes their intents
//! submission   uploads and creates a batch, and searches for a batch that may exist
//! waiting      polls the batches and shows their progress
//! faulty       lists the batches that cannot be polled or fetched
//! results      downloads results until none is missing, and books requests without a result
//! reading      reads one download and writes the outcome of every request in it
//! twins        finds batches that were created twice
//! calls        calls the batch API, with retries
//! context      writes records and outcomes for the other modules
//! ```

mod calls;
mod context;
mod engine;
mod faulty;
mod prepare;
mod reading;
mod results;
mod settings;
mod submission;
mod twins;
mod waiting;

pub(super) use self::engine::{hold, run};
pub use self::settings::BatchSettings;
