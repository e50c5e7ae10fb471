//! Reads checkpoints from disk (in safetensors or PyTorch format, in one file or several) or from memory.
//! Faults are detected before the computation begins.
//!
//! Files are not memory-mapped, because the process would end if another process truncated a mapped file.
//! They are not read as a whole either: each tensor is read when needed, in pieces that are converted to f32.
//! Loading therefore needs little more memory than the weights themselves.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Tensor};

use super::adapter::Adapter;
use super::bytes::Bytes;
use super::entry::{Layout, StoredType, TensorEntry};
use super::format::entries;
use super::header::FileHeader;
use super::init::Init;
use super::precision::Precision;
use super::source::ParameterSource;
use super::{foreign, mxfp4, safetensors, shards, values, wrappers};
use crate::error::{Error, Result};
use crate::seed;

/// The tensors of a checkpoint, in one file or several. Values are converted to f32. Tensors that no decoder
/// requests (attention masks, rotary tables) are not read.
#[derive(Debug)]
pub struct Checkpoint {
    /// The file, or the index of several files. Errors about missing tensors name this path.
    path: PathBuf,
    files: Vec<Arc<Bytes>>,
    entries: HashMap<String, TensorEntry>,
    precision: Precision,
    /// The names of the tensors that were read.
    read_names: Mutex<BTreeSet<String>>,
    adapter: Option<Adapter>,
    /// Whether maps are stored as `(in, out)`. Only square maps need this flag; for other maps, the shape
    /// shows it.
    is_conv1d: bool,
}

/// Endings of the names of buffers: attention masks and rotary tables, which older files store in addition to
/// the parameters. The config determines the values of buffers.
const BUFFERS: [&str; 6] = [
    ".attn.bias",
    ".attention.bias",
    ".masked_bias",
    ".inv_freq",
    ".embed_positions",
    ".rotary_emb.cos_cached",
];

/// Number of values that are compared at once when a tied head is compared with the embedding.
const ROWS_VALUES: usize = 1 << 20;

