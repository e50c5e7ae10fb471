//! Repairs a damaged journal.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::scan::{self, RecordSpan};
use super::storage::{as_storage, create_next, sync_folder};
use crate::disk;
use crate::disk::Partial;
use crate::error::{Error, Result};

/// Moves the damaged lines of a journal to another file and keeps all valid records in their order. Returns
/// the number of moved lines and the path of that file; `None` if no line is damaged.
///
/// # Errors
/// [`Error::InUse`] if another process uses the folder; [`Error::Read`] or [`Error::Storage`] if a file
/// cannot be read or written.
pub fn repair(folder: &Path) -> Result<Option<(usize, PathBuf)>> {
    let path = folder.join("journal.jsonl");
    let fault = |source| Error::Storage { path: path.clone(), source };
    let mut file = disk::open(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let _lock = Lock::take(folder, false)?;
    let mut places = vec![];
    let bad = scan::scan(&path, |place, _| places.push(place))?;
    if bad.is_empty() {
        return Ok(None);
    }
    let mut copy = |place: RecordSpan, to: &mut std::fs::File| -> std::io::Result<()> {
        file.seek(SeekFrom::Start(place.offset))?;
        std::io::copy(&mut (&mut file).take(place.n_bytes), to).map(drop)
    };
    let (mut aside, name) = create_next(folder, "journal.damaged")?;
    bad.iter()
        .try_for_each(|bad| copy(bad.place, &mut aside))
        .and_then(|()| aside.sync_all())
        .map_err(fault)?;
    let mut repaired = Partial::begin(&path).map_err(as_storage)?;
    places.iter().try_for_each(|place| copy(*place, repaired.file())).map_err(fault)?;
    repaired.commit().map_err(as_storage)?;
    sync_folder(folder)?;
    Ok(Some((bad.len(), name)))
}
