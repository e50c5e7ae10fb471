//! The commands of a study: init, plan, run, status, doctor, fetch, slurm, merge.

pub(super) mod bundled;
mod display;
pub(super) mod doctor;
pub(super) mod fetch;
pub(super) mod init;
mod interrupts;
pub(super) mod merge;
mod opened;
pub(super) mod plan;
mod predictions;
pub(super) mod run;
pub(super) mod slurm;
pub(super) mod status;
mod table;

pub(super) use self::display::Display;
pub(super) use self::interrupts::Interrupts;
pub(super) use self::opened::ListingFlags;
pub(super) use self::predictions::print_predictions;
