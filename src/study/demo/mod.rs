//! Runs the demonstration: measures all models of the embedded families, predicts the two largest models of
//! each family from the smaller models, and compares the predictions with the measurements. It runs the same
//! steps as the subcommands `measure`, `observations`, `calibrate` and `predict`, and writes the same files.

mod held_out;
mod run;

pub use self::run::{CALIBRATION_FEATURES, DemoRun, DemoSettings, IGNORED_COLUMNS, LEVEL, run};
