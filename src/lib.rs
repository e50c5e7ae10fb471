//! surmise
#![deny(unsafe_code)]

pub mod calibration;
pub mod cli;
pub mod collect;
pub mod corpus;
pub mod disk;
pub mod error;
pub mod line;
pub mod mi;
pub mod model;
pub mod observations;
pub mod profile;
pub mod seed;

pub use error::{Error, Result};
