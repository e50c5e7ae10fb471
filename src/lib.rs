//! surmise
pub mod collect;
pub mod corpus;
pub mod error;
pub mod model;
pub mod seed;

pub use error::{Error, Result};
