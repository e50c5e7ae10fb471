//! Opens a GGUF file, and provides its metadata and its tensors, by their names in the file.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::header;
use super::metadata::Metadata;
use super::parts::{OF_ONE_MODEL, PartName, Split, of_another_model};
use crate::error::{Error, Result};
use crate::model::weights::bytes::Bytes;
use crate::model::weights::checkpoint::Checkpoint;
use crate::model::weights::entry::{Layout, TensorEntry};
use crate::model::weights::header::FileHeader;
use crate::model::weights::precision::Precision;
use crate::model::weights::values;

/// A model in one GGUF file or in several parts. The headers are read and checked when the model is opened;
/// weights are read later.
#[derive(Debug)]
pub struct Gguf {
    /// The file, or its parts in order.
    files: Vec<Arc<Bytes>>,
    /// Metadata of the first part.
    metadata: Metadata,
    tensors: HashMap<String, TensorEntry>,
}

/// Where a tensor of the published checkpoint is in a GGUF file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) struct Placed {
    /// The name of the tensor in the file.
    pub(in crate::model) from: String,
    /// The first row and the number of rows. If absent, all rows.
    pub(in crate::model) rows: Option<[usize; 2]>,
    /// The published name of the tensor.
    pub(in crate::model) name: String,
    /// The layout of the values in the file.
    pub(in crate::model) layout: Layout,
}

impl Gguf {
    /// Opens a file and reads its header. If the file is a part of a model, opens all parts, which must be in
    /// the same folder.
    ///
    /// # Errors
    /// [`Error::Read`] if a file cannot be read; [`Error::Weights`] if a file is damaged or truncated, or if
    /// parts are missing; [`Error::Tensor`] for a tensor of an unsupported type; [`Error::Config`] for
    /// metadata of the wrong type, and for parts of different models.
    pub fn open(path: &Path) -> Result<Self> {
        let file = Bytes::open(path)?;
        let (metadata, entries) = header::read(&file)?;
        let Some(split) = Split::of(&metadata)? else {
            let tensors = entries.into_iter().collect();
            return Ok(Self { files: vec![Arc::new(file)], metadata, tensors });
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = PartName::parse(&name);
        split.check(part, &metadata)?;
        let Some(part) = part else {
            let reason = "is one part of a model, but its file name does not show which part; give all parts \
                          their published names";
            return Err(file.fault(reason));
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let missing: Vec<String> = part.all().filter(|name| !folder.join(name).is_file()).collect();
        if let Some(first) = missing.first() {
            let others = match missing.len() {
                1 => String::new(),
                2 => ", and another part is missing, too".into(),
                n => format!(", and {} other parts are missing, too", n - 1),
            };
            let reason = format!(
                "is part {} of {}, but {first} is not in the same folder{others}; download all parts into \
                 one folder",
                part.number, part.count
            );
            return Err(file.fault(reason));
        }
        Self::of_parts(part.all().map(|name| Bytes::open(&folder.join(name))).collect::<Result<_>>()?)
    }

    /// Opens a remote model by the header of its file, or by the headers of all its parts.
    ///
    /// # Errors
    /// Returns the errors of [`Gguf::open`].
    pub(in crate::model) fn of_headers(folder: &Path, headers: Vec<FileHeader>) -> Result<Self> {
        let files = headers.into_iter().map(|header| Bytes::header(&folder.join(&header.name), header));
        Self::of_parts(files.collect())
    }

    /// Opens a model from its only file, or from all its parts in order.
    fn of_parts(files: Vec<Bytes>) -> Result<Self> {
        let first = files.first().map_or(PathBuf::new(), |file| file.path().to_owned());
        let first = first.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut whole: Option<(Self, Option<Split>)> = None;
        let n_files = files.len();
        for (index, file) in files.into_iter().enumerate() {
            let (metadata, entries) = header::read(&file)?;
            let split = Split::of(&metadata)?;
            if n_files > 1 {
                let split = split.ok_or_else(|| of_another_model(&metadata, &first))?;
                let part = PartName::parse(&first).map(|part| part.at(index + 1));
                split.check(part, &metadata)?;
            }
            let (whole, of_first) = whole.get_or_insert_with(|| {
                (Self { files: vec![], metadata: metadata.clone(), tensors: HashMap::new() }, split)
            });
            if split.map(|split| split.n_tensors) != of_first.map(|split| split.n_tensors) {
                return Err(of_another_model(&metadata, &first));
            }
            for (name, entry) in entries {
                if whole.tensors.insert(name.clone(), TensorEntry { file: index, ..entry }).is_some() {
                    let reason = format!("is in this part and in an earlier part; {OF_ONE_MODEL}");
                    return Err(Error::Tensor { path: file.path().into(), tensor: name, reason });
                }
            }
            whole.files.push(Arc::new(file));
        }
        let Some((whole, split)) = whole else {
            return Err(Error::Weights {
                path: first.into(),
                reason: "has no parts; give the file of a model".into(),
            });
        };
        match split.and_then(|split| split.n_tensors) {
            Some(n) if n != whole.tensors.len() => Err(whole.metadata.fault(format!(
                "is the first of {n_files} parts, which must have {n} tensors in total but have {}; \
                 {OF_ONE_MODEL}",
                whole.tensors.len()
            ))),
            _ => Ok(whole),
        }
    }

    /// The path of the file, or of the first part.
    pub fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| file.path())
    }

