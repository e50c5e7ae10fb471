//! Where a decoder's tensors come from: a checkpoint on disk (safetensors or PyTorch's own format, one file
//! or several), one in memory, or seeded initial weights (the randomly initialised model). Whatever is wrong with a
//! checkpoint is found here, before the first multiplication.
//!
//! Files are neither mapped (a file that is cut while it is mapped ends the process) nor read whole: each
//! tensor is read when it is asked for, in pieces that are widened to f32 as they come, so that loading needs
//! little more memory than the weights themselves.

mod bytes;
mod initial;
mod pickle;
mod safetensors;
mod shards;
mod torch;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Tensor};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::bytes::Bytes;
pub use self::initial::{Init, Initial};
use crate::error::{Error, Result};
use crate::numeric::kernels;
use crate::seed;

/// A named collection of parameters.
pub trait Source: Sync {
    /// Whether the collection has a tensor of this name.
    fn has(&self, name: &str) -> bool;
    /// The tensor, as f32 on the CPU; `init` is what it would be in an randomly initialised model.
    ///
    /// # Errors
    /// If it is missing, of another shape, of an unreadable type, or holds NaN or infinity.
    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor>;
    /// Asserts that there is no tensor of this name, of a block beyond the last: cut short by its config, a
    /// model would be measured as a smaller one.
    ///
    /// # Errors
    /// If there is one.
    fn beyond(&self, _name: &str) -> Result<()> {
        Ok(())
    }
    /// Whether the collection is limited and has no tensor of this name.
    fn lacks(&self, _name: &str) -> bool {
        false
    }
    /// Asserts that a tensor of this name, if there is one, is the embedding it is said to be tied to.
    ///
    /// # Errors
    /// If it is another one.
    fn tied(&self, _name: &str, _embedding: &Tensor) -> Result<()> {
        Ok(())
    }
    /// Asserts that every parameter whose name begins so was asked for: what is not heeded would have changed
    /// the states.
    ///
    /// # Errors
    /// Naming the first one that was not.
    fn all_of(&self, _prefix: &str) -> Result<()> {
        Ok(())
    }
}

/// What weights are rounded to before they are used. The arithmetic is f32 whatever this says: on a CPU half
/// precision is no faster, and what the rounding of weights alone does to a measurement can be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Not at all: f32, f16 and bf16 are exact in f32.
    #[default]
    F32,
    /// To bfloat16, 8 significant bits.
    Bf16,
    /// To IEEE half precision, 11 significant bits and nothing beyond 65504.
    F16,
}

impl Precision {
    fn round(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::Bf16 => half::bf16::from_f32(value).to_f32(),
            Self::F16 => half::f16::from_f32(value).to_f32(),
        }
    }
}

/// How the values of a tensor are stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    F32,
    F16,
    Bf16,
    /// Something that holds no weights, by its name.
    Other(String),
}

impl Kind {
    fn size(&self) -> Option<usize> {
        match self {
            Self::F32 => Some(4),
            Self::F16 | Self::Bf16 => Some(2),
            Self::Other(_) => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Other(name) => name,
        }
    }

    fn widen(&self, bytes: &[u8], out: &mut Vec<f32>) {
        match self {
            Self::F32 => {
                out.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
            }
            Self::F16 => {
                out.extend(bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()));
            }
            Self::Bf16 => {
                out.extend(bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()));
            }
            Self::Other(_) => {}
        }
    }
}

/// Where a tensor's values are: dense and row after row, within its file.
#[derive(Debug, Clone)]
struct Entry {
    file: usize,
    kind: Kind,
    shape: Vec<usize>,
    start: u64,
    /// A matrix that lies column after column.
    transposed: bool,
}

/// The tensors of a checkpoint, in one file or several. f16 and bf16 are widened to f32; tensors nobody asks
/// for (mask buffers, old rotary tables) are not read.
#[derive(Debug)]
pub struct Checkpoint {
    /// What a tensor that is nowhere is missing from: the file, or the index of several.
    path: PathBuf,
    files: Vec<Bytes>,
    entries: HashMap<String, Entry>,
    precision: Precision,
    /// The names that were asked for.
    asked: Mutex<BTreeSet<String>>,
}

