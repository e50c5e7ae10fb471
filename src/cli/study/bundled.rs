//! Runs the bundled study on embedded models, for `surmise` without a command, and summarises its result.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Display, Interrupts, print_predictions};
use crate::cli::{TableFlags, status};
use crate::disk;
use crate::error::{Error, Result};
use crate::model::hub::Hub;
use crate::study::file::{EMBEDDED, StudyFile};
use crate::study::{
    KnownModels, RunSettings, Study, StudyFolder, StudyPart, free_memory_bytes, run_study, tasks,
};

/// Runs the bundled study in `output`, or in a folder that is removed afterwards.
pub(in crate::cli) fn run(output: Option<&Path>, table: &TableFlags, quiet: bool) -> Result<()> {
    table.check(None, [])?;
    let temporary = disk::TemporaryFolder::begin()
        .map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let folder: PathBuf = output.map_or_else(|| temporary.path().into(), Path::to_path_buf);
    let hub = Hub::from_env()?.offline();
    let file = StudyFile::parse("study.toml".as_ref(), EMBEDDED)?;
    let study = Study::of(file, vec![], &mut KnownModels::default(), &hub, true)?;
    let folder = StudyFolder::new(&folder);
    folder.check(&study.file.path)?;
    let tasks = tasks(&study);
    let interrupts = Interrupts::start();
    let display = Display::start(quiet);
    let settings = RunSettings {
        hub: &hub,
        jobs: None,
        memory_bytes: free_memory_bytes(),
        waits: true,
        say: display.say.clone(),
        interrupt: Arc::new(move |stop| interrupts.add(stop)),
    };
    let progress = display.progress.clone();
    let end = run_study(&study, &tasks, &folder, StudyPart::default(), &settings, &progress);
    drop(display);
    let end = end?;
    if let Some((id, error)) = end.failed().first() {
        let reason = format!("the bundled study failed at `{id}`: {}", error.chain());
        return Err(Error::Study { reason });
    }
    let rows = end.predictions.as_ref().map(|made| made.predictions.as_slice()).unwrap_or_default();
    print_predictions(rows, table)?;
    if let Some(summary) = end.summary().filter(|_| !quiet) {
        let level = study.file.calibration.level;
        status(&format!(
            "The study measured {} models of {} families and treated {} more models as closed. It \
             predicted the share of semantic information in the states of the closed models from their \
             answers, with a mean absolute error of {:.3}. Baselines: {:.3} for the mean of the other \
             models, {:.3} for a regression on the true size. {} of {} measured values lie in their {:.0} % \
             prediction interval. The results for these tiny models are not a calibration for real \
             models. `surmise init` writes this study to a file that you can adapt.",
            study.models.len(),
            study.file.open.len(),
            study.closed.len(),
            summary.mae.unwrap_or(f64::NAN),
            summary.mean_mae.unwrap_or(f64::NAN),
            summary.size_line_mae.unwrap_or(f64::NAN),
            summary.n_inside,
            summary.n_intervals,
            100.0 * level,
        ));
    }
    Ok(())
}