impl Checkpoint {
    /// Opens the weight file or the index that [`Checkpoint::find`] returned. Opens all files of an index and
    /// checks their headers. Reads no weights.
    ///
    /// # Errors
    /// [`Error::Read`] for a missing file, [`Error::Weights`] for a malformed or truncated file,
    /// [`Error::Json`] and [`Error::Config`] for a faulty index, [`Error::Tensor`] if the index does not
    /// match the files.
    pub fn open(path: &Path, precision: Precision) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (files, entries): (Vec<Bytes>, _) = if name.ends_with(".index.json") {
            shards::open(path)?
        } else {
            let file = Bytes::open(path)?;
            let entries = entries(&file, 0)?;
            (vec![file], entries.into_iter().collect())
        };
        let files = files.into_iter().map(Arc::new).collect();
        Ok(Self::of_entries(path, files, entries, precision))
    }

    /// Opens a safetensors file whose bytes are in memory, and checks its header. Errors name `path`.
    ///
    /// # Errors
    /// [`Error::Weights`] if the header is malformed or the file is truncated.
    pub fn new(path: &Path, bytes: Cow<'static, [u8]>) -> Result<Self> {
        let file = Bytes::in_memory(path, bytes);
        let entries = safetensors::entries(&file, 0)?.into_iter().collect();
        Ok(Self::of_entries(path, vec![Arc::new(file)], entries, Precision::F32))
    }

    /// Opens the headers of remote files: names, types and shapes, without values.
    ///
    /// # Errors
    /// [`Error::Weights`] if a header is malformed or does not fit the length of its file.
    pub fn of_headers(folder: &Path, headers: Vec<FileHeader>) -> Result<Self> {
        let (mut files, mut all) = (vec![], HashMap::new());
        for header in headers {
            let file = Bytes::header(&folder.join(&header.name), header);
            all.extend(entries(&file, files.len())?);
            files.push(Arc::new(file));
        }
        Ok(Self::of_entries(folder, files, all, Precision::F32))
    }

    /// A checkpoint of the tensors in `entries`, which are in `files`. Errors about missing tensors name
    /// `path`.
    pub(super) fn of_entries(
        path: &Path,
        files: Vec<Arc<Bytes>>,
        entries: HashMap<String, TensorEntry>,
        precision: Precision,
    ) -> Self {
        Self {
            path: path.into(),
            files,
            entries: mxfp4::joined(wrappers::stripped(entries)),
            precision,
            read_names: Mutex::default(),
            adapter: None,
            is_conv1d: false,
        }
    }

    /// The same checkpoint with a LoRA, which is merged into the weights when they are read. `folder`
    /// contains the LoRA; `is_conv1d` is whether maps are stored as `(in, out)`.
    ///
    /// # Errors
    /// [`Error::Config`] for an unsupported adapter, [`Error::Tensor`] for an adapter of another checkpoint,
    /// and an error for any fault in the files of the adapter.
    pub fn adapted(mut self, folder: &Path, is_conv1d: bool) -> Result<Self> {
        let shape_of = |name: &str| self.entries.get(name).map(|entry| entry.shape.as_slice());
        let names = self.entries.keys().map(String::as_str);
        let is_copy = |name: &str, shape: &[usize], values: &[f32]| {
            let entry = self.entries.get(name).filter(|entry| entry.shape == shape);
            let own = entry.and_then(|entry| entry.stored.block().map(|_| self.values(entry)));
            Ok(own.transpose()?.is_some_and(|own| own == values))
        };
        self.adapter = Some(Adapter::open(folder, shape_of, &names, is_copy)?);
        self.is_conv1d = is_conv1d;
        Ok(self)
    }

    /// Number of tensors that an adapter changes, and the adapter's largest rank.
    pub fn adapter_size(&self) -> Option<(usize, usize)> {
        self.adapter.as_ref().map(Adapter::size)
    }

    /// Checks that the weights have no unsupported quantisation.
    ///
    /// # Errors
    /// [`Error::Tensor`] with the quantisation method, if the weights are quantised.
    pub fn check_unquantised(&self) -> Result<()> {
        if let Some((name, reason)) = mxfp4::fault(&self.entries) {
            return Err(self.fault_of(name, reason));
        }
        let Some((method, name)) = foreign::quantised(self.entries.keys().map(String::as_str)) else {
            return Ok(());
        };
        let path = self.files[self.entries[name].file].path().into();
        let reason = format!(
            "shows that the weights are quantised ({method}), which is not supported; use the repository of \
             the unquantised model (the model card names it), or a GGUF file of the model"
        );
        Err(Error::Tensor { path, tensor: name.to_owned(), reason })
    }

    /// The same checkpoint, whose weights are rounded to `precision` when they are read.
    pub fn rounded(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// SHA-256 of the file. With several files, SHA-256 of their concatenated hexadecimal digests, in order
    /// of file names, with the adapter last.
    ///
    /// # Errors
    /// [`Error::Read`] if a file cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let mut digests = self.files.iter().map(|file| file.sha256()).collect::<Result<Vec<_>>>()?;
        digests.extend(self.adapter.as_ref().map(Adapter::sha256).transpose()?);
        Ok(if let [one] = digests.as_slice() {
            one.clone()
        } else {
            seed::sha256_hex(digests.concat().as_bytes())
        })
    }

    /// Data types of the stored weights, such as "F32" or "BF16"; several types are joined by "+".
    pub fn stored(&self) -> String {
        let types: BTreeSet<&StoredType> = self.entries.values().map(|entry| &entry.stored).collect();
        let names = types.into_iter().filter(|stored| stored.block().is_some()).map(StoredType::name);
        let mut names: Vec<_> = names.collect();
        names.dedup();
        names.join("+")
    }

    /// The names and shapes of all tensors in the files.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// The names and shapes of the parameters, without buffers (attention masks and rotary tables).
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let entries = self.entries.iter().filter(|(name, entry)| {
            entry.stored.block().is_some() && !BUFFERS.iter().any(|buffer| name.ends_with(buffer))
        });
        entries.map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// Shape and values of an array of token ids.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the array is missing or not int64, [`Error::Read`] if the file cannot be read.
    pub(in crate::model) fn int64(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>)> {
        let fault = |reason: String| Error::Tensor { path: self.path.clone(), tensor: name.into(), reason };
        let entry = self
            .entries
            .get(name)
            .ok_or_else(|| fault("is missing; give int64 token ids of shape (n, t)".into()))?;
        if !matches!(&entry.stored, StoredType::Other(kind) if kind == "I64") {
            return Err(fault(format!(
                "has type {}; give int64 token ids of shape (n, t)",
                entry.stored.name()
            )));
        }
        let file = &self.files[entry.file];
        let n_bytes = entry.shape.iter().try_fold(8_u64, |n, size| n.checked_mul(*size as u64));
        let n_bytes = n_bytes.filter(|n| entry.start.checked_add(*n).is_some_and(|end| end <= file.len()));
        let n_bytes = n_bytes.and_then(|n| usize::try_from(n).ok());
        let n_bytes =
            n_bytes.ok_or_else(|| fault("exceeds the end of its file; save the file again".into()))?;
        let mut bytes = vec![0; n_bytes];
        file.read_at(entry.start, &mut bytes)?;
        let values = bytes
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]));
        Ok((entry.shape.clone(), values.collect()))
    }

    fn values(&self, entry: &TensorEntry) -> Result<Vec<f32>> {
        let file = &self.files[entry.file];
        match entry.stored {
            StoredType::Mxfp4 { scales_file, scales_start } => {
                mxfp4::read(file, entry, &self.files[scales_file], scales_start)
            }
            _ => values::read(file, entry),
        }
    }

    /// An error about a tensor, which names the file of the tensor.
    fn fault_of(&self, name: &str, reason: String) -> Error {
        let path =
            self.entries.get(name).map_or(self.path.as_path(), |entry| self.files[entry.file].path()).into();
        Error::Tensor { path, tensor: name.into(), reason }
    }

    /// The entry of a parameter. Marks the parameter as read.
    fn entry(&self, name: &str, shape: &[usize]) -> Result<&TensorEntry> {
        self.read_names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        let Some(entry) = self.entries.get(name) else {
            let reason = "is missing; use the config.json that belongs to these weights, or save the whole \
                          checkpoint again";
            return Err(self.fault_of(name, reason.into()));
        };
        if entry.shape != shape {
            let reason = format!(
                "has shape {:?}, but config.json requires {shape:?}; use the config.json that belongs to \
                 these weights",
                entry.shape
            );
            return Err(self.fault_of(name, reason));
        }
        if entry.stored.block().is_none() {
            let kind = entry.stored.name();
            let reason = format!("has type {kind}; save the checkpoint again as f32, f16 or bf16");
            return Err(self.fault_of(name, reason));
        }
        Ok(entry)
    }

    /// Checks that a parameter exists and has this shape. Marks the parameter as read.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the parameter is missing or has another shape or an unsupported type.
    pub(super) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        self.entry(name, shape).map(drop)
    }

    /// The values of an entry. Returns an error if a value is not finite; `first` is the position of the
    /// entry's first value in the whole tensor, for the error.
    fn finite(&self, name: &str, entry: &TensorEntry, first: usize) -> Result<Vec<f32>> {
        let values = self.values(entry)?;
        // The compiler can vectorise this loop because it has no early exit.
        if values.iter().fold(true, |finite, value| finite & value.is_finite()) {
            return Ok(values);
        }
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(index) => {
                let reason = format!(
                    "contains {} at element {}: the checkpoint is damaged; download or save it again",
                    values[index],
                    first + index
                );
                Err(self.fault_of(name, reason))
            }
        }
    }

    fn round(&self, name: &str, values: &mut [f32]) -> Result<()> {
        if self.precision == Precision::F32 {
            return Ok(());
        }
        values.iter_mut().for_each(|value| *value = self.precision.round(*value));
        if values.iter().any(|value| !value.is_finite()) {
            let reason = "contains values outside the range of f16; use --dtype bf16 or f32";
            return Err(self.fault_of(name, reason.into()));
        }
        Ok(())
    }
}

