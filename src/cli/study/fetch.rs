//! `surmise fetch`: downloads the models of a study, so that machines without a network can run it.

use std::path::Path;

use clap::Args;

use super::opened::StudyFlags;
use crate::cli::{print, status};
use crate::error::Result;
use crate::model::hub::{self, RequiredFiles};
use crate::study::file::StudyFile;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    #[command(flatten)]
    study: StudyFlags,
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let file = StudyFile::read(&flags.study.study)?;
    let hub = flags.study.hub(quiet)?;
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let names = file.model_names();
    let is_id = |name: &&str| hub::is_id(name) && !hub::is_path(name, folder) && !folder.join(name).exists();
    let ids: Vec<&str> = names.into_iter().filter(is_id).collect();
    for id in &ids {
        let path = hub.folder(id, RequiredFiles::WeightsAndTokenizer)?;
        print(format!("{id}\t{}\n", path.display()).as_bytes())?;
    }
    if !quiet {
        status(&match ids.len() {
            0 => "the study uses no model from a hub, so there is nothing to download".to_owned(),
            n => format!("{n} models are in the cache"),
        });
    }
    Ok(())
}
