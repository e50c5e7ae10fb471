//! What a server of batches does wrong.

use std::time::Duration;

/// What a server does beside the usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script {
    /// Polls of a batch before it ends.
    pub polls: u32,
    /// Batches never end, unless they are cancelled.
    pub is_endless: bool,
    /// The first batch expires after so many requests.
    pub expires_after: Option<usize>,
    /// Results in another order.
    pub is_reversed: bool,
    /// Every result twice.
    pub is_doubled: bool,
    /// A result for a request that was not asked.
    pub has_stranger: bool,
    /// Of every so many requests one is an error of the server, the first time.
    pub error_every: Option<usize>,
    /// Results lack the ids of their requests.
    pub has_no_ids: bool,
    /// So many downloads are cut in the middle.
    pub cuts: usize,
    /// So many downloads end in the middle as if they were whole.
    pub silent_cuts: usize,
    /// Results always lack the last request.
    pub lacks_last: bool,
    /// Larger batches are refused.
    pub most_requests: Option<usize>,
    /// Status and message of that refusal.
    pub size_refusal: Option<(u16, &'static str)>,
    /// Larger batches fail as soon as they are polled, for a limit of the account.
    pub most_polled: Option<usize>,
    /// So many creations are carried out, and the connection breaks before the answer.
    pub lost_creations: usize,
    /// Creations after the first are refused with this status and message.
    pub later_refusal: Option<(u16, &'static str)>,
    /// Batches of lost creations end at once.
    pub ends_lost: bool,
    /// So many lists are empty.
    pub empty_lists: usize,
    /// Batches have no names.
    pub has_no_names: bool,
    /// Batches do not state the file of their requests.
    pub has_no_files: bool,
    /// There is no list of batches.
    pub has_no_list: bool,
    /// A batch of somebody else appears after the first of ours, with as many requests.
    pub has_foreign: bool,
    /// So many uploads fail.
    pub lost_uploads: usize,
    /// The files of an ended batch have their names only after so many more polls.
    pub late_files: u32,
    /// Batches cannot be cancelled.
    pub refuses_cancel: bool,
    /// Results are not there any more.
    pub has_no_results: bool,
    /// Results have ids that were never asked.
    pub has_strange_ids: bool,
    /// The right answer is never given.
    pub is_wrong: bool,
    /// Every answer takes so long.
    pub wait: Duration,
}

impl Script {
    /// Status and message of the refusal of so many requests.
    pub(super) fn refused(&self, n: usize) -> Option<(u16, &'static str)> {
        let is_refused = self.most_requests.is_some_and(|most| n > most);
        is_refused.then(|| self.size_refusal.unwrap_or((413, "the request is too large")))
    }
}
