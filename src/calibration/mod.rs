//! Calibration: from a few models whose target is known to a number for one whose is not, with an interval
//! that was back-tested, and a refusal where the data carry no number.
//!
//! A [`Table`] and a [`Plan`] become a [`Card`]; a card and a table become predictions. Every candidate of
//! [`candidate::ALL`] is tried on rows it was not fitted on, leaving out targets, families, and the stronger;
//! one is chosen for queries inside the training range and one for those beyond; intervals are made of the
//! errors seen on the way.

mod backtest;
mod basis;
mod calibrate;
pub mod candidate;
mod card;
mod caveats;
mod condition;
mod describe;
mod diagnose;
mod fit;
mod folds;
mod guard;
mod interval;
mod lengths;
mod link;
mod plan;
mod predict;
mod reach;
#[cfg(test)]
mod reference;
mod sample;
mod score;
mod select;
mod support;
mod table;
mod trial;

pub use self::backtest::{Backtest, Coverage, Refused};
pub use self::basis::Basis;
pub use self::calibrate::calibrate;
pub use self::card::{Card, Rows};
pub use self::condition::Condition;
pub use self::diagnose::{Diagnostics, Filled, Inflation, Noise};
pub use self::fit::{Chosen, Fit, Scores};
pub use self::folds::{Fold, Split};
pub use self::interval::{Held, Recipe, Residuals};
pub use self::link::Link;
pub use self::plan::{Columns, Plan, Prepared};
pub use self::predict::Prediction;
pub use self::sample::{Proxy, Query, Sample};
pub use self::score::Score;
pub use self::support::{Range, Regime, Support};
pub use self::table::Table;
pub use self::trial::{Answer, Fits, Trial};
