//! Mutual information of paired samples: the trait that every estimator implements.
//!
//! | module | contents |
//! |---|---|
//! | [`Pairs`], [`Estimate`] | input and output of an estimator |
//! | `registry.rs` | the table of estimators |
//! | [`estimators`] | the estimators, one file each |
//! | `channel`, `density_ratio`, `neighbours`, `neural` | their parts |
//! | `samples` | checks, standard units, ranks and repeated rows, which most of them need |
//! | [`row_order`] | whether rows depend on earlier rows |
//! | [`permutation_test`] | random pairings and samples of known information |
//!
//! An estimator takes two matrices whose rows are paired; nothing here depends on models or windows.
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
pub mod row_order;
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

    /// A description for users who choose an estimator.
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

    /// A note on its estimate where rows of `x` are arbitrary samples, not functions of tokens.
    fn note_on_samples(&self) -> Option<&'static str> {
        None
    }

    /// The noise scale of the headline estimate, if there are noise scales.
    fn headline_noise_scale(&self) -> Option<f64> {
        None
    }
}

/// A description of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What its estimate is.
    pub kind: Kind,
    /// What it does, in a line.
    pub what: &'static str,
    /// Publications.
    pub reference: &'static str,
    /// Growth of its cost, and an example.
    pub cost: &'static str,
    /// What it refuses, and where it fails.
    pub limits: &'static str,
}
