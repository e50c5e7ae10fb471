//! Reuses the memory of intermediate arrays in later blocks. Allocating new memory for each array would take
//! about the same time as the arithmetic.

use std::cell::RefCell;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor};

/// Maximum number of buffers that a thread keeps for later use.
const MOST: usize = 12;

thread_local! {
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(vec![]) };
}

/// Returns a buffer of `n` values: a kept buffer of this length, or else a new one. The values are
/// unspecified.
pub(super) fn take(n: usize) -> Vec<f32> {
    let spare = SPARE.with_borrow_mut(|spare| {
        let at = spare.iter().position(|buffer| buffer.len() == n)?;
        Some(spare.swap_remove(at))
    });
    spare.unwrap_or_else(|| vec![0.0; n])
}

/// Keeps the buffer of `tensor` for a later call of [`take`]. No other tensor may share the buffer.
pub(super) fn give(tensor: &Tensor) -> Result<()> {
    tensor.inplace_op1(&Give)
}

/// Frees the buffers that this thread keeps.
pub(super) fn clear() {
    SPARE.with_borrow_mut(Vec::clear);
}

struct Give;

impl InplaceOp1 for Give {
    fn name(&self) -> &'static str {
        "give"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, _layout: &Layout) -> Result<()> {
        if let CpuStorage::F32(values) = storage {
            let values = std::mem::take(values);
            SPARE.with_borrow_mut(|spare| {
                if spare.len() < MOST {
                    spare.push(values);
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_buffer_that_was_given_is_taken_again_until_it_is_freed() {
        let tensor = Tensor::from_vec(vec![1.0_f32, 2.0, 3.0], 3, &Device::Cpu).expect("a tensor");
        give(&tensor).expect("a buffer");
        assert_eq!(take(2), [0.0, 0.0], "another length");
        assert_eq!(take(3), [1.0, 2.0, 3.0]);
        give(&Tensor::from_vec(vec![1.0_f32], 1, &Device::Cpu).expect("a tensor")).expect("a buffer");
        clear();
        assert_eq!(take(1), [0.0]);
    }
}
