//! Batches in the journal. The requests of a batch are intents that name it; its own records say how far it
//! came, each durable before the next step:
//!
//! ```text
//! intent, intent, ...   the requests
//! prepared              all of them are there
//! uploaded              the file with the requests has an id
//! submitting            the batch may exist from here on
//! created               it has an id (or `found`, where it was looked for and has no name)
//! outcome, outcome, ... its results
//! ended                 every request has an outcome
//! ```

use serde::{Deserialize, Serialize};

/// How far a batch came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStage {
    /// All requests have their intents.
    Prepared,
    /// The requests are uploaded, to the file `id`.
    Uploaded,
    /// The call that creates it is about to be sent; `id` is the newest batch that was there before.
    Submitting,
    /// The server created it as `id`.
    Created,
    /// The batch `id` may be it: where batches have no names, its place in the list and its size tell.
    Found,
    /// The batch `id`, which was taken for this one, is another.
    Foreign,
    /// Every request has an outcome.
    Ended,
}

/// A record of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// Our name of the batch.
    pub batch: String,
    /// When, UTC.
    pub at: String,
    /// How far it came.
    pub stage: BatchStage,
    /// What the stage says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Provider and base URL, where it is prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Number of requests, where it is prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

impl BatchRecord {
    /// A record of a stage without more.
    pub fn new(batch: &str, at: String, stage: BatchStage) -> Self {
        Self { batch: batch.into(), at, stage, id: None, endpoint: None, n: None, end: None }
    }
}

/// A batch that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenBatch {
    /// Our name of it.
    pub name: String,
    /// Provider and base URL.
    pub endpoint: String,
    /// Number of its requests.
    pub n: u64,
    /// The uploaded file.
    pub file: Option<String>,
    /// How often it may have been created.
    pub n_submitted: u32,
    /// The newest batch that was there before its first creation.
    pub newest_before: Option<String>,
    /// The server's id.
    pub id: Option<String>,
    /// Whether the id may be that of somebody else's batch.
    pub is_guess: bool,
    /// Batches that were taken for this one and are others.
    pub foreign: Vec<String>,
}

impl OpenBatch {
    /// Notes a record of this batch.
    pub fn note(&mut self, record: &BatchRecord) {
        self.name.clone_from(&record.batch);
        let id = record.id.clone();
        match record.stage {
            BatchStage::Prepared => {
                self.n = record.n.unwrap_or(0);
                self.endpoint = record.endpoint.clone().unwrap_or_default();
            }
            BatchStage::Uploaded => self.file = id,
            BatchStage::Submitting => {
                // What was created since the first attempt may be ours.
                if self.n_submitted == 0 {
                    self.newest_before = id;
                }
                self.n_submitted += 1;
            }
            BatchStage::Created | BatchStage::Found => {
                self.id = id;
                self.is_guess = record.stage == BatchStage::Found;
            }
            BatchStage::Foreign => {
                self.foreign.extend(id);
                self.id = None;
            }
            BatchStage::Ended => {}
        }
    }
}
