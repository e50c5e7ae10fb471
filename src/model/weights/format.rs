//! The table of file formats: which reader a file of weights needs.

use super::bytes::Bytes;
use super::entry::TensorEntry;
use super::{safetensors, torch};
use crate::error::Result;

/// The tensors of one file, by the format that its name says.
pub(super) fn entries(file: &Bytes, index: usize) -> Result<Vec<(String, TensorEntry)>> {
    let name = file.path().to_string_lossy();
    if name.ends_with(".bin") { torch::entries(file, index) } else { safetensors::entries(file, index) }
}
