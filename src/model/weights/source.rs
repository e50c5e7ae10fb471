//! Defines the interface between weights and decoders: a source of named tensors, such as a checkpoint or
//! seeded initial weights.

use std::ops::Range;

use candle_core::Tensor;

use super::init::Init;
use crate::error::Result;

/// A named collection of parameters.
pub trait ParameterSource: Sync {
    /// Whether the collection has a tensor of this name.
    fn has(&self, name: &str) -> bool;
    /// The tensor, as f32 on the CPU. `init` gives its values in a randomly initialised model.
    ///
    /// # Errors
    /// If the tensor is missing, has another shape or an unsupported type, or holds NaN or infinity.
    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor>;
    /// The concatenated values of some rows of a matrix that may be too large to read at once.
    ///
    /// # Errors
    /// Those of [`ParameterSource::tensor`].
    fn rows(&self, name: &str, shape: [usize; 2], rows: Range<usize>, init: Init) -> Result<Vec<f32>> {
        let whole = self.tensor(name, &shape, init)?;
        Ok(whole.narrow(0, rows.start, rows.len())?.flatten_all()?.to_vec1()?)
    }
    /// Whether the collection is finite and has no tensor of this name.
    fn lacks(&self, _name: &str) -> bool {
        false
    }
    /// Checks that the matrix of this name, if it exists, equals the embedding that the config ties it to.
    ///
    /// # Errors
    /// If the matrices differ.
    fn check_tied(&self, _name: &str, _embedding: &str, _shape: [usize; 2]) -> Result<()> {
        Ok(())
    }
    /// Marks the parameters with this prefix as read, because they do not affect the states.
    fn leave_out(&self, _prefix: &str) {}
    /// Whether the tensors have correct shapes but meaningless values.
    fn has_shapes_alone(&self) -> bool {
        false
    }
    /// Checks that every parameter with this prefix was read. An unread parameter would affect the states of
    /// the true model, for example a block that the config does not mention.
    ///
    /// # Errors
    /// Names the first unread parameter.
    fn check_all_read(&self, _prefix: &str) -> Result<()> {
        Ok(())
    }
}
