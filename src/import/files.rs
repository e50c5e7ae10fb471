//! Importing files of other tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::imported::{ImportOptions, Imported};
use super::registry::{ALL, importer_of};
use crate::disk;
use crate::error::{Error, Result};

/// Refuses an output that would replace an input, or a file that an importer reads beside one.
///
/// # Errors
/// [`Error::Parameter`]
pub fn check_apart(inputs: &[PathBuf], output: &Path) -> Result<()> {
    let mut beside = output.as_os_str().to_owned();
    beside.push(".json");
    for written in [output, Path::new(&beside)] {
        let is_beside = ALL.iter().any(|importer| importer.reads_beside(written)) && written.exists();
        if is_beside || inputs.iter().any(|input| disk::is_same(input, written)) {
            let reason =
                format!("would replace {}, which is an input; choose another name", written.display());
            return Err(Error::Parameter { name: "-o", reason });
        }
    }
    Ok(())
}

/// Imports files, each by the importer that recognises it.
///
/// # Errors
/// [`Error::Read`], [`Error::Foreign`]; [`Error::Parameter`] for scores that occur twice.
pub fn import(paths: &[PathBuf], options: &ImportOptions) -> Result<Imported> {
    let mut all = Imported::empty();
    for path in paths {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let importer = importer_of(path, &bytes)?;
        let mut imported = importer.import(path, &bytes, options)?;
        imported.notes.retain(|note| !all.notes.contains(note));
        imported.notes.insert(0, format!("{}: read by {}", path.display(), importer.name()));
        all.extend(imported);
    }
    let mut seen = BTreeMap::new();
    for score in &all.scores {
        if seen.insert((&score.model, &score.task, score.shots), ()).is_some() {
            let reason = format!(
                "{} of {} with {} shots occurs twice; import each run once",
                score.task, score.model, score.shots
            );
            return Err(Error::Parameter { name: "FILE", reason });
        }
    }
    Ok(all)
}
