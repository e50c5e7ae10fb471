//! How models are served.

use std::net::IpAddr;
use std::time::Duration;

/// How models are served.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address to listen on; loopback by default.
    pub host: IpAddr,
    /// Port; 0 chooses a free one.
    pub port: u16,
    /// Sequences of one model that are decoded at once.
    pub max_concurrent: usize,
    /// Sequences of one model that may wait; further requests get status 503.
    pub max_waiting: usize,
    /// Timeout of a request.
    pub timeout: Duration,
    /// The key that clients must send as `Authorization: Bearer KEY`, if any.
    pub key: Option<String>,
    /// Seed of requests without one.
    pub seed: u64,
}
