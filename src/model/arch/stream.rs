//! Reads parameters from their source when they are needed.

use std::ops::Range;
use std::sync::Arc;

use super::loader::Loader;
use super::tensor_names::{TensorNames, TensorPrefixes};
use crate::error::Result;
use crate::model::block_parameters::Block;
use crate::model::blocks::{BlockSource, Blocks, StreamedBlocks};
use crate::model::parameters::Parameters;
use crate::model::spec::Spec;
use crate::model::table::{StoredRows, Table, pieces};
use crate::model::weights::{Init, ParameterSource};

/// A source of tensors, with the spec and the tensor names of the model to read.
struct Stored {
    names: TensorNames,
    spec: Spec,
    source: Arc<dyn ParameterSource + Send>,
    place: TensorPrefixes,
}

impl Stored {
    fn loader(&self) -> Loader<'_> {
        Loader { names: &self.names, spec: &self.spec, source: &*self.source, place: self.place.clone() }
    }
}

impl TensorNames {
    /// The parameters that `spec` needs. Blocks and vocabulary tables are read from `source` when needed.
    /// This function reads each block and each table once, so that faults are detected early. At most
    /// `most_blocks` blocks are in memory at a time.
    ///
    /// # Errors
    /// Returns the errors of `source`.
    pub fn stream(
        &self,
        spec: &Spec,
        source: Arc<dyn ParameterSource + Send>,
        most_blocks: usize,
    ) -> Result<Parameters> {
        let place = self.place(&|name| source.has(name));
        let stored = Arc::new(Stored { names: *self, spec: spec.clone(), source, place });
        let table = |name: &str| -> Result<Table> {
            let rows = StoredTable { of: stored.clone(), name: name.to_owned() };
            for piece in pieces(rows.dims()) {
                rows.rows(piece)?;
            }
            Ok(Table::Stored(Arc::new(rows)))
        };
        let blocks = || {
            let source = Box::new(StoredBlocks(stored.clone()));
            Ok(Blocks::Streamed(Arc::new(StreamedBlocks::new(source, spec.n_layers, most_blocks)?)))
        };
        stored.loader().assemble(table, blocks)
    }
}

struct StoredBlocks(Arc<Stored>);

impl BlockSource for StoredBlocks {
    fn block(&self, l: usize) -> Result<Block> {
        self.0.loader().block(l)
    }
}

/// The embedding or the head.
struct StoredTable {
    of: Arc<Stored>,
    name: String,
}

impl StoredRows for StoredTable {
    fn dims(&self) -> [usize; 2] {
        [self.of.spec.vocab_size, self.of.spec.d_embedding]
    }

    fn rows(&self, rows: Range<usize>) -> Result<Vec<f32>> {
        let init = Init::Normal(self.of.spec.init_std);
        self.of.source.rows(&self.name, self.dims(), rows, init)
    }
}
