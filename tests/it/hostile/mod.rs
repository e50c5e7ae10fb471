//! Tests harmful input from other sources: files, cells, names, requests and signals. The real binary
//! responds to each input with a result or one message: it does not panic, abort, run without end or fill the
//! memory.

pub mod archive;
pub mod archives;
pub mod bounded;
pub mod bounds;
#[cfg(unix)]
pub mod files;
pub mod pickles;
pub mod reports;
#[cfg(unix)]
pub mod requests;
#[cfg(unix)]
pub mod signals;
pub mod slow;
pub mod templates;
#[cfg(unix)]
pub mod terminal;
pub mod tokenizers;
#[cfg(unix)]
pub mod tokenizers_served;
#[cfg(unix)]
pub mod view;
