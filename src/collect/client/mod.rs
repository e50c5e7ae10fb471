//! Requests: one worker per question, the HTTP client, the rate limiter, and the decision to retry.

pub(super) mod breaker;
pub mod http;
pub mod limiter;
pub(super) mod retry_decision;
pub mod stop;
pub mod worker;
