#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod import;
pub mod numeric;
pub mod study;
// The line, from left to right.
pub mod calibration;
pub mod collect;
pub mod corpus;
pub mod emergence;
pub mod mi;
pub mod model;
pub mod observations;
pub mod provider;
pub mod report;
pub mod serve;

pub mod arrays;
pub mod cli;
pub mod disk;
pub mod error;
pub mod seed;

pub use error::{Error, Result};
