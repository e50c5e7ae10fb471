//! Runs whole studies. A study file names open and closed models and the questions to ask them. It determines
//! a plan of independent tasks, which can run on one machine or many and can be stopped at any time.
//! Predictions and reports are made from the results of the tasks. The module also contains the demonstration
//! on the embedded families, and the blind test.
//!
//! | file | contents |
//! |---|---|
//! | `file/` | reads and checks `study.toml` |
//! | `models.rs`, `checked.rs` | resolve the names in the file to models, corpora, prices and keys |
//! | `task.rs`, `shard.rs` | list the tasks and assign them to machines |
//! | `results.rs`, `claim.rs` | the result folder: finished tasks, and the process that works on each task |
//! | `execute.rs`, `asking.rs`, `run.rs`, `progress.rs` | run the tasks |
//! | `observed.rs`, `card.rs`, `baselines.rs`, `predict.rs` | observations, calibration, predictions |
//! | `publish.rs`, `finish.rs` | write the tables and reports |
//! | `plan.rs`, `status.rs`, `doctor.rs`, `outside.rs`, `slurm.rs`, `merge.rs` | output of the subcommands |

mod asking;
mod baselines;
pub mod blind;
pub mod card;
mod checked;
mod claim;
pub mod demo;
mod doctor;
mod execute;
pub mod file;
mod finish;
pub mod merge;
mod models;
mod observed;
mod outside;
mod parts;
mod plan;
mod predict;
mod progress;
mod publish;
mod results;
mod run;
mod shard;
pub mod slurm;
mod status;
mod task;

pub use self::checked::{Api, ClosedTarget, Study};
pub use self::doctor::{Diagnosis, doctor};
pub use self::finish::{StudyEnd, StudyPart, run_study};
pub use self::models::{KnownModels, StudyModel};
pub use self::outside::{Outside, outside};
pub use self::plan::{PlanRow, plan};
pub use self::predict::StudyPredictions;
pub use self::progress::RunProgress;
pub use self::results::{DoneRecord, FailedRecord, FileRecord, StudyFolder, TaskState};
pub use self::run::{RunSettings, TaskEnd, free_memory_bytes};
pub use self::shard::{Shard, place};
pub use self::status::{StatusRow, status};
pub use self::task::{StudyTask, TaskCost, TaskKind, tasks};
