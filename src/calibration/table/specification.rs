//! What a calibration is asked to be: the response, the features, and the roles of other columns.

use super::link::Link;
use super::sample::LEAST_MODELS;
use crate::error::Error;

/// The specification of a calibration. Columns that are not named are found by their usual names.
#[derive(Debug, Clone, Default)]
pub struct CalibrationSpec {
    /// The column to be predicted.
    pub target: String,
    /// Names or patterns with one `*`; empty: every numeric column that rows without a target have as well.
    pub features: Vec<String>,
    /// Family of a row; else `family`.
    pub group: Option<String>,
    /// Size of a row's model, in any unit; else `params_b`.
    pub size: Option<String>,
    /// The model that a row is an observation of; else `target_model` or `model`, else every row is its own.
    pub id: Option<String>,
    /// Weight of a row.
    pub weights: Option<String>,
    /// A proxy's value of the target column.
    pub proxy: Option<String>,
    /// The proxy's size, in the unit of the size column.
    pub proxy_size: Option<String>,
    /// The standard error of the target; else the column named like the target with `_stderr` or `_se`
    /// behind, before the unit if it is nats.
    pub stderr: Option<String>,
    /// The link; `None`: logit where all targets lie in `[0, 1]` and the column is not in nats, else
    /// identity.
    pub link: Option<Link>,
    /// How many answers a question of the target has to choose from, where no link is given: its range then
    /// begins at guessing.
    pub choices: Option<u32>,
    /// Columns in which a row to be predicted must hold a value that the training rows hold; empty: those
    /// that say how our own observations were measured.
    pub same: Vec<String>,
    /// Refuse features that a model behind an API cannot have.
    pub for_api: bool,
    /// Level of the intervals that widths are reported at.
    pub level: f64,
    /// Unit of the target.
    pub unit: String,
}

impl CalibrationSpec {
    /// The error to report for `n` of `of` rows: among a handful many columns are constant or copies, and the
    /// number of rows is what is wrong.
    pub(super) fn too_few_rows_or(&self, error: Error, n: usize, of: usize) -> Error {
        if n < LEAST_MODELS { self.too_few(n, of) } else { error }
    }

    pub(super) fn too_few(&self, n: usize, of: usize) -> Error {
        let holds = if n == 1 { "row holds" } else { "rows hold" };
        Error::Calibration {
            reason: format!(
                "{n} {holds} a number of {} (of {of}); {LEAST_MODELS} are the least",
                self.target
            ),
        }
    }
}
