//! Integration tests: truth that can be computed apart, reference states, and the real binary.
//!
//! The folders are those of `src`, with these exceptions: providers and imports are tested in `collect`,
//! whose files they become, observations in `calibration`, and tables of reports through the binary in
//! `cli`; figures and the page are in `report`. What is made to harm is in `hostile`, of whatever kind it
//! is. `structure` checks the source itself, `documents` README.md and docs/. Tests in a module `slow` can be
//! left out by `--skip slow::`.

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
