//! Tests that take a minute or more.

mod kinds;
mod mutate;
mod mutations;
mod others;
mod signed;
#[cfg(unix)]
mod tokenizers;
