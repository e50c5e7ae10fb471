//! Mutual information of paired samples: the seam that every estimator implements, and the table of those
//! there are.
//!
//! This module says what an estimate is; how one is made is in one file per estimator. It knows nothing of
//! models or windows: it takes two matrices whose rows are paired.
//!
//! # Units
//! All information is in nats.

pub mod channel;
pub mod density_ratio;
mod estimate;
pub mod estimators;
mod neighbours;
pub mod neural;
pub mod permutation_test;
mod samples;

use ndarray::ArrayView2;

pub(crate) use self::channel::ceilings::entropy_nats;
pub use self::channel::scale::Scale;
pub use self::estimators::cca_ksg::CcaKsg;
pub use self::estimators::channel::Channel;
pub use self::estimators::dv::Dv;
pub use self::estimators::ensemble::Ensemble;
pub use self::estimators::gaussian::Gaussian;
pub use self::estimators::hybrid::Hybrid;
pub use self::estimators::infonce::InfoNce;
pub use self::estimators::ksg::Ksg;
pub use self::estimators::mine_paper::MinePaper;
pub use self::estimators::plugin::Plugin;
pub(crate) use self::estimators::plugin::of_states;
pub use self::estimators::t_copula::TCopula;
use crate::{Error, Result};
pub use estimate::{Ceilings, Estimate, Flag, Kind};

/// The estimators by name, in the order in which they are listed. The first is the default of `measure`.
pub static ALL: &[&dyn Estimator] = &[
    &Channel::DEFAULT,
    &Hybrid,
    &Ensemble,
    &TCopula,
    &Gaussian,
    &CcaKsg,
    &Ksg,
    &Plugin,
    &Dv,
    &InfoNce,
    &MinePaper,
];

/// The estimator of arbitrary samples unless another is asked for: the most accurate one.
pub static DEFAULT: &dyn Estimator = &Ensemble;

/// The estimator of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find(name: &str) -> Result<&'static dyn Estimator> {
    ALL.iter().copied().find(|estimator| estimator.name() == name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|estimator| estimator.name()).collect();
        Error::Unknown {
            kind: "estimator",
            name: name.to_owned(),
            hint: format!("choose one of {}", names.join(", ")),
        }
    })
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

/// A method that estimates mutual information from paired samples.
pub trait Estimator: Sync {
    /// The name under which it is listed and recorded.
    fn name(&self) -> &'static str;

    /// What there is to know before it is chosen.
    fn about(&self) -> About;

    /// Mutual information in nats from `n` paired rows, one estimate per noise scale of the estimator (`channel`:
    /// one per precision `b`).
    ///
    /// The same arguments give the same bits, whatever the number of threads.
    ///
    /// # Shapes
    /// `x` is `(n, d_x)`, `y` is `(n, d_y)`.
    ///
    /// # Errors
    /// [`crate::Error::NonFinite`] for a value that is NaN or infinite; [`crate::Error::Samples`] for shapes
    /// that the method cannot use.
    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>>;
}
