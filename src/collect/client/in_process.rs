//! Defines the interface of a server that runs in this process and answers without a network.

use std::future::Future;
use std::pin::Pin;

/// A server that answers requests of this process.
pub trait InProcess: Send + Sync {
    /// Answers a POST of JSON to a path, such as `/v1/completions`, with a status and a body.
    fn post(&self, path: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = (u16, Vec<u8>)> + Send>>;
}
