//! Imports results and samples of the lm-evaluation-harness (EleutherAI), versions 0.3 to 0.4.13. Only
//! members that cannot contain a key are copied; the names of the others are reported.

mod importer;
mod metrics;
mod results;
mod run;
mod samples;
mod settings;

pub use self::importer::LmEval;
