//! Sends requests. Contains the HTTP client, the rate limiter, the worker that asks a question, and the
//! decision whether to retry, for example after a 429 (`retry_decision`).

pub(super) mod aimd;
pub(super) mod answer_monitor;
pub(super) mod breaker;
pub mod endpoint;
pub mod http;
pub mod in_process;
pub(super) mod latency;
pub mod limiter;
pub(super) mod question;
pub(super) mod received;
pub(super) mod response_record;
pub(super) mod retry_decision;
pub mod retry_policy;
pub(super) mod run_context;
pub mod stop;
pub mod worker;

pub use self::endpoint::Endpoint;
