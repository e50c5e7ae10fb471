//! Stores the items of a task. Generated items are kept in memory. For a file, only the position of each item
//! is kept in memory, so that a run with a million items needs little memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::row_item::RowFormat;
use super::rows::FileForm;
use crate::collect::item::Item;
use crate::error::{Error, Result};

/// The items of one task, in order.
#[derive(Debug)]
pub struct Items(ItemStore);

#[derive(Debug)]
enum ItemStore {
    Drawn(Vec<Item>),
    File(FileItems),
}

/// Items in a file that has been read and checked once.
#[derive(Debug)]
pub(crate) struct FileItems {
    pub(crate) path: PathBuf,
    /// The file stays open, so that replacing it on disk does not affect the run.
    pub(crate) file: Mutex<File>,
    pub(crate) form: FileForm,
    pub(crate) reading: RowFormat,
    pub(crate) places: Vec<ItemSpan>,
}

/// The position of an item in its file, and a checksum of its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItemSpan {
    pub(crate) offset: u64,
    pub(crate) n_bytes: u32,
    pub(crate) crc: u32,
}

impl From<Vec<Item>> for Items {
    fn from(items: Vec<Item>) -> Self {
        Self(ItemStore::Drawn(items))
    }
}

impl From<FileItems> for Items {
    fn from(filed: FileItems) -> Self {
        Self(ItemStore::File(filed))
    }
}

impl Items {
    /// Number of items.
    pub fn len(&self) -> usize {
        match &self.0 {
            ItemStore::Drawn(items) => items.len(),
            ItemStore::File(filed) => filed.places.len(),
        }
    }

    /// Whether the task has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the items are generated rather than read from a file.
    pub fn is_drawn(&self) -> bool {
        matches!(self.0, ItemStore::Drawn(_))
    }

    /// The item with an index below [`Items::len`].
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read; [`Error::Parameter`] if the file has changed since it was
    /// first read.
    pub fn get(&self, number: usize) -> Result<Item> {
        match &self.0 {
            ItemStore::Drawn(items) => Ok(items[number].clone()),
            ItemStore::File(filed) => filed.get(number),
        }
    }

    /// Iterates over all items.
    pub fn iter(&self) -> impl Iterator<Item = Result<Item>> {
        (0..self.len()).map(|number| self.get(number))
    }
}

impl FileItems {
    pub(crate) fn get(&self, number: usize) -> Result<Item> {
        let place = self.places[number];
        let changed = || {
            let reason = format!(
                "have changed: {} was modified after the run began; run the command again with the original \
                 file",
                self.path.display()
            );
            Error::Parameter { name: "the tasks", reason }
        };
        let mut bytes = vec![0; place.n_bytes as usize];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(place.offset))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|source| Error::Read { path: self.path.clone(), source })?;
        }
        let row = self.form.row(&bytes).filter(|row| row.crc == place.crc).ok_or_else(changed)?;
        row.item(&self.path, &self.reading)
    }
}
