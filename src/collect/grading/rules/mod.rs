//! Contains the rules, one file each. Several rules share [`stated`], which finds the answer that a text
//! states, and [`bounds`], which checks where a right answer begins and ends inside a text.

pub(super) mod bounds;
pub mod choice;
pub mod contains;
mod documents;
pub mod exact;
pub mod first_line;
pub mod json;
pub mod letter;
mod links;
pub mod logprob;
pub mod number;
pub mod pattern;
pub mod prefix;
pub(super) mod stated;
mod taken_back;
