//! The data dictionary: every column of every CSV file and every member of every JSON file that surmise
//! writes, with its unit and meaning. `surmise list columns` prints it, docs/data-dictionary.md shows it, and
//! a test compares both with the files that the verbs write.

mod entry;
mod members;
mod page;

pub use self::entry::{Entry, entries};
pub use self::members::Members;
pub use self::page::markdown;
