//! Reads the values of a tensor, without a copy if they are contiguous in memory.

use candle_core::{Storage, Tensor};

use crate::error::Result;

/// Calls `f` with the f32 values of a tensor in row-major order.
pub(super) fn with_values<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    {
        let (storage, layout) = tensor.storage_and_layout();
        if let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) {
            return f(&storage.as_slice::<f32>()?[start..end]);
        }
    }
    f(&tensor.flatten_all()?.to_vec1::<f32>()?)
}

/// The little-endian bytes of the values, as files store them.
pub(super) fn le_bytes(values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; 4 * values.len()];
    for (bytes, value) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(values) {
        *bytes = value.to_le_bytes();
    }
    bytes
}
