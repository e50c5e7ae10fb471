//! Code that several tests share: samples with known answers, tables, and scripted servers.

#[cfg(unix)]
pub mod batch_script;
pub mod batch_server;
pub mod batch_wires;
pub mod browser;
pub mod collect_case;
pub mod fault_server;
pub mod generated;
pub mod gguf;
#[cfg(feature = "hub")]
pub mod hub_server;
pub mod tidy;
pub mod truth;
