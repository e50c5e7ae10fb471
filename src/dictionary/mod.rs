//! Describes every column of every CSV file and every member of every JSON file that surmise writes, with
//! unit and meaning. `surmise list columns` prints this data dictionary, and docs/data-dictionary.md contains
//! it. Tests compare the dictionary with the page and with the files that the subcommands write.

mod entry;
mod members;
mod page;

pub use self::entry::{Entry, entries};
pub use self::members::Members;
pub use self::page::markdown;
