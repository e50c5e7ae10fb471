//! Studies through the real binary: the study file and its mistakes, tasks that are done once, shards, and
//! what a killed process leaves.

mod closed;
mod file;
mod run;
mod slow;
pub mod support;
