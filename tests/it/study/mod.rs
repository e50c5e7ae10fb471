//! Tests of studies through the real binary: the study file and its mistakes, tasks that run only once,
//! shards, and continuation after a kill.

mod closed;
mod file;
mod run;
mod slow;
pub mod support;
