//! The seam between weights and decoders: whatever gives named tensors, a checkpoint or seeded initial
//! weights.

use std::ops::Range;

use candle_core::Tensor;

use super::init::Init;
use crate::error::Result;

/// A named collection of parameters.
pub trait ParameterSource: Sync {
    /// Whether the collection has a tensor of this name.
    fn has(&self, name: &str) -> bool;
    /// The tensor, as f32 on the CPU; `init` is what it would be in a randomly initialised model.
    ///
    /// # Errors
    /// If it is missing, of another shape, of an unreadable type, or holds NaN or infinity.
    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor>;
    /// Some rows of a matrix, one after the other, for one that is too large to be read as a whole.
    ///
    /// # Errors
    /// Those of [`ParameterSource::tensor`].
    fn rows(&self, name: &str, shape: [usize; 2], rows: Range<usize>, init: Init) -> Result<Vec<f32>> {
        let whole = self.tensor(name, &shape, init)?;
        Ok(whole.narrow(0, rows.start, rows.len())?.flatten_all()?.to_vec1()?)
    }
    /// Whether the collection is limited and has no tensor of this name.
    fn lacks(&self, _name: &str) -> bool {
        false
    }
    /// Checks that a matrix of this name, if there is one, equals the embedding that the config ties it to.
    ///
    /// # Errors
    /// If it differs.
    fn check_tied(&self, _name: &str, _embedding: &str, _shape: [usize; 2]) -> Result<()> {
        Ok(())
    }
    /// Counts the parameters whose names begin with `prefix` as read: they change no state.
    fn leave_out(&self, _prefix: &str) {}
    /// Whether tensors have shapes alone, and their values mean nothing.
    fn has_shapes_alone(&self) -> bool {
        false
    }
    /// Checks that every parameter whose name begins with `prefix` was read: one that was not would have
    /// changed the states, as a block would that the config leaves out.
    ///
    /// # Errors
    /// Naming the first one that was not.
    fn check_all_read(&self, _prefix: &str) -> Result<()> {
        Ok(())
    }
}