/// What a folder's weights are called, in order of preference.
const PUBLISHED: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// How the names of buffers end that older files hold beside the parameters: masks and rotary tables, which
/// follow from the config.
const BUFFERS: [&str; 6] = [
    ".attn.bias",
    ".attention.bias",
    ".masked_bias",
    ".inv_freq",
    ".embed_positions",
    ".rotary_emb.cos_cached",
];

/// Bytes read at once.
const PIECE: usize = 1 << 20;

impl Checkpoint {
    /// The file of a folder that holds its weights, or the index of several; the first of the published names
    /// if there is none.
    ///
    /// # Errors
    /// [`Error::Config`] if the folder has weights in GGUF files alone, [`Error::Weights`] for shards without
    /// their index.
    pub fn find(folder: &Path) -> Result<PathBuf> {
        if let Some(name) = PUBLISHED.iter().find(|name| folder.join(name).exists()) {
            return Ok(folder.join(name));
        }
        let gguf = |name: &str| name.to_ascii_lowercase().ends_with(".gguf");
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        if let Some(shard) = names.iter().find(|name| name.contains("-of-0") && name.starts_with("model-")) {
            let reason = "is one of several files whose index is not there; download or save \
                          model.safetensors.index.json too";
            return Err(Error::Weights { path: folder.join(shard), reason: reason.into() });
        }
        if let Some(name) = names.into_iter().find(|name| gguf(name)) {
            let reason = "is a GGUF file, made for inference and mostly quantised, which is not read; take \
                          the checkpoint it was made from, a folder with config.json, tokenizer.json and \
                          model.safetensors or pytorch_model.bin";
            return Err(Error::Config { path: folder.join(name), reason: reason.into() });
        }
        Ok(folder.join(PUBLISHED[0]))
    }

    /// Opens what [`Checkpoint::find`] found and checks its headers; no weight is read yet.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that is missing, [`Error::Weights`] for one that is malformed or cut short,
    /// [`Error::Json`] and [`Error::Config`] for an index, [`Error::Tensor`] where index and files
    /// disagree.
    pub fn open(path: &Path, precision: Precision) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (files, entries) = if name.ends_with(".index.json") {
            shards::open(path)?
        } else {
            let file = Bytes::open(path)?;
            let entries = entries(&file, 0)?;
            (vec![file], entries.into_iter().collect())
        };
        Ok(Self { path: path.into(), files, entries, precision, asked: Mutex::default() })
    }

    /// Takes the bytes of a safetensors file that came from `path` and checks its header.
    ///
    /// # Errors
    /// [`Error::Weights`] if the header is malformed or the file is cut short.
    pub fn new(path: &Path, bytes: Cow<'static, [u8]>) -> Result<Self> {
        let file = Bytes::held(path, bytes);
        let entries = safetensors::entries(&file, 0)?.into_iter().collect();
        Ok(Self {
            path: path.into(),
            files: vec![file],
            entries,
            precision: Precision::F32,
            asked: Mutex::default(),
        })
    }

    /// The same checkpoint with its weights rounded as they are read.
    pub fn rounded(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// SHA-256 of the file; of several, of their hexadecimal digests one after the other, in order of their
    /// names.
    ///
    /// # Errors
    /// [`Error::Read`]
    pub fn sha256(&self) -> Result<String> {
        let digests = self.files.iter().map(Bytes::sha256).collect::<Result<Vec<_>>>()?;
        Ok(if let [one] = digests.as_slice() {
            one.clone()
        } else {
            seed::sha256_hex(digests.concat().as_bytes())
        })
    }

    /// How its weights are stored: "F32", "F16", "BF16", or several of them.
    pub fn stored(&self) -> String {
        let kinds: BTreeSet<&Kind> = self.entries.values().map(|entry| &entry.kind).collect();
        let names = kinds.into_iter().filter(|kind| kind.size().is_some()).map(Kind::name);
        names.collect::<Vec<_>>().join("+")
    }

    /// The names and shapes of all that is in the files.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// Shape and values of an array of token ids.
    ///
    /// # Errors
    /// [`Error::Tensor`] if it is missing or not int64, [`Error::Read`].
    pub(super) fn int64(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>)> {
        let fault = |reason: String| Error::Tensor { path: self.path.clone(), tensor: name.into(), reason };
        let entry =
            self.entries.get(name).ok_or_else(|| fault("is missing; give int64 token ids (n, t)".into()))?;
        if !matches!(&entry.kind, Kind::Other(kind) if kind == "I64") {
            return Err(fault(format!("has type {}; give int64 token ids (n, t)", entry.kind.name())));
        }
        let mut bytes = vec![0; 8 * entry.shape.iter().product::<usize>()];
        self.files[entry.file].read_at(entry.start, &mut bytes)?;
        let values = bytes
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]));
        Ok((entry.shape.clone(), values.collect()))
    }

    fn values(&self, entry: &Entry, size: usize) -> Result<Vec<f32>> {
        let n = entry.shape.iter().product::<usize>();
        let mut values = Vec::with_capacity(n);
        let mut piece = vec![0; PIECE.min(n * size)];
        while values.len() < n {
            let take = piece.len().min((n - values.len()) * size);
            self.files[entry.file].read_at(entry.start + (values.len() * size) as u64, &mut piece[..take])?;
            entry.kind.widen(&piece[..take], &mut values);
        }
        Ok(match entry.shape[..] {
            [rows, columns] if entry.transposed => kernels::transpose(columns, rows, &values),
            _ => values,
        })
    }
}

