//! Integration tests: truth that can be computed apart, edges that users meet.

mod channel;
mod channel_edges;
mod truth;
