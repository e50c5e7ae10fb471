//! The values of a tensor, read in pieces and widened as they come.

use super::bytes::{Bytes, PIECE};
use super::entry::TensorEntry;
use crate::error::Result;
use crate::numeric::kernels;

/// The values of a tensor in `file`, of `size` bytes each, row after row.
pub(super) fn read(file: &Bytes, entry: &TensorEntry, size: usize) -> Result<Vec<f32>> {
    let n = entry.shape.iter().product::<usize>();
    let mut values = Vec::with_capacity(n);
    let mut piece = vec![0; PIECE.min(n * size)];
    while values.len() < n {
        let take = piece.len().min((n - values.len()) * size);
        file.read_at(entry.start + (values.len() * size) as u64, &mut piece[..take])?;
        entry.stored.widen(&piece[..take], &mut values);
    }
    Ok(match entry.shape[..] {
        [rows, columns] if entry.transposed => kernels::transpose(columns, rows, &values),
        _ => values,
    })
}
