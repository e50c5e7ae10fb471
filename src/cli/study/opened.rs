//! Opens a study file, with its folder, models and tasks.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{TableFlags, status};
use crate::disk;
use crate::error::Result;
use crate::model::hub::Hub;
use crate::study::file::StudyFile;
use crate::study::{KnownModels, Study, StudyFolder, StudyTask, tasks};

/// The study file and its folder.
#[derive(Debug, Args)]
pub(super) struct StudyFlags {
    /// Study file; `surmise init` writes one
    #[arg(value_name = "STUDY", default_value = "study.toml")]
    pub study: PathBuf,
    /// Folder of the results [default: the folder that the study file sets, else the path of the study file
    /// without .toml]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Download nothing and use only the cache, as with HF_HUB_OFFLINE=1
    #[arg(long)]
    pub offline: bool,
}

/// The flags of a command that prints a table of a study.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListingFlags {
    #[command(flatten)]
    study: StudyFlags,
    #[command(flatten)]
    pub(super) table: TableFlags,
}

impl ListingFlags {
    /// Checks the output files of the table, and opens the study.
    ///
    /// # Errors
    /// Returns the errors of [`TableFlags::check`] and [`StudyFlags::open`].
    pub(super) fn open(&self, quiet: bool) -> Result<Opened> {
        self.table.check(None, [&self.study.study])?;
        self.study.open(false, quiet)
    }
}

/// A study that was read and checked.
pub(super) struct Opened {
    pub study: Study,
    pub tasks: Vec<StudyTask>,
    pub folder: StudyFolder,
    pub hub: Hub,
}

impl StudyFlags {
    pub fn hub(&self, quiet: bool) -> Result<Hub> {
        let hub = Hub::from_env()?;
        let hub = if self.offline { hub.offline() } else { hub };
        Ok(if quiet { hub } else { hub.with_progress().with_notes(status) })
    }

    /// The folder of the results of a study file.
    pub fn folder(&self, file: &StudyFile) -> PathBuf {
        let beside = || {
            let parent = file.path.parent().unwrap_or(Path::new(""));
            parent.join(disk::file_stem(&file.path))
        };
        self.output.clone().or_else(|| file.output.clone()).unwrap_or_else(beside)
    }

    /// Reads and checks the whole study file. `kept` creates the result folder. The hashes of the models are
    /// stored in the result folder if it exists.
    ///
    /// # Errors
    /// [`crate::Error::StudyFile`] that lists all mistakes in the file.
    pub fn open(&self, kept: bool, quiet: bool) -> Result<Opened> {
        let (file, found) = StudyFile::read_all(&self.study)?;
        let folder = StudyFolder::new(&self.folder(&file));
        folder.check(&file.path)?;
        let path = folder.path().to_owned();
        let hub = self.hub(quiet)?;
        let mut known = KnownModels::read(&path);
        let study = Study::of(file, found, &mut known, &hub, kept)?;
        if kept {
            folder.create()?;
        }
        if path.is_dir() {
            // If the folder is not writable, later runs compute the hashes again.
            known.write(&path).unwrap_or_default();
        }
        let tasks = tasks(&study);
        Ok(Opened { study, tasks, folder, hub })
    }
}
