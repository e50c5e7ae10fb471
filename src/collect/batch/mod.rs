//! Asks questions in batches, which cost less and are answered within a day.
//!
//! Questions without an answer are grouped into batches. For each batch, surmise reserves the maximum cost,
//! writes the requests to the journal, and then creates the batch. It stores the id of the batch durably
//! before it does anything else. If the process ends before the id is stored, the next run searches the
//! provider's list for the batch, so that the batch is not created twice. Results may arrive in any order and
//! are written to the journal like other answers.
//!
//! ```text
//! engine       rounds: prepare, submit, wait, take the results
//! prepare      questions -> intents of batches
//! submission   upload and creation, and the search for a batch that may exist
//! waiting      polls, with a line of status
//! faulty       batches that cannot be polled or fetched
//! results      the end of a batch: downloads until nothing is missing, and the requests without a result
//! reading      one download, and the outcome of every request in it
//! twins        batches that were created a second time
//! calls        calls of the batch API, with retries
//! context      what all of them share: records of batches and of the end of their requests
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
