//! The blind test: a model that could be opened is served as if it were closed, asked over the wire,
//! predicted from what came back, and only then opened.
//!
//! Every member of a family that is to be hidden is a back-test of its own: the card is fitted on all members
//! of other recipes and on the smaller ones of its own. What a prediction is made of is an [`Outside`] of the
//! hidden member (what its API says) and the profiles of the others. Its own profile is not among these;
//! where one member is hidden it is not even measured before the prediction is on disk, where several are, it
//! may be as one of the others of an earlier one.

mod closed;
mod context;
mod family;
mod folder;
mod inside;
mod observe;
mod outside;
mod prediction;
mod questions;
mod reading;
mod record;
mod run;
mod settings;

pub use self::family::{Family, Member};
pub use self::outside::Outside;
pub use self::prediction::{FEATURES, HiddenPrediction};
pub use self::record::{BlindRow, BlindTest, Summary};
pub use self::run::run;
pub use self::settings::{BlindSettings, PredictionSettings};
