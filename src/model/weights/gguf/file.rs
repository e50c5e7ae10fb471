//! An open GGUF file: its metadata, and its tensors by the names they have in it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::header;
use super::metadata::Metadata;
use crate::error::{Error, Result};
use crate::model::weights::bytes::Bytes;
use crate::model::weights::checkpoint::Checkpoint;
use crate::model::weights::entry::{Layout, TensorEntry};
use crate::model::weights::precision::Precision;
use crate::model::weights::values;

/// A GGUF file whose header was read and checked; no weight is read yet.
#[derive(Debug)]
pub struct Gguf {
    path: PathBuf,
    metadata: Metadata,
    tensors: HashMap<String, TensorEntry>,
}

/// Where a published tensor is in a GGUF file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) struct Placed {
    /// The name of the tensor in the file.
    pub(in crate::model) from: String,
    /// Its rows from the first number on, as many as the second says; all of them if absent.
    pub(in crate::model) rows: Option<[usize; 2]>,
    /// Its published name.
    pub(in crate::model) name: String,
    /// What makes its values those that are published.
    pub(in crate::model) layout: Layout,
}

impl Gguf {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Weights`] for a file that is damaged or cut short, [`Error::Tensor`] for a
    /// tensor of a type that is not read, [`Error::Config`] for metadata of another type than it must have.
    pub fn open(path: &Path) -> Result<Self> {
        let file = Bytes::open(path)?;
        let (metadata, entries) = header::read(&file)?;
        Ok(Self { path: path.into(), metadata, tensors: entries.into_iter().collect() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::model) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The names of its tensors, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The shape of a tensor, its rows first; `None` if it is not there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// The values of a tensor; `None` if it is not there.
    ///
    /// # Errors
    /// [`Error::Read`]
    pub fn values(&self, name: &str) -> Result<Option<Vec<f32>>> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        values::read(&Bytes::open(&self.path)?, entry).map(Some)
    }

    /// The same weights under their published names. A tensor that is not among `placed` keeps its own.
    ///
    /// # Errors
    /// [`Error::Read`] if the file is gone, [`Error::Tensor`] for a layout that a shape does not have.
    pub(in crate::model) fn checkpoint(&self, placed: &[Placed], precision: Precision) -> Result<Checkpoint> {
        let taken: HashSet<&str> = placed.iter().map(|placed| placed.from.as_str()).collect();
        let rest = self.tensors.iter().filter(|(name, _)| !taken.contains(name.as_str()));
        let mut entries: HashMap<_, _> = rest.map(|(name, entry)| (name.clone(), entry.clone())).collect();
        for placed in placed {
            let Placed { from, rows, name, layout } = placed;
            let Some(entry) = self.tensors.get(from) else { continue };
            let entry = entry.with_rows(*rows).and_then(|entry| entry.with_layout(*layout));
            let entry = entry.ok_or_else(|| Error::Tensor {
                path: self.path.clone(),
                tensor: from.clone(),
                reason: format!(
                    "has shape {:?}, which does not fit the sizes of the metadata; download the file again",
                    self.tensors[from].shape
                ),
            })?;
            entries.insert(name.clone(), entry);
        }
        Ok(Checkpoint::of_entries(Bytes::open(&self.path)?, entries, precision))
    }
}
