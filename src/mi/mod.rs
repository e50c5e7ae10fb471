//! Mutual information of paired samples: the trait that every estimator implements.
//!
//! | to be found in | what |
//! |---|---|
//! | [`Pairs`], [`Estimate`] | what an estimator takes, and what it gives |
//! | `registry.rs` | the table of estimators |
//! | [`estimators`] | the estimators, one file each |
//! | `channel`, `density_ratio`, `neighbours`, `neural` | what they are made of |
//! | `samples` | checks, standard units, ranks and repeated rows, which most of them need |
//! | [`permutation_test`] | random pairings and samples of known information |
//!
//! Nothing here knows of models or windows: an estimator takes two matrices whose rows are paired.
//!
//! # Units
//! All information is in nats.

pub mod channel;
pub mod density_ratio;
mod estimate;
pub mod estimators;
mod neighbours;
pub mod neural;
mod pairs;
pub mod permutation_test;
mod registry;
mod samples;

pub use self::channel::scale::Scale;
pub use self::estimate::{Ceilings, Estimate, Flag, Kind};
pub use self::estimators::channel::Channel;
pub use self::pairs::Pairs;
pub use self::registry::{ALL, DEFAULT, find};
pub(crate) use self::samples::distinct::row_labels;
use crate::Result;

/// A method that estimates mutual information from paired samples.
pub trait Estimator: Send + Sync {
    /// The name under which it is listed and recorded.
    fn name(&self) -> &'static str;

    /// What there is to know before it is chosen.
    fn about(&self) -> About;

    /// Mutual information in nats, one estimate for each noise scale of the estimator, in their order, or a
    /// single one.
    ///
    /// The same arguments give the same bits, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::NonFinite`] for a value that is NaN or infinite; [`crate::Error::Samples`], with the
    /// name of the estimator and a reason, for samples that the method cannot use.
    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>>;

    /// The noise scales at which it estimates; empty for an estimator that adds no noise.
    fn noise_scales(&self) -> &[f64] {
        &[]
    }

    /// What to know of its number where rows of `x` are samples, not functions of tokens.
    fn note_on_samples(&self) -> Option<&'static str> {
        None
    }

    /// The noise scale whose estimate is shown where one number is, if there are noise scales.
    fn headline_noise_scale(&self) -> Option<f64> {
        None
    }
}

impl Estimator for &'static dyn Estimator {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn about(&self) -> About {
        (**self).about()
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        (**self).estimate(pairs, seed)
    }

    fn note_on_samples(&self) -> Option<&'static str> {
        (**self).note_on_samples()
    }

    fn noise_scales(&self) -> &[f64] {
        (**self).noise_scales()
    }

    fn headline_noise_scale(&self) -> Option<f64> {
        (**self).headline_noise_scale()
    }
}

/// What there is to know of an estimator before it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What its number is.
    pub kind: Kind,
    /// What it does, in a line.
    pub what: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// How its cost grows, and what that is.
    pub cost: &'static str,
    /// What it refuses, and where it goes wrong.
    pub limits: &'static str,
}
