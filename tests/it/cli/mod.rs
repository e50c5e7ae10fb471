//! Tests of the real binary, its commands and error messages, and of the files of the repository.

pub mod bad_input;
pub mod command;
pub mod data;
pub mod dictionary_page;
pub mod grammar;
pub mod methods;
pub mod old_files;
pub mod outputs;
pub mod reports;
pub mod semantic;
pub mod semantic_tables;
pub mod slow;
pub mod texts;
