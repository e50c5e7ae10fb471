//! Tests that take a minute or more.

mod mutate;
mod mutations;
mod signed;
