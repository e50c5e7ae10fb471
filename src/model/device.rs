//! Selects the device that a decoder computes on.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The CPU, or an NVIDIA GPU by number (only in a build with the feature `cuda`). The states that CPU and GPU
/// compute differ by rounding errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// All CPU cores, with surmise's own loops.
    #[default]
    Cpu,
    /// An NVIDIA GPU, with candle's operations in f32.
    Cuda(usize),
}

impl Device {
    /// The device in the tensor library.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the device does not exist, or if this build cannot use it.
    pub(super) fn open(self) -> Result<candle_core::Device> {
        match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda(_) if !cfg!(feature = "cuda") => {
                let reason = format!(
                    "is {self}, but this build has no CUDA support; build surmise with `cargo install --path \
                     . --features cuda`, or use --device cpu"
                );
                Err(Error::Parameter { name: "--device", reason })
            }
            Self::Cuda(number) => candle_core::Device::new_cuda(number).map_err(|source| {
                let reason =
                    format!("is {self}, which cannot be opened ({source}); use another GPU, or --device cpu");
                Error::Parameter { name: "--device", reason }
            }),
        }
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match (text, text.strip_prefix("cuda:").map(str::parse)) {
            ("cpu", _) => Ok(Self::Cpu),
            ("cuda", _) => Ok(Self::Cuda(0)),
            (_, Some(Ok(number))) => Ok(Self::Cuda(number)),
            _ => Err("give cpu, cuda, or cuda:N".into()),
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}
