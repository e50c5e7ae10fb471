//! Reads the values of a tensor in pieces and converts them to f32.

use super::bytes::{Bytes, PIECE};
use super::entry::{Layout, TensorEntry};
use crate::error::Result;
use crate::numeric::kernels;

/// The values of a tensor in `file`, in the layout of safetensors files. Empty if the stored type cannot be
/// converted to f32.
pub(super) fn read(file: &Bytes, entry: &TensorEntry) -> Result<Vec<f32>> {
    let Some((block, size)) = entry.stored.block() else { return Ok(vec![]) };
    file.check_unchanged()?;
    let n = entry.n_values();
    let total = n / block * size;
    let mut values = Vec::with_capacity(n);
    let mut piece = vec![0; (PIECE / size * size).min(total)];
    let mut done = 0;
    while done < total {
        let take = piece.len().min(total - done);
        file.read_at(entry.start + done as u64, &mut piece[..take])?;
        entry.stored.widen(&piece[..take], &mut values);
        done += take;
    }
    Ok(match (entry.layout, entry.shape.as_slice()) {
        (Layout::Transposed, [rows, columns]) => kernels::transpose(*columns, *rows, &values),
        (Layout::Swapped { outer, a, b }, _) => swapped(&values, [outer, a, b]),
        (Layout::PlusOne, _) => {
            values.iter_mut().for_each(|value| *value -= 1.0);
            values
        }
        (Layout::Published | Layout::Row | Layout::Transposed, _) => values,
    })
}

/// Transposes each group of `a x b` pieces to `b x a` pieces. There are `outer` groups.
fn swapped(values: &[f32], [outer, a, b]: [usize; 3]) -> Vec<f32> {
    let piece = values.len() / (outer * a * b);
    let mut out = Vec::with_capacity(values.len());
    for group in 0..outer {
        for fast in 0..b {
            for slow in 0..a {
                let at = ((group * a + slow) * b + fast) * piece;
                out.extend_from_slice(&values[at..at + piece]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::swapped;

    #[test]
    fn pieces_are_swapped_within_their_groups() {
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        assert_eq!(swapped(&values, [1, 2, 3]), [0., 1., 6., 7., 2., 3., 8., 9., 4., 5., 10., 11.]);
        assert_eq!(swapped(&values, [2, 3, 2]), [0., 2., 4., 1., 3., 5., 6., 8., 10., 7., 9., 11.]);
    }
}
