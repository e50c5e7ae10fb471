//! The specification of a calibration: the response, the features, and the roles of other columns.

use super::link::Link;
use super::sample::LEAST_MODELS;
use crate::error::Error;

/// The specification of a calibration. Columns that are not named are found by their usual names.
#[derive(Debug, Clone, Default)]
pub struct CalibrationSpec {
    /// The column to be predicted.
    pub target: String,
    /// Names of features, or patterns with one `*`. If empty, suitable columns are found automatically.
    pub features: Vec<String>,
    /// Column of families; default `family`.
    pub group: Option<String>,
    /// Column of model sizes, in any unit; default `params_b`.
    pub size: Option<String>,
    /// Column of model names; default `target_model`, `model`, or a column that is detected by its values.
    /// Without such a column, every row counts as its own model.
    pub id: Option<String>,
    /// Column of row weights.
    pub weights: Option<String>,
    /// Column of the proxy's value of the target.
    pub proxy: Option<String>,
    /// Column of the proxy's size, in the unit of the size column.
    pub proxy_size: Option<String>,
    /// Column of the target's standard error; default: the target's name followed by `_stderr` or `_se`
    /// (before the unit `_nats`, if there is one), or a similar name.
    pub stderr: Option<String>,
    /// The link. `None` means logit for shares and percentages, otherwise identity.
    pub link: Option<Link>,
    /// Number of answers to choose from in each question of the target. If no link is given, the target's
    /// range then starts just below the chance level.
    pub choices: Option<u32>,
    /// Columns in which a row to be predicted must have a value of the training rows. If empty, the columns
    /// that describe how observations were measured are used.
    pub same: Vec<String>,
    /// Whether features that cannot be measured on a model behind an API are an error.
    pub for_api: bool,
    /// Level of the intervals whose widths are reported.
    pub level: f64,
    /// Unit of the target.
    pub unit: String,
}

impl CalibrationSpec {
    /// Returns `error`, unless only very few (`n`) of the `of` rows have a target. Then many columns are
    /// constant or copies of each other, so the returned error gives the number of rows instead.
    pub(super) fn too_few_rows_or(&self, error: Error, n: usize, of: usize) -> Error {
        if n < LEAST_MODELS { self.too_few(n, of) } else { error }
    }

    pub(super) fn too_few(&self, n: usize, of: usize) -> Error {
        let has = if n == 1 { "has" } else { "have" };
        Error::Calibration {
            reason: format!(
                "{n} of {of} rows {has} a value of {}; at least {LEAST_MODELS} are needed",
                self.target
            ),
        }
    }
}
