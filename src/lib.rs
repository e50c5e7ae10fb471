#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

// The line, from left to right: models measured inside, models asked from outside, the table of both, the
// calibration on it, whole studies, and reports.
pub mod corpus;
pub mod emergence;
pub mod mi;
pub mod model;

pub mod collect;
pub mod import;
pub mod provider;
pub mod serve;

pub mod calibration;
pub mod observations;
pub mod report;
pub mod study;

// What all of them stand on.
pub mod arrays;
pub mod cli;
pub mod disk;
pub mod error;
mod finite;
pub mod numeric;
pub mod seed;

pub use error::{Error, Result};
