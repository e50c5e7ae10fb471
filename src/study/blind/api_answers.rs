//! Stores the answers of a model's API to the prompts of the designs. Predictions of a hidden model use no
//! other information about it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::collect::results::semantic::SemanticScore;
use crate::disk;
use crate::disk::Schema;
use crate::error::{Error, Result};

/// The answers of one model, without any measurement of its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiAnswers {
    /// Name and version of the file format.
    pub schema: Schema,
    /// Id of the model.
    pub model: String,
    /// Scores of the answers, one row for each corpus and number of examples.
    pub rows: Vec<SemanticScore>,
}

impl ApiAnswers {
    const SCHEMA: (&'static str, u32) = ("api-answers", 2);

    pub(crate) fn new(model: &str, rows: Vec<SemanticScore>) -> Self {
        let (name, version) = Self::SCHEMA;
        Self { schema: Schema::new(name, version), model: model.into(), rows }
    }

    /// Reads the answers of a model.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Json`]; [`Error::Config`] for a file of another version.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.into(), source })?;
        if (read.schema.name.as_str(), read.schema.version) != Self::SCHEMA {
            let reason = "was written by another version of surmise; remove it, and the next run will write \
                          it again"
                .into();
            return Err(Error::Config { path: path.into(), reason });
        }
        Ok(read)
    }
}
