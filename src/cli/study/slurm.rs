//! `surmise slurm`: prints a job script for a study.

use std::path::{Path, PathBuf};

use clap::Args;

use super::opened::{Opened, StudyFlags};
use crate::cli::{print, status};
use crate::error::{Error, Result};
use crate::study::slurm::{SlurmSettings, script};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    #[command(flatten)]
    study: StudyFlags,
    /// Number of jobs in the array; each job runs a share of the tasks
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    array: u16,
    /// Time limit of a job, in Slurm's format
    #[arg(long, value_name = "TIME", default_value = "04:00:00")]
    time: String,
    /// Memory of a job, in Slurm's format
    #[arg(long, value_name = "SIZE", default_value = "8G")]
    mem: String,
    /// Number of cores of a job
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    cpus: u16,
    /// Partition [default: the default partition of the cluster]
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let Opened { study, tasks, folder, .. } = flags.study.open(false, quiet)?;
    let settings = SlurmSettings {
        array: flags.array.into(),
        time: flags.time.clone(),
        memory: flags.mem.clone(),
        cpus: flags.cpus.into(),
        partition: flags.partition.clone(),
    };
    let absolute = |path: &Path| -> Result<PathBuf> {
        std::path::absolute(path).map_err(|source| Error::Read { path: path.into(), source })
    };
    let binary = std::env::current_exe().unwrap_or_else(|_| "surmise".into());
    let text = script(&binary, &absolute(&study.file.path)?, &absolute(folder.path())?, &settings);
    print(text.as_bytes())?;
    if !quiet {
        status(&format!(
            "{} tasks in {} jobs; save the script and run it with bash on a machine that has sbatch",
            tasks.len(),
            flags.array
        ));
    }
    Ok(())
}
