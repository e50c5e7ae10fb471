//! Integration tests: truth that can be computed apart, reference states, and the real binary.

mod architectures;
mod bad_checkpoints;
mod bad_input;
mod bad_shards;
mod channel;
mod channel_edges;
mod checkpoints;
mod command;
mod data;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "hub")]
mod hub_faults;
#[cfg(feature = "hub")]
mod hub_server;
mod mutations;
mod parity;
mod reports;
mod second_reference;
mod table;
mod texts;
mod training;
mod truth;
