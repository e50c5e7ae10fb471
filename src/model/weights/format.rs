//! Selects the reader for the format of a weight file.

use super::bytes::Bytes;
use super::entry::TensorEntry;
use super::{safetensors, torch};
use crate::error::Result;

/// The tensors of one file. The file name determines the format.
pub(super) fn entries(file: &Bytes, index: usize) -> Result<Vec<(String, TensorEntry)>> {
    let name = file.path().to_string_lossy();
    if name.ends_with(".bin") { torch::entries(file, index) } else { safetensors::entries(file, index) }
}
