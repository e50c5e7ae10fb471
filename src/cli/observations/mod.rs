//! `surmise observations`: profiles, scores and readings as one table.

mod flags;
mod positional;
mod read;
mod semantic;

pub(super) use self::flags::Flags;
use self::flags::Rows;
use super::{print, status};
use crate::disk;
use crate::emergence::ProfileStore;
use crate::emergence::semantic::SemanticProfile;
use crate::error::{Error, Result};

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let output = flags.output.as_ref().filter(|path| path.as_os_str() != "-");
    if let Some(path) = output {
        disk::check_apart(flags.scores.iter().chain(&flags.models).chain(&flags.answers), path)?;
        // Of a folder every profile is read.
        for input in flags.profiles.iter().chain(&flags.readings) {
            let files = if input.is_dir() { ProfileStore::new(input).files()? } else { vec![input.clone()] };
            disk::check_apart(&files, path)?;
        }
    }
    let mut is_semantic = false;
    for folder in &flags.profiles {
        is_semantic |= ProfileStore::new(folder).holds::<SemanticProfile>()?;
    }
    let Rows { joined, of, notes } = if is_semantic { semantic::rows(flags)? } else { positional::rows(flags)? };
    let bytes = disk::csv_bytes("observations.csv".as_ref(), &joined.table)?;
    match output {
        Some(path) => disk::write(path, &bytes)?,
        None => print(&bytes)?,
    }
    let n = joined.table.len() - 1;
    if !quiet {
        status(&format!("{n} rows {of}"));
        notes.iter().chain(&joined.notes).for_each(|note| status(&format!("note: {note}")));
        if !joined.unmatched.is_empty() {
            status(&format!("groups of texts that match no target: {}", joined.unmatched.join(", ")));
        }
    }
    if joined.n_unsupported == 0 {
        return Ok(());
    }
    let reason = format!(
        "{} of {n} rows lack a proxy or a measurement; the column status and the note beside it say why",
        joined.n_unsupported
    );
    Err(Error::Gaps { reason })
}
