//! The device that a decoder computes on.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The CPU, or a GPU by its number in a build with the feature `cuda`. States of the two agree to rounding,
/// not to the bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// All cores, with loops of surmise's own.
    #[default]
    Cpu,
    /// An NVIDIA GPU, with candle's operations in f32.
    Cuda(usize),
}

impl Device {
    /// The device as the tensor library has it.
    ///
    /// # Errors
    /// [`Error::Parameter`] where there is none, or where this build cannot use it.
    pub(super) fn open(self) -> Result<candle_core::Device> {
        match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda(_) if !cfg!(feature = "cuda") => {
                let reason = format!(
                    "is {self}, and this build has no CUDA; build it with `cargo install --path . \
                     --features cuda`, or take --device cpu"
                );
                Err(Error::Parameter { name: "--device", reason })
            }
            Self::Cuda(number) => candle_core::Device::new_cuda(number).map_err(|source| {
                let reason =
                    format!("is {self}, which does not open ({source}); take another one, or --device cpu");
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
