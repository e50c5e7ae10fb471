//! Calibration: fits regressions to models whose target is known, and predicts the target of other models.
//! Every prediction has a back-tested interval. If the data do not support a prediction, it is refused.
//!
//! A [`Table`] and a [`CalibrationSpec`] become a [`Card`]; a card and a table become [`PredictionRow`]s. The
//! folders, in this order:
//!
//! * `table` selects and checks rows and columns;
//! * `candidates` implements the regressions;
//! * `intervals` computes prediction intervals from held-out residuals;
//! * `validation` cross-validates every candidate, selects candidates for rows within and beyond the training
//!   range, and back-tests the whole procedure;
//! * `card` writes and reads the fitted calibration;
//! * `prediction` applies a card to new rows.

pub mod candidates;
mod card;
mod intervals;
mod prediction;
mod table;
mod validation;

pub use self::candidates::basis::Basis;
pub use self::candidates::fitted::FittedCandidate;
pub use self::candidates::fitted_candidates::FittedCandidates;
pub use self::candidates::size::{least_squares_at, size_baseline};
pub use self::candidates::training_set::{FeatureSpectrum, TrainingSet};
pub use self::card::calibrate::calibrate;
pub use self::card::contents::{Card, TrainingRows};
pub use self::intervals::method::IntervalMethod;
pub(crate) use self::intervals::method::check_level;
pub use self::intervals::residuals::{HeldOutResidual, Residuals};
pub use self::intervals::selected::SelectedCandidate;
pub use self::intervals::skill::Skill;
pub use self::prediction::error_summary::{ErrorSummary, Outcome};
pub use self::prediction::predict::PredictionSettings;
pub use self::prediction::row::{PredictionRow, PredictionStatus};
pub use self::table::columns::ColumnRoles;
pub use self::table::condition::Condition;
pub use self::table::folds::{BySplit, Fold, Split};
pub use self::table::link::Link;
pub use self::table::noise::ResponseNoise;
pub use self::table::number::DecimalSign;
pub use self::table::prepare::TrainingData;
pub use self::table::sample::{Predictors, ProxyValue, Sample};
pub use self::table::specification::CalibrationSpec;
pub use self::table::stored_sample::StoredSample;
pub use self::table::tidy::Table;
pub use self::validation::calibration_fit::{CalibrationFit, SplitScores};
pub use self::validation::coverage::{Backtest, Coverage, TestedSplits};
pub use self::validation::cross_validation::{CrossValidation, HeldOutPrediction};
pub use self::validation::diagnostics::{Diagnostics, ImputedCells, VarianceInflation};
pub use self::validation::range::TrainingRange;
pub use self::validation::regime::Regime;
pub use self::validation::score::CandidateScore;
pub use self::validation::support::RegimeSupport;
