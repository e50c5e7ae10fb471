//! Selects the rows that a report shows.

use std::collections::BTreeSet;
use std::path::Path;

use crate::emergence::{ProfileRow, SettingFilter};
use crate::error::{Error, Result};
use crate::names;

/// The criteria for rows of the inputs.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Noise scale of the estimator; `None` for the noise scale of the headline.
    pub noise_scale: Option<f64>,
    /// Model ids; all models if empty.
    pub models: Vec<String>,
    /// Corpus names; all corpora if empty.
    pub corpora: Vec<String>,
    /// Required values of columns of profiles.csv.
    pub settings: Vec<SettingFilter>,
}

/// The models and corpora of the inputs of a report.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    models: BTreeSet<String>,
    corpora: BTreeSet<String>,
}

impl KnownNames {
    pub(super) fn add(&mut self, model: &str, corpus: &str) {
        for (names, name) in [(&mut self.models, model), (&mut self.corpora, corpus)] {
            if !names.contains(name) {
                names.insert(name.to_owned());
            }
        }
    }
}

impl Selection {
    /// Rejects a selected model or corpus that is not in the inputs, because the report would silently lack
    /// it.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest names.
    pub(super) fn check(&self, known: &KnownNames) -> Result<()> {
        let kinds = [("model", &self.models, &known.models), ("corpus", &self.corpora, &known.corpora)];
        for (kind, typed, known) in kinds {
            let is_known = |typed: &&String| known.iter().any(|name| names::is_same(typed, name));
            if let Some(typed) = typed.iter().find(|typed| !is_known(typed)) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let hint = format!("the inputs contain {}", known.join(", "));
                return Err(names::unknown(kind, typed, known, &hint));
            }
        }
        Ok(())
    }

    pub(super) fn admits(&self, model: &str, corpus: &str) -> bool {
        let among = |typed: &[String], name: &str| {
            typed.is_empty() || typed.iter().any(|typed| names::is_same(typed, name))
        };
        among(&self.models, model) && among(&self.corpora, corpus)
    }

    /// Whether a row of profiles.csv has the required settings.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an unknown setting.
    pub(super) fn admits_settings(&self, row: &ProfileRow) -> Result<bool> {
        if self.settings.is_empty() {
            return Ok(true);
        }
        let settings = row.settings();
        let held = self.settings.iter().map(|filter| filter.holds(&settings));
        Ok(held.collect::<Result<Vec<_>>>()?.into_iter().all(|holds| holds))
    }

    /// The error for a selection without rows.
    pub(super) fn nothing(path: &Path, what: &str) -> Error {
        let reason = format!(
            "leaves no {what} of {}; change --model, --corpus, --noise-scale or --select",
            path.display()
        );
        Error::Parameter { name: "the selection", reason }
    }
}
