//! Defines the state that all questions of a run share.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use super::breaker::Breaker;
use super::latency::Latency;
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
    /// Whether parameters that the model does not support are adapted.
    pub(crate) adapt: bool,
    /// Durations of the answers so far.
    pub(crate) latency: Latency,
    /// Whether the server answered a question in this run, which shows that it accepts the key.
    pub(crate) has_answered: AtomicBool,
    /// Kinds of messages that this run has reported. Each kind is reported once.
    pub(crate) said: Mutex<HashSet<&'static str>>,
}

impl RunContext {
    /// Reports a status message, once per run for each `kind`.
    pub(crate) fn say_once(&self, kind: &'static str, line: &str) {
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(kind) {
            self.progress.say(line);
        }
    }

    /// Ends the run with an error about the endpoint.
    pub(crate) fn stop_for_endpoint(&self, reason: String) {
        self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
    }

    /// Ends the run with an error about the key or the account.
    pub(crate) fn stop_for_account(&self, reason: String) {
        self.stop.drain(Error::Account { endpoint: self.endpoint.clone(), reason });
    }
}
