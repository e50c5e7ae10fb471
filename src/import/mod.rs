//! Importing scores of other tools. Each tool has an [`Importer`]; to add one: one file or folder, and one
//! row in [`ALL`].

mod files;
mod imported;
mod importer;
mod lm_eval;
mod registry;

pub use self::files::{check_apart, import};
pub use self::imported::{ImportOptions, Imported, Provenance, SourceFile};
pub use self::importer::Importer;
pub use self::registry::ALL;