    pub(in crate::model) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The names of the tensors, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The shape of a tensor, rows first; `None` if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// The values of a tensor; `None` if there is no such tensor.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read.
    pub fn values(&self, name: &str) -> Result<Option<Vec<f32>>> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        values::read(&self.files[entry.file], entry).map(Some)
    }

    /// A checkpoint with the published names that `placed` gives. Tensors outside `placed` keep their names.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a tensor whose shape does not permit its layout or rows.
    pub(in crate::model) fn checkpoint(&self, placed: &[Placed], precision: Precision) -> Result<Checkpoint> {
        let taken: HashSet<&str> = placed.iter().map(|placed| placed.from.as_str()).collect();
        let rest = self.tensors.iter().filter(|(name, _)| !taken.contains(name.as_str()));
        let mut entries: HashMap<_, _> = rest.map(|(name, entry)| (name.clone(), entry.clone())).collect();
        for placed in placed {
            let Placed { from, rows, name, layout } = placed;
            let Some(entry) = self.tensors.get(from) else { continue };
            let entry = entry.with_rows(*rows).and_then(|entry| entry.with_layout(*layout));
            let entry = entry.ok_or_else(|| Error::Tensor {
                path: self.files[self.tensors[from].file].path().into(),
                tensor: from.clone(),
                reason: format!(
                    "has shape {:?}, which does not match the sizes in the metadata; download the file again",
                    self.tensors[from].shape
                ),
            })?;
            entries.insert(name.clone(), entry);
        }
        Ok(Checkpoint::of_entries(self.path(), self.files.clone(), entries, precision))
    }
}

/// Number of bytes at the beginning of a file that describe the model: the header, and the tables of rotary
/// positions, which llama.cpp writes before the other tensors. `None` if the header is incomplete.
///
/// # Errors
/// Returns an error if the header is damaged.
#[cfg(feature = "hub")]
pub(in crate::model) fn bytes_of_description(header: &FileHeader) -> Result<Option<u64>> {
    let file = Bytes::header(Path::new(&header.name), header.clone());
    let (_, entries) = match header::read(&file) {
        Err(Error::Read { .. }) => return Ok(None),
        read => read?,
    };
    let is_table = |name: &str| name.starts_with("rope_");
    let ends = entries.iter().filter(|(name, _)| is_table(name)).map(|(_, entry)| {
        let (values, bytes) = entry.stored.block().unwrap_or((1, 1));
        entry.start + (entry.n_values() / values * bytes) as u64
    });
    Ok(Some(ends.max().unwrap_or_default()))
}
