//! Integration tests: truth that can be computed apart, reference states, and the real binary.

mod architectures;
mod bad_checkpoints;
mod bad_input;
mod channel;
mod channel_edges;
mod command;
mod data;
#[cfg(feature = "hub")]
mod hub;
mod parity;
mod training;
mod truth;
