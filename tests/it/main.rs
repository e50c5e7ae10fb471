//! Integration tests: truth that can be computed apart, reference states, and the real binary.

mod calibration;
mod cli;
mod collect;
mod emergence;
mod mi;
mod model;
mod serve;
mod structure;
mod support;
