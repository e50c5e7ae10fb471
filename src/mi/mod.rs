//! Estimates the mutual information of paired samples, and defines the trait that every estimator implements.
//!
//! | module | contents |
//! |---|---|
//! | [`Pairs`], [`Estimate`] | input and output of an estimator |
//! | `registry.rs` | the table of estimators |
//! | [`estimators`] | the estimators, one file each |
//! | `channel`, `density_ratio`, `neighbours`, `neural` | building blocks of the estimators |
//! | `samples` | checks, standardisation, ranks and repeated rows, used by most estimators |
//! | [`row_order`] | tests whether rows depend on earlier rows |
//! | [`permutation_test`] | permutation test, and a self-check on samples of known information |
//!
//! An estimator takes two matrices whose rows are paired. This module does not depend on models or windows.
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
    /// The name of the estimator in lists and files.
    fn name(&self) -> &'static str;

    /// A description for users who choose an estimator.
    fn about(&self) -> About;

    /// Estimates mutual information in nats. Returns one estimate for each noise scale, in the order of
    /// [`Self::noise_scales`], or a single estimate if there are no noise scales.
    ///
    /// The same arguments give bit-identical results with any number of threads.
    ///
    /// # Errors
    /// [`crate::Error::NonFinite`] for a value that is NaN or infinite; [`crate::Error::Samples`], with the
    /// name of the estimator and a reason, for samples that the method cannot use.
    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>>;

    /// The noise scales of the estimates; empty if the estimator adds no noise.
    fn noise_scales(&self) -> &[f64] {
        &[]
    }

    /// A note on estimates from samples whose `x` is not computed from tokens; `None` if no note is needed.
    fn note_on_samples(&self) -> Option<&'static str> {
        None
    }

    /// The noise scale of the headline estimate; `None` if the estimator adds no noise.
    fn headline_noise_scale(&self) -> Option<f64> {
        None
    }
}

/// A description of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The statistical guarantee of the estimate.
    pub kind: Kind,
    /// A one-line description of the estimator.
    pub what: &'static str,
    /// The publications of the method.
    pub reference: &'static str,
    /// How the running time grows, with an example.
    pub cost: &'static str,
    /// The samples that the estimator rejects, and the samples for which its estimate is inaccurate.
    pub limits: &'static str,
}
