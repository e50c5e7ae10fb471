//! The deviations of a server of batches from its normal behaviour.

use std::time::Duration;

/// The deviations of a server from its normal behaviour.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script {
    /// Number of polls of a batch before it ends.
    pub polls: u32,
    /// Batches never end, unless they are cancelled.
    pub is_endless: bool,
    /// The first batch expires after this number of requests.
    pub expires_after: Option<usize>,
    /// Results come in another order.
    pub is_reversed: bool,
    /// Every result comes twice.
    pub is_doubled: bool,
    /// There is a result for a request that was not asked.
    pub has_stranger: bool,
    /// One in this number of requests fails with a server error, the first time.
    pub error_every: Option<usize>,
    /// Results lack the ids of their requests.
    pub has_no_ids: bool,
    /// This number of downloads break off in the middle.
    pub cuts: usize,
    /// This number of downloads are truncated without an error.
    pub silent_cuts: usize,
    /// Results always lack the last request.
    pub lacks_last: bool,
    /// Larger batches are refused.
    pub most_requests: Option<usize>,
    /// Status and message of that refusal.
    pub size_refusal: Option<(u16, &'static str)>,
    /// Larger batches fail as soon as they are polled, because of a limit of the account.
    pub most_polled: Option<usize>,
    /// This number of creations succeed, but the connection breaks before the answer.
    pub lost_creations: usize,
    /// The status of the answers to these creations, instead of a broken connection.
    pub lost_status: Option<u16>,
    /// Creations after the first are refused with this status and message.
    pub later_refusal: Option<(u16, &'static str)>,
    /// Batches of lost creations end at once.
    pub ends_lost: bool,
    /// This number of lists are empty.
    pub empty_lists: usize,
    /// Batches have no names.
    pub has_no_names: bool,
    /// Batches do not state the file of their requests.
    pub has_no_files: bool,
    /// There is no list of batches.
    pub has_no_list: bool,
    /// A batch of another client with as many requests appears after our first batch.
    pub has_foreign: bool,
    /// This number of uploads fail.
    pub lost_uploads: usize,
    /// The files of an ended batch get their names only after this number of further polls.
    pub late_files: u32,
    /// The file of answers of the first batch gets its name only after this number of further polls, although
    /// that of the errors has one.
    pub late_output: u32,
    /// The file of answers of the first batch ends after this number of lines.
    pub cut_lines: Option<usize>,
    /// Batches have no counts of requests.
    pub has_no_counts: bool,
    /// The counts of failed requests include those that expired.
    pub counts_expired: bool,
    /// Batches cannot be cancelled.
    pub refuses_cancel: bool,
    /// Results are no longer available.
    pub has_no_results: bool,
    /// Results have ids that were never asked.
    pub has_strange_ids: bool,
    /// The right answer is never given.
    pub is_wrong: bool,
    /// Delay of every answer.
    pub wait: Duration,
}

impl Script {
    /// Status and message of the refusal of this number of requests.
    pub(super) fn refused(&self, n: usize) -> Option<(u16, &'static str)> {
        let is_refused = self.most_requests.is_some_and(|most| n > most);
        is_refused.then(|| self.size_refusal.unwrap_or((413, "the request is too large")))
    }
}
