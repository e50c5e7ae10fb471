//! The state that all questions of a run share.

use std::sync::Arc;

use super::breaker::Breaker;
use super::limiter::Limiter;
use super::retry_policy::RetryPolicy;
use super::stop::Stop;
use crate::collect::budget::ledger::Budget;
use crate::collect::progress::Progress;
use crate::collect::secrets::Secrets;
use crate::error::Error;
use crate::provider::Provider;

/// The shared state of a run.
pub(crate) struct RunContext {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) endpoint: String,
    pub(crate) limiter: Limiter,
    pub(crate) budget: Budget,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) breaker: Breaker,
    pub(crate) stop: Arc<Stop>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) policy: RetryPolicy,
    /// Whether parameters that the model does not support are omitted.
    pub(crate) adapt: bool,
}

impl RunContext {
    /// Ends the run because of the endpoint.
    pub(crate) fn stop_for_endpoint(&self, reason: String) {
        self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
    }

    /// Ends the run because of the key or the account.
    pub(crate) fn stop_for_account(&self, reason: String) {
        self.stop.drain(Error::Account { endpoint: self.endpoint.clone(), reason });
    }
}