/// The tensors of one file, by what its bytes look like.
fn entries(file: &Bytes, index: usize) -> Result<Vec<(String, Entry)>> {
    let name = file.path().to_string_lossy();
    if name.ends_with(".bin") { torch::entries(file, index) } else { safetensors::entries(file, index) }
}

impl Source for Checkpoint {
    fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    fn beyond(&self, name: &str) -> Result<()> {
        let Some(entry) = self.entries.get(name) else { return Ok(()) };
        let reason = "is of a block more than config.json asks for; take the config.json that belongs to \
                      these weights";
        let path = self.files[entry.file].path().into();
        Err(Error::Tensor { path, tensor: name.into(), reason: reason.into() })
    }

    fn lacks(&self, name: &str) -> bool {
        !self.has(name)
    }

    fn tied(&self, name: &str, embedding: &Tensor) -> Result<()> {
        let Some(entry) = self.entries.get(name) else { return Ok(()) };
        let own = self.tensor(name, embedding.dims(), Init::Zeros)?;
        if own.flatten_all()?.to_vec1::<f32>()? == embedding.flatten_all()?.to_vec1::<f32>()? {
            return Ok(());
        }
        let reason = "differs from the embedding that config.json ties it to (tie_word_embeddings); set \
                      that to false if the file is right";
        let path = self.files[entry.file].path().into();
        Err(Error::Tensor { path, tensor: name.into(), reason: reason.into() })
    }

    fn all_of(&self, prefix: &str) -> Result<()> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let heeded = |name: &str| asked.contains(name) || BUFFERS.iter().any(|buffer| name.ends_with(buffer));
        let unheeded = self
            .entries
            .iter()
            .filter(|(name, entry)| name.starts_with(prefix) && entry.kind.size().is_some() && !heeded(name));
        let Some((name, entry)) = unheeded.min_by_key(|(name, _)| *name) else { return Ok(()) };
        let reason = "is a parameter that this architecture with this config.json does not have; take the \
                      config.json that belongs to these weights";
        let path = self.files[entry.file].path().into();
        Err(Error::Tensor { path, tensor: name.clone(), reason: reason.into() })
    }

    fn tensor(&self, name: &str, shape: &[usize], _init: Init) -> Result<Tensor> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        let entry = self.entries.get(name);
        let path = entry.map_or(self.path.as_path(), |entry| self.files[entry.file].path());
        let fault = |reason: String| Error::Tensor { path: path.into(), tensor: name.into(), reason };
        let Some(entry) = entry else {
            let reason = "is missing; take the config.json that belongs to these weights, or save the whole \
                          checkpoint again";
            return Err(fault(reason.into()));
        };
        if entry.shape != shape {
            return Err(fault(format!(
                "has shape {:?} where config.json asks for {shape:?}; take the config.json that belongs to \
                 these weights",
                entry.shape
            )));
        }
        let Some(size) = entry.kind.size() else {
            return Err(fault(format!(
                "has type {}; save the checkpoint again as f32, f16 or bf16",
                entry.kind.name()
            )));
        };
        let mut values = self.values(entry, size)?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(fault(format!(
                "holds {} at element {index}: the checkpoint is damaged; download or save it again",
                values[index]
            )));
        }
        if self.precision != Precision::F32 {
            values.iter_mut().for_each(|value| *value = self.precision.round(*value));
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fault("holds values beyond the range of f16; take --dtype bf16 or f32".into()));
            }
        }
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}
