//! Imports results and samples of the lm-evaluation-harness (EleutherAI), versions 0.3 to 0.4.13. Copies only
//! settings that cannot contain an API key, and reports the names of the other settings.

mod importer;
mod metrics;
mod results;
mod run;
mod samples;
mod settings;

pub use self::importer::LmEval;
