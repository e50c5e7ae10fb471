//! Profiles of a study: read from its folder where they are current, measured and written where they are not.

use std::path::{Path, PathBuf};

use crate::corpus::Corpus;
use crate::disk;
use crate::emergence::{self, Profile};
use crate::error::Result;
use crate::model::Model;

/// The file of a profile in a folder.
pub(crate) fn file(folder: &Path, model_id: &str, corpus: &str) -> PathBuf {
    folder.join(format!("{}--{corpus}.json", disk::id_in_file_names(model_id)))
}

/// The profile in `file` if measuring would give the same, else a new one, which is written there.
///
/// # Errors
/// [`crate::Error::Json`] for a damaged file; whatever the measurement finds wrong.
pub(crate) fn read_or_measure(
    file: &Path,
    model: &Model,
    corpus: &Corpus,
    settings: &emergence::MeasureSettings,
) -> Result<Profile> {
    if file.is_file() {
        let kept = Profile::read(file)?;
        if emergence::is_current(&kept, model, corpus, settings) {
            return Ok(kept);
        }
    }
    let measured = emergence::measure(model, corpus, settings)?;
    disk::write_json(file, &measured)?;
    Ok(measured)
}
