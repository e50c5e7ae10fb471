//! Asks questions in batches, which cost less and are answered within a day.
//!
//! Questions without an answer are grouped into batches. For each batch, the maximum cost is reserved, the
//! requests are written to the journal, and only then is the batch created. The id of the batch is durable
//! before anything else happens. If the process ends earlier, the next run searches the provider's list for
//! the batch, so that it is not created twice. Results are written to the journal as answers, in any order.
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
