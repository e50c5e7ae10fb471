//! Calibration: from a few models whose target is known to a number for one whose is not, with an interval
//! that was back-tested, and a refusal where the data carry no number.
//!
//! A [`Table`] and a [`Plan`] become a [`Card`]; a card and a table become predictions. Every candidate of
//! [`candidate::ALL`] is tried on rows it was not fitted on, leaving out targets, families, and the stronger;
//! one is chosen for queries inside the training range and one for those beyond; intervals are made of the
//! errors seen on the way.

mod calibrate;
pub mod candidates;
mod card;
pub mod intervals;
mod link;
pub mod prediction;
mod table;
pub mod validation;

pub use self::calibrate::calibrate;
pub use self::candidates::basis::Basis;
pub use self::card::file::{Card, Rows};
pub use self::intervals::residuals::{Held, Recipe, Residuals};
pub use self::link::Link;
pub use self::prediction::row::{PredictionRow, PredictionStatus};
pub use self::prediction::support::{Range, Regime, Support};
pub use self::table::condition::Condition;
pub use self::table::plan::{Columns, Plan, Prepared};
pub use self::table::sample::{Proxy, Query, Sample};
pub use self::table::tidy::Table;
pub use self::validation::backtest::{Backtest, Coverage, Refused};
pub use self::validation::diagnostics::{Diagnostics, Filled, Inflation, Noise};
pub use self::validation::fit::{Chosen, Fit, Scores};
pub use self::validation::folds::{Fold, Split};
pub use self::validation::score::Score;
pub use self::validation::trial::{Answer, Fits, Trial};
