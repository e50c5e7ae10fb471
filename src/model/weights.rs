//! Where a decoder's tensors come from: a safetensors checkpoint, or seeded initial weights (the untrained twin). Whatever is wrong
//! with a checkpoint is found here, before the first multiplication.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use rand::Rng;
use rand_distr::StandardNormal;
use safetensors::tensor::{SafeTensors, TensorView};
use safetensors::{Dtype, SafeTensorError};

use crate::error::{Error, Result};
use crate::seed;

/// How a parameter starts before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Independent normal values with mean 0 and this standard deviation.
    Normal(f64),
    /// All 1 (norm weights).
    Ones,
    /// All 0 (biases).
    Zeros,
}

/// A named collection of parameters.
pub trait Source {
    /// Whether the collection has a tensor of this name.
    fn has(&self, name: &str) -> bool;
    /// The tensor, as f32 on the CPU; `init` is what it would be in an untrained model.
    ///
    /// # Errors
    /// If it is missing, of another shape, of an unreadable type, or holds NaN or infinity.
    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor>;
}

/// A safetensors file held in memory. f16 and bf16 are widened to f32; tensors nobody asks for (mask buffers, old rotary tables)
/// are ignored.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    bytes: Cow<'static, [u8]>,
}

impl Checkpoint {
    /// Takes the bytes of a safetensors file that came from `path` and checks its header.
    ///
    /// # Errors
    /// [`Error::Weights`] if the header is malformed or the file is cut short.
    pub fn new(path: &Path, bytes: Cow<'static, [u8]>) -> Result<Self> {
        let checkpoint = Self { path: path.into(), bytes };
        checkpoint.file()?;
        Ok(checkpoint)
    }

    /// SHA-256 of the file.
    pub fn sha256(&self) -> String {
        seed::sha256_hex(&self.bytes)
    }

    fn file(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|source| {
            let n = self.bytes.len();
            let reason = match source {
                _ if self.bytes.starts_with(b"version https://git-lfs") => {
                    "a git-lfs pointer, not the weights themselves (`git lfs pull` gets them)".to_owned()
                }
                SafeTensorError::InvalidHeaderLength => format!("truncated: its {n} bytes end before its header does"),
                SafeTensorError::MetadataIncompleteBuffer => {
                    format!("truncated or added to: {n} bytes are not what its header promises")
                }
                SafeTensorError::HeaderTooSmall => format!("{n} bytes are too few for a safetensors file"),
                other => format!("no valid safetensors file ({other})"),
            };
            Error::Weights { path: self.path.clone(), reason }
        })
    }

    fn fault(&self, tensor: &str, reason: impl Into<String>) -> Error {
        Error::Tensor { path: self.path.clone(), tensor: tensor.into(), reason: reason.into() }
    }
}

/// The values of a view as f32; `None` for a type that holds no weights.
fn widen(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F16 => bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        Dtype::BF16 => bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        _ => return None,
    })
}

impl Source for Checkpoint {
    fn has(&self, name: &str) -> bool {
        self.file().is_ok_and(|file| file.tensor(name).is_ok())
    }

    fn tensor(&self, name: &str, shape: &[usize], _init: Init) -> Result<Tensor> {
        let file = self.file()?;
        let view = file.tensor(name).map_err(|_| {
            self.fault(
                name,
                "is missing; take the config.json that belongs to these weights, or save the whole checkpoint again",
            )
        })?;
        if view.shape() != shape {
            let reason = format!(
                "has shape {:?} where config.json asks for {shape:?}; take the config.json that belongs to these weights",
                view.shape()
            );
            return Err(self.fault(name, reason));
        }
        let values = widen(&view).ok_or_else(|| {
            self.fault(name, format!("has type {:?}; save the checkpoint again as f32, f16 or bf16", view.dtype()))
        })?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let reason = format!(
                "holds {} at element {index}: the checkpoint is damaged; download or save it again",
                values[index]
            );
            return Err(self.fault(name, reason));
        }
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

/// Seeded initial weights: the untrained twin, and the start of training. Each tensor has a random stream of its own, so its values
/// depend on the seed, its name and its shape alone.
#[derive(Debug, Clone, Copy)]
pub struct Initial {
    /// The seed.
    pub seed: u64,
}

impl Source for Initial {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        Ok(match init {
            Init::Ones => Tensor::ones(shape, DType::F32, &Device::Cpu)?,
            Init::Zeros => Tensor::zeros(shape, DType::F32, &Device::Cpu)?,
            Init::Normal(std) => {
                let mut rng = seed::stream("weights", name, self.seed);
                let values: Vec<f32> =
                    (0..shape.iter().product()).map(|_| (rng.sample::<f64, _>(StandardNormal) * std) as f32).collect();
                Tensor::from_vec(values, shape, &Device::Cpu)?
            }
        })
    }
}
