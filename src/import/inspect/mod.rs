//! Imports logs of Inspect (UK AI Security Institute): `.eval` archives and `.json` files, log versions 1 and
//! 2.

mod archive;
mod importer;
mod log;
mod scorers;

pub use self::importer::Inspect;
