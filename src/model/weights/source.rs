//! Defines the interface between weights and decoders: a source of named tensors, such as a checkpoint or
//! seeded initial weights.

use std::ops::Range;

use candle_core::Tensor;

use super::init::Init;
use crate::error::Result;

/// A collection of named parameters.
pub trait ParameterSource: Sync {
    /// Whether the collection has a tensor of this name.
    fn has(&self, name: &str) -> bool;
    /// The tensor, as f32 on the CPU. `init` determines the values if the source generates initial weights.
    ///
    /// # Errors
    /// Returns an error if the tensor is missing, has another shape or an unsupported type, or contains NaN
    /// or infinity.
    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor>;
    /// The concatenated values of some rows of a matrix that may be too large to read at once.
    ///
    /// # Errors
    /// Returns the errors of [`ParameterSource::tensor`].
    fn rows(&self, name: &str, shape: [usize; 2], rows: Range<usize>, init: Init) -> Result<Vec<f32>> {
        let whole = self.tensor(name, &shape, init)?;
        Ok(whole.narrow(0, rows.start, rows.len())?.flatten_all()?.to_vec1()?)
    }
    /// Whether a tensor of this name is missing. Unlike `!has`, this is false for a source that generates
    /// initial weights for any name.
    fn lacks(&self, _name: &str) -> bool {
        false
    }
    /// Checks that the head (the matrix `name`), if it exists, equals the embedding, because the config ties
    /// the two.
    ///
    /// # Errors
    /// Returns an error if the matrices differ.
    fn check_tied(&self, _name: &str, _embedding: &str, _shape: [usize; 2]) -> Result<()> {
        Ok(())
    }
    /// Marks the parameters whose names have this prefix as read, so that [`ParameterSource::check_all_read`]
    /// accepts them. They do not affect the states.
    fn leave_out(&self, _prefix: &str) {}
    /// Whether only the shapes of the tensors are correct, and the values have no meaning.
    fn has_shapes_alone(&self) -> bool {
        false
    }
    /// Checks that every parameter whose name has this prefix was read. A parameter that was not read, such
    /// as a block that the config does not mention, would affect the states of the published model.
    ///
    /// # Errors
    /// Returns an error with the name of the first parameter that was not read.
    fn check_all_read(&self, _prefix: &str) -> Result<()> {
        Ok(())
    }
}
