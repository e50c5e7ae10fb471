//! JSON as servers really send it.

use serde_json::Value;

/// Reads a body.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}
