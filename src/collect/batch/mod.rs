//! Asking in batches, which cost less and are answered within a day.
//!
//! The questions without an answer become batches: the maximum cost of each is reserved, the requests are
//! written to the journal as those of any other route, and only then is the batch created. Its id is durable
//! before anything else happens; a process that ends before that leaves a batch which is looked for in the
//! provider's list, so that it is not created twice. Results are journalled as answers, whatever their order.
//!
//! ```text
//! engine       rounds: prepare, submit, wait, take the results
//! prepare      questions -> intents of batches
//! submission   upload and creation, and the search for a batch that may exist
//! waiting      polls, with a line of status
//! results      downloads, and the outcome of every request
//! twins        batches that were created a second time
//! context      what all of them share: calls with retries, and records
//! ```

mod context;
mod engine;
mod prepare;
mod results;
mod settings;
mod submission;
mod twins;
mod waiting;

pub(super) use self::engine::{hold, run};
pub use self::settings::BatchSettings;
