//! The real binary: its verbs, its refusals, and the files of the repository.

pub mod bad_input;
pub mod blind;
pub mod command;
pub mod data;
pub mod demo;
pub mod reports;
pub mod texts;
