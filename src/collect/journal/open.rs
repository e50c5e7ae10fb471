//! A journal that is open for writing.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::index::Index;
use super::lock::Lock;
use super::storage::{as_storage, check_free_space, quarantine, sync_folder};
use super::writer::JournalWriter;
use crate::disk;
use crate::error::{Error, Result};

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
    pub fn open(
        folder: &Path,
        durable: bool,
        fallback_writer: impl FnMut(&[u8]) + Send + 'static,
    ) -> Result<Self> {
        disk::make_folder(folder).map_err(as_storage)?;
        let lock = Lock::take(folder)?;
        check_free_space(folder)?;
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
            torn = Some(quarantine(folder, "journal.torn", &file, offset)?);
            file.set_len(offset).and_then(|()| file.sync_all()).map_err(fault)?;
        }
        sync_folder(folder)?;
        let n_bytes = file.metadata().map_err(fault)?.len();
        let (writer, thread) = JournalWriter::start(path.clone(), file, n_bytes, durable, fallback_writer);
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
