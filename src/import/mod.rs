//! Imports scores from the result files of other evaluation tools. Each tool has an [`Importer`]. To support
//! another tool, add a file or folder with its importer, and an entry in [`ALL`].

mod answers;
mod every_eval_ever;
mod files;
mod helm;
mod imported;
mod importer;
mod inspect;
mod keys;
mod lm_eval;
mod openai_evals;
mod opened;
mod registry;
mod run_facts;
mod settings;
mod simple_evals;

pub use self::answers::{ImportedItem, items_csv};
pub use self::files::{check_apart, import};
pub use self::imported::{ImportOptions, Imported, Provenance, SourceFile};
pub use self::importer::Importer;
pub use self::opened::{Form, Opened};
pub use self::registry::ALL;
