//! The rules, one file each. [`stated`] finds the answer that a text states, and [`bounds`] where a right
//! answer ends inside a text; several rules use them.

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
