//! The selection of rows that a report shows.

use std::path::Path;

use crate::emergence::{ProfileRow, SettingFilter};
use crate::error::{Error, Result};
use crate::names;

/// The rows of the inputs that are shown.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The estimator's noise scale; that of the headline if none is given.
    pub noise_scale: Option<f64>,
    /// Ids of models; all if none is named.
    pub models: Vec<String>,
    /// Names of corpora; all if none is named.
    pub corpora: Vec<String>,
    /// Values that columns of profiles.csv must have.
    pub settings: Vec<SettingFilter>,
}

impl Selection {
    pub(super) fn admits(&self, model: &str, corpus: &str) -> bool {
        let among = |typed: &[String], name: &str| {
            typed.is_empty() || typed.iter().any(|typed| names::is_same(typed, name))
        };
        among(&self.models, model) && among(&self.corpora, corpus)
    }

    /// Whether a row of profiles.csv has the settings asked for.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a setting that no column holds.
    pub(super) fn admits_settings(&self, row: &ProfileRow) -> Result<bool> {
        if self.settings.is_empty() {
            return Ok(true);
        }
        let settings = row.settings();
        let held = self.settings.iter().map(|filter| filter.holds(&settings));
        Ok(held.collect::<Result<Vec<_>>>()?.into_iter().all(|holds| holds))
    }

    /// The error for a selection that leaves nothing of a file.
    pub(super) fn nothing(path: &Path, what: &str) -> Error {
        let reason = format!(
            "leaves no {what} of {}; choose others (--model, --corpus, --noise-scale, --select)",
            path.display()
        );
        Error::Parameter { name: "the selection", reason }
    }
}
