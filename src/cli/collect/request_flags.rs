//! The flags that control how requests are sent.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::provider::{self, KeyHeader};

/// Default timeout of a request to a provider, in seconds.
const REMOTE_TIMEOUT_S: f64 = 300.0;
/// Default timeout for a server on this machine, in seconds. It is longer than for a provider, because a
/// small machine may take minutes for a long answer.
const LOCAL_TIMEOUT_S: f64 = 1800.0;

#[derive(Debug, Args)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestFlags {
    /// Largest number of requests in flight; the actual number adapts to the server's rate limit
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) concurrency: usize,
    /// Request timeout in seconds; timed-out requests may be billed [default: 300, or 1800 for a server on
    /// this machine]
    #[arg(long, value_name = "S")]
    pub(super) timeout_s: Option<f64>,
    /// Retries of a request after a server error (500, 502, 504)
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(super) retries: u32,
    /// Retries of a request that was sent but got no complete response; each may be billed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) unknown_retries: u32,
    /// What to do with requests that may have been billed without an answer, including requests that were in
    /// flight when an earlier run crashed
    #[arg(long, value_enum, default_value_t = OnUnknown::Retry)]
    pub(super) on_unknown: OnUnknown,
    /// First wait after a rejected request, in seconds; each further wait is twice as long as the previous
    /// one
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub(super) backoff_s: f64,
    /// Longest wait in seconds, even if the server asks for a longer one
    #[arg(long, value_name = "S", default_value_t = 120.0)]
    pub(super) max_wait_s: f64,
    /// End the run after this number of seconds without an answer
    #[arg(long, alias = "patience-s", value_name = "S", default_value_t = 900.0)]
    pub(super) idle_timeout_s: f64,
    /// HTTP header that contains the key [default: the header of the wire format]
    #[arg(long, value_parser = key_header_parser(), value_name = "HEADER")]
    pub(super) key_header: Option<KeyHeader>,
    /// PEM file with certificates to trust in addition to the certificates of the system
    #[arg(long, value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
    /// Do not sync records to disk; used to measure the cost of durability
    #[arg(long, hide = true)]
    pub(super) no_sync: bool,
}

impl RequestFlags {
    /// Checks that the numbers are in range.
    pub(super) fn check(&self) -> Result<()> {
        let fault = |name: &'static str, reason: &str| Err(Error::Parameter { name, reason: reason.into() });
        if !(1..=1024).contains(&self.concurrency) {
            return fault("--concurrency", "must be from 1 to 1024");
        }
        for (name, value) in [
            ("--timeout-s", self.timeout_s.unwrap_or(REMOTE_TIMEOUT_S)),
            ("--backoff-s", self.backoff_s),
            ("--max-wait-s", self.max_wait_s),
            ("--idle-timeout-s", self.idle_timeout_s),
        ] {
            if !(value > 0.0 && value <= 1e6) {
                return fault(name, "must be above 0 and at most a million");
            }
        }
        Ok(())
    }

    /// The timeout of a request, in seconds.
    pub(super) fn timeout_s(&self, is_local: bool) -> f64 {
        self.timeout_s.unwrap_or(if is_local { LOCAL_TIMEOUT_S } else { REMOTE_TIMEOUT_S })
    }
}

/// Accepts the key headers that the providers declare.
fn key_header_parser() -> impl TypedValueParser<Value = KeyHeader> {
    let value = |header: &KeyHeader| PossibleValue::new(header.name()).help(header.form());
    PossibleValuesParser::new(provider::key_headers().iter().map(value)).map(|name| {
        let known = provider::key_headers().into_iter().find(|header| header.name() == name);
        known.unwrap_or(KeyHeader::Bearer)
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnUnknown {
    /// Retry; the first request and its retry both count as billed
    Retry,
    /// Do not retry; leave the questions without an answer
    Fail,
}
