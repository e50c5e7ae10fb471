//! The demonstration: all members of the embedded family are measured, the two largest of each family are
//! predicted from the smaller ones, and predictions stand beside measurements. It takes the same steps as the
//! verbs `measure`, `observations`, `calibrate` and `predict`, and writes the same files.

mod held_out;
mod run;

pub use self::run::{CALIBRATION_FEATURES, DemoRun, DemoSettings, IGNORED_COLUMNS, LEVEL, run};
