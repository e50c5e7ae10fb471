//! Defines the journal records of batches. The requests of a batch are intents that contain its name.
//! Separate records note the stage of the batch; each is durable before the next stage begins:
//!
//! ```text
//! intent, intent, ...   the requests
//! prepared              all intents of the batch are written
//! uploaded              the file with the requests has an id
//! submitting            from here on, the batch may exist on the server
//! not_created           the batch does not exist: the server certainly did not carry out the call
//! created               the batch has an id (`found`: an id that surmise found in a list of unnamed batches)
//! outcome, outcome, ... the results of the requests
//! ended                 every request has an outcome
//! ```

use serde::{Deserialize, Serialize};

/// The stage that a batch has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStage {
    /// All requests have their intents.
    Prepared,
    /// The requests are uploaded to the file `id`.
    Uploaded,
    /// The call that creates the batch is about to be sent; `id` is the newest batch that existed before the
    /// call.
    Submitting,
    /// The server certainly did not carry out the call that the last record `submitting` announced.
    NotCreated,
    /// The server created the batch as `id`.
    Created,
    /// The batch `id` is probably this batch. Some providers do not name batches, so surmise identifies a
    /// batch by its position in the list and its number of requests.
    Found,
    /// The batch `id` was a wrong match for this batch.
    Foreign,
    /// Every request has an outcome.
    Ended,
}

/// A record of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// The name that surmise gave the batch.
    pub batch: String,
    /// Time in UTC.
    pub at: String,
    /// The stage that the batch has reached.
    pub stage: BatchStage,
    /// Id of a file or a batch; [`BatchStage`] states its meaning for each stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Provider and base URL, in the record `prepared`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Number of requests, in the record `prepared`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// How the batch ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

impl BatchRecord {
    /// A record of a stage without further members.
    pub fn new(batch: &str, at: String, stage: BatchStage) -> Self {
        Self { batch: batch.into(), at, stage, id: None, endpoint: None, n: None, end: None }
    }
}

/// A batch that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenBatch {
    /// The name that surmise gave the batch.
    pub name: String,
    /// Provider and base URL.
    pub endpoint: String,
    /// Number of requests.
    pub n: u64,
    /// Id of the uploaded file.
    pub file: Option<String>,
    /// How many times the batch may have been created: the number of calls that create it, without calls that
    /// were certainly not carried out.
    pub n_submitted: u32,
    /// Id of the newest batch that existed before the first attempt to create this batch.
    pub newest_before: Option<String>,
    /// Id of the batch on the server.
    pub id: Option<String>,
    /// Whether the id was identified by position and number of requests, so that it may belong to another
    /// batch.
    pub is_guess: bool,
    /// Ids of batches that were wrong matches for this batch.
    pub foreign: Vec<String>,
}

impl OpenBatch {
    /// Applies a record of this batch.
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
                // Any batch that was created since the first attempt may be this batch.
                if self.n_submitted == 0 {
                    self.newest_before = id;
                }
                self.n_submitted += 1;
            }
            BatchStage::NotCreated => self.n_submitted = self.n_submitted.saturating_sub(1),
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
