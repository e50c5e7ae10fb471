//! Integration tests: independently computed values, reference states, and the real binary.
//!
//! The folders are those of `src`, with these exceptions: `collect` tests providers and imports,
//! `calibration` tests observations, and `cli` tests tables of reports through the binary; `report` tests
//! figures and the page. `hostile` tests harmful input of every kind. `structure` checks the source itself,
//! `documents` checks README.md and docs/. `--skip slow::` leaves out the tests in modules named `slow`.

mod calibration;
mod cli;
mod collect;
mod documents;
mod emergence;
mod hostile;
mod mi;
mod model;
mod report;
mod serve;
mod structure;
mod study;
mod support;
