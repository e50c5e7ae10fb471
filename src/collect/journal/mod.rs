//! The journal: an append-only JSONL file that holds every request before it is sent and every answer before
//! it counts.
//!
//! ```text
//! journal.jsonl        configuration, intent, outcome records, each with a checksum
//! journal.lock         who collects into the folder now
//! journal.torn-N       a tail that a crash left unfinished, set aside
//! journal.damaged-N    lines that `surmise collect repair` took out
//! ```
//!
//! An intent without its outcome was under way when a process ended: it may have been paid. One process
//! writes, one thread of it; any tool may read.

mod index;
mod lock;
mod record;
mod scan;
mod writer;

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

pub use self::index::{Index, QuestionState};
pub use self::lock::Lock;
pub use self::record::{Intent, NAME, NOT_ASKED, OutcomeRecord, QuestionKey, Record, VERSION, now};
pub use self::scan::{JournalReader, RecordSpan};
pub use self::writer::{Commit, JournalWriter};
use crate::disk::{self, Partial};
use crate::error::{Error, Result};

/// What a folder must have room for before anything is asked.
const ROOM_BYTES: usize = 4 << 20;

/// A journal that is open for writing, and locked.
#[derive(Debug)]
pub struct Journal {
    /// The file.
    pub path: PathBuf,
    /// What it held when it was opened, and all since.
    pub index: Index,
    /// What was set aside when it was opened.
    pub torn: Option<PathBuf>,
    writer: JournalWriter,
    thread: JoinHandle<()>,
    _lock: Lock,
}

impl Journal {
    /// Takes a folder, makes it if need be, and reads what is there. `durable` is off only to measure what
    /// durability costs.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Journal`], [`Error::Storage`]
    pub fn open(folder: &Path, durable: bool, rescue: impl FnMut(&[u8]) + Send + 'static) -> Result<Self> {
        disk::make_folder(folder).map_err(as_storage)?;
        let lock = Lock::take(folder)?;
        make_sure_of_room(folder)?;
        let path = folder.join("journal.jsonl");
        let fault = |source| Error::Storage { path: path.clone(), source };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(fault)?;
        let mut index = Index::default();
        let mut torn = None;
        if let Some(offset) = index.fill(&path)? {
            torn = Some(set_aside(folder, "journal.torn", &file, offset)?);
            file.set_len(offset).and_then(|()| file.sync_all()).map_err(fault)?;
        }
        sync_folder(folder)?;
        let n_bytes = file.metadata().map_err(fault)?.len();
        let (writer, thread) = JournalWriter::start(path.clone(), file, n_bytes, durable, rescue);
        Ok(Self { path, index, torn, writer, thread, _lock: lock })
    }

    /// The way to the writer.
    pub fn writer(&self) -> JournalWriter {
        self.writer.clone()
    }

    /// Waits until all that was handed over is written, and gives back what the journal holds.
    pub fn close(self) -> Index {
        let Self { index, writer, thread, .. } = self;
        drop(writer);
        // The thread ends when the last way to it is gone; it does not panic.
        thread.join().unwrap_or_default();
        index
    }
}

/// Takes damaged lines out of a journal and keeps every good record in its order. Says how many were taken
/// out, and where they are now.
///
/// # Errors
/// [`Error::InUse`], [`Error::Storage`]
pub fn repair(folder: &Path) -> Result<Option<(usize, PathBuf)>> {
    let path = folder.join("journal.jsonl");
    let fault = |source| Error::Storage { path: path.clone(), source };
    let mut file = File::open(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let _lock = Lock::take(folder)?;
    let mut places = vec![];
    let bad = scan::scan(&path, |place, _| places.push(place))?;
    if bad.is_empty() {
        return Ok(None);
    }
    let mut copy = |place: RecordSpan, to: &mut File| -> std::io::Result<()> {
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

/// What cannot be written while collecting is a matter of storage.
pub fn as_storage(error: Error) -> Error {
    match error {
        Error::Write { path, source } => Error::Storage { path, source },
        other => other,
    }
}

/// Finds out before anything is paid for whether there is room for the first answers.
fn make_sure_of_room(folder: &Path) -> Result<()> {
    let fill = || {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&vec![0; ROOM_BYTES])?;
        file.sync_data()
    };
    fill().map_err(|source| Error::Storage { path: folder.into(), source })
}

/// Moves a file's bytes from `offset` on into a file of their own.
fn set_aside(folder: &Path, stem: &str, mut from: &File, offset: u64) -> Result<PathBuf> {
    let (mut aside, path) = create_next(folder, stem)?;
    let fault = |source| Error::Storage { path: path.clone(), source };
    from.seek(SeekFrom::Start(offset)).map_err(fault)?;
    std::io::copy(&mut from, &mut aside).and_then(|_| aside.sync_all()).map_err(fault)?;
    Ok(path)
}

/// A new file `stem-N` with the least `N` that is free; clocks are not asked.
fn create_next(folder: &Path, stem: &str) -> Result<(File, PathBuf)> {
    let mut n = 1_u64;
    loop {
        let path = folder.join(format!("{stem}-{n}"));
        match OpenOptions::new().create_new(true).write(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            Err(source) => return Err(Error::Storage { path, source }),
        }
    }
}

/// A new name in a folder is durable when the folder is.
fn sync_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::Storage { path: folder.into(), source })?;
    Ok(())
}
