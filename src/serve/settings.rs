//! The settings of a model server.

use std::net::IpAddr;
use std::time::Duration;

/// The settings of a model server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address to listen on; loopback by default.
    pub host: IpAddr,
    /// Port; 0 selects a free port.
    pub port: u16,
    /// Number of sequences per model that are decoded at the same time.
    pub max_concurrent: usize,
    /// Number of sequences per model that may wait; further requests get status 503.
    pub max_waiting: usize,
    /// Time limit of a request.
    pub timeout: Duration,
    /// The key that clients must send as `Authorization: Bearer KEY`; `None` requires no key.
    pub key: Option<String>,
    /// Seed for requests without a `seed`.
    pub seed: u64,
}