impl ParameterSource for Checkpoint {
    fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    fn lacks(&self, name: &str) -> bool {
        !self.has(name)
    }

    fn check_tied(&self, name: &str, embedding: &str, shape: [usize; 2]) -> Result<()> {
        let Some(entry) = self.entries.get(name) else { return Ok(()) };
        let [n, width] = shape;
        let step = (ROWS_VALUES / width.max(1)).max(1);
        let differs = |first: usize| -> Result<bool> {
            let rows = |name: &str| self.rows(name, shape, first..n.min(first + step), Init::Zeros);
            Ok(rows(name)? != rows(embedding)?)
        };
        let mut is_same = true;
        for first in (0..n).step_by(step) {
            is_same &= !differs(first)?;
        }
        if is_same {
            return Ok(());
        }
        let reason = "differs from the embedding that config.json ties it to (tie_word_embeddings); set \
                      tie_word_embeddings to false if the weights are correct";
        let path = self.files[entry.file].path().into();
        Err(Error::Tensor { path, tensor: name.into(), reason: reason.into() })
    }

    fn leave_out(&self, prefix: &str) {
        let names = self.entries.keys().filter(|name| name.starts_with(prefix)).cloned();
        self.read_names.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    fn check_all_read(&self, prefix: &str) -> Result<()> {
        let read = self.read_names.lock().unwrap_or_else(PoisonError::into_inner);
        let is_read = |name: &str| read.contains(name) || BUFFERS.iter().any(|buffer| name.ends_with(buffer));
        let unread = self.entries.iter().filter(|(name, entry)| {
            name.starts_with(prefix) && entry.stored.block().is_some() && !is_read(name)
        });
        let Some((name, entry)) = unread.min_by_key(|(name, _)| *name) else { return Ok(()) };
        let reason = "is not a parameter of this architecture with this config.json; use the \
                      config.json that belongs to these weights";
        let path = self.files[entry.file].path().into();
        Err(Error::Tensor { path, tensor: name.clone(), reason: reason.into() })
    }

    fn tensor(&self, name: &str, shape: &[usize], _init: Init) -> Result<Tensor> {
        let entry = self.entry(name, shape)?;
        let mut values = self.finite(name, entry, 0)?;
        if let Some(adapter) = &self.adapter {
            let is_head = name.ends_with("lm_head.weight");
            adapter.merge(name, shape, self.is_conv1d && !is_head, &mut values)?;
        }
        self.round(name, &mut values)?;
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }

    fn rows(&self, name: &str, shape: [usize; 2], rows: Range<usize>, init: Init) -> Result<Vec<f32>> {
        let entry = self.entry(name, &shape)?;
        let is_changed = self.adapter.as_ref().is_some_and(|adapter| adapter.changes(name));
        // A tensor that has a special layout or that an adapter changes must be read as a whole.
        let some = match entry.layout {
            Layout::Published if !is_changed => entry.with_rows(Some([rows.start, rows.len()])),
            _ => None,
        };
        let Some(some) = some else {
            let whole = self.tensor(name, &shape, init)?;
            return Ok(whole.narrow(0, rows.start, rows.len())?.flatten_all()?.to_vec1()?);
        };
        let mut values = self.finite(name, &some, rows.start * shape[1])?;
        self.round(name, &mut values)?;
        Ok(values)
    }
}
