//! Opens a journal for writing.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::index::Index;
use super::lock::Lock;
use super::storage::{as_storage, check_free_space, open_or_create, quarantine, sync_folder};
use super::writer::JournalWriter;
use crate::disk;
use crate::error::{Error, Result};

/// A journal that is open for writing, and locked.
#[derive(Debug)]
pub struct Journal {
    /// The file.
    pub path: PathBuf,
    /// The index of the records. Appending a record does not update the index.
    pub index: Index,
    /// The file to which an incomplete last line was moved on opening; `None` if the last line was complete.
    pub torn: Option<PathBuf>,
    writer: JournalWriter,
    thread: JoinHandle<()>,
    _lock: Lock,
}

impl Journal {
    /// Creates the folder if it does not exist, locks it, and reads its journal. `durable` is false only in
    /// measurements of the cost of durability. `is_claimed` is passed to [`Lock::take`]. `fallback_writer`
    /// receives outcomes that cannot be written.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process uses the folder; [`Error::Journal`] if a line is damaged;
    /// [`Error::Storage`] if a file cannot be read or written.
    pub fn open(
        folder: &Path,
        (durable, is_claimed): (bool, bool),
        fallback_writer: impl FnMut(&[u8]) + Send + 'static,
    ) -> Result<Self> {
        disk::make_folder(folder).map_err(as_storage)?;
        let lock = Lock::take(folder, is_claimed)?;
        check_free_space(folder)?;
        let path = folder.join("journal.jsonl");
        let fault = |source| Error::Storage { path: path.clone(), source };
        let file = open_or_create(&path)?;
        let mut index = Index::default();
        let mut torn = None;
        if let Some(offset) = index.fill(&path)? {
            torn = Some(quarantine(folder, "journal.torn", &file, offset)?);
            file.set_len(offset).and_then(|()| file.sync_all()).map_err(fault)?;
        }
        sync_folder(folder)?;
        let n_bytes = file.metadata().map_err(fault)?.len();
        let started = JournalWriter::start(path.clone(), file, n_bytes, durable, fallback_writer);
        let (writer, thread) = started.map_err(fault)?;
        Ok(Self { path, index, torn, writer, thread, _lock: lock })
    }

    /// A handle to the writer.
    pub fn writer(&self) -> JournalWriter {
        self.writer.clone()
    }

    /// Waits until all appended records are written, and returns the index.
    pub fn close(self) -> Index {
        let Self { index, writer, thread, .. } = self;
        drop(writer);
        // The thread ends when the last handle to the writer is dropped; it does not panic.
        thread.join().unwrap_or_default();
        index
    }
}
