//! Exports the answers of a collection in the formats of other tools. Each format has an [`Exporter`]. To add
//! a format, add one file and one row in [`ALL`].

mod collected;
mod every_eval_ever;
mod exporter;
mod inspect_json;
mod lm_eval;
mod registry;

pub use self::collected::{Collected, CollectedAnswer, CollectedItem, CollectedTask};
pub use self::exporter::{ExportFile, Exporter, write};
pub use self::registry::{ALL, find};
