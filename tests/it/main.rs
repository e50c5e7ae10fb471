//! Integration tests: truth that can be computed apart, reference states, and the real binary.

mod architectures;
mod bad_checkpoints;
mod bad_input;
mod bad_shards;
mod blind;
mod calibration;
mod calibration_bad_input;
mod calibration_guards;
mod calibration_refusals;
mod calibration_unknown;
mod channel;
mod channel_edges;
mod checkpoints;
mod clients;
mod collect_guards;
mod command;
mod contract;
mod contract_matrix;
mod data;
mod fault_server;
mod faults;
mod faults_answers;
mod faults_folder;
mod faults_keys;
mod faults_limits;
mod faults_transport;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "hub")]
mod hub_faults;
#[cfg(feature = "hub")]
mod hub_server;
mod import;
mod independence;
mod information;
mod kills;
mod mutations;
mod observations;
mod panics;
mod parity;
mod providers;
mod reports;
mod results;
mod second_reference;
mod serve;
mod served_scores;
mod soak;
mod table;
mod tasks;
mod texts;
mod tidy;
mod training;
mod truth;
mod wire;
mod wire_scores;
