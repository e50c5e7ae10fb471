//! Defines how a batch server deviates from its normal behaviour.

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
    /// Results come in reverse order.
    pub is_reversed: bool,
    /// Every result comes twice.
    pub is_doubled: bool,
    /// The results contain an additional result for a request that is not in the batch.
    pub has_stranger: bool,
    /// Every n-th request of a batch fails with a server error, but only the first time that it is asked.
    pub error_every: Option<usize>,
    /// Results lack the ids of their requests.
    pub has_no_ids: bool,
    /// Number of downloads, from the first on, during which the connection breaks.
    pub cuts: usize,
    /// Number of further downloads that are truncated without an error.
    pub silent_cuts: usize,
    /// The result of the last request is always missing.
    pub lacks_last: bool,
    /// Maximum number of requests in a batch. Larger batches are refused.
    pub most_requests: Option<usize>,
    /// Status and message of the refusal of a large batch.
    pub size_refusal: Option<(u16, &'static str)>,
    /// Maximum number of requests in a batch according to a limit of the account. Larger batches are created,
    /// but fail as soon as they are polled.
    pub most_polled: Option<usize>,
    /// Number of creations, from the first on, that succeed although the connection breaks before the
    /// response.
    pub lost_creations: usize,
    /// Status of the responses to the lost creations, instead of a broken connection.
    pub lost_status: Option<u16>,
    /// Creations after the first are refused with this status and message.
    pub later_refusal: Option<(u16, &'static str)>,
    /// Batches of lost creations end at once.
    pub ends_lost: bool,
    /// Number of times, from the first on, that the list of batches is empty.
    pub empty_lists: usize,
    /// Batches have no names.
    pub has_no_names: bool,
    /// Batches do not state the file of their requests.
    pub has_no_files: bool,
    /// There is no list of batches.
    pub has_no_list: bool,
    /// A batch of another client with the same number of requests appears after our first batch.
    pub has_foreign: bool,
    /// Number of uploads, from the first on, that fail.
    pub lost_uploads: usize,
    /// Number of further polls after which an ended batch states its result files.
    pub late_files: u32,
    /// Number of further polls after which the first batch states its file of answers. It states its file of
    /// errors at once.
    pub late_output: u32,
    /// Number of lines after which the file of answers of the first batch is truncated.
    pub cut_lines: Option<usize>,
    /// Batches do not state how many requests were processed.
    pub has_no_counts: bool,
    /// All counts are 0.
    pub has_zero_counts: bool,
    /// The counts of failed requests include expired requests.
    pub counts_expired: bool,
    /// Batches cannot be cancelled.
    pub refuses_cancel: bool,
    /// Results are no longer available.
    pub has_no_results: bool,
    /// Results have ids of unknown requests.
    pub has_strange_ids: bool,
    /// All answers are wrong.
    pub is_wrong: bool,
    /// Delay of every answer.
    pub wait: Duration,
}

impl Script {
    /// Status and message of the refusal of a batch with this number of requests; `None` if it is not
    /// refused.
    pub(super) fn refused(&self, n: usize) -> Option<(u16, &'static str)> {
        let is_refused = self.most_requests.is_some_and(|most| n > most);
        is_refused.then(|| self.size_refusal.unwrap_or((413, "the request is too large")))
    }
}
