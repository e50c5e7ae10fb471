//! Settings of a profile: the estimator, the micro information and the seeds.

use super::profile::Micro;
use crate::error::Result;
use crate::mi::{self, Channel, Estimator, Scale};

/// The estimator of a profile: `channel` with its own settings, or an estimator from the registry.
#[derive(Clone)]
enum ChosenEstimator {
    Channel(Channel),
    Registered(&'static dyn Estimator),
}

/// The settings of a profile measurement.
#[derive(Clone)]
pub struct MeasureSettings {
    estimator: ChosenEstimator,
    scale: Scale,
    /// Which token serves as the token without context.
    pub micro: Micro,
    /// Seed of the estimator.
    pub seed: u64,
    /// Seed of the weights of the randomly initialised model.
    pub random_init_seed: u64,
}

impl MeasureSettings {
    /// Measures with `channel` and these seeds; the micro information is measured at tokens that are alone in
    /// a window.
    #[must_use]
    pub fn new(channel: Channel, seed: u64, random_init_seed: u64) -> Self {
        let scale = channel.scale();
        let estimator = ChosenEstimator::Channel(channel);
        Self { estimator, scale, micro: Micro::Alone, seed, random_init_seed }
    }

    /// Measures with the named estimator. Uses the same seed for the estimator and for the weights of the
    /// randomly initialised model. `scale` applies to `channel`.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`], which lists the known names.
    pub fn by_name(estimator: &str, scale: Scale, seed: u64) -> Result<Self> {
        let by_channel = Self::new(Channel::with_scale(scale), seed, seed);
        let estimator = mi::find(estimator)?;
        if estimator.name() == Channel::DEFAULT_NAME {
            return Ok(by_channel);
        }
        Ok(by_channel.with_estimator(estimator))
    }

    /// The same settings with another estimator.
    #[must_use]
    pub fn with_estimator(self, estimator: &'static dyn Estimator) -> Self {
        Self { estimator: ChosenEstimator::Registered(estimator), ..self }
    }

    /// The estimator.
    #[must_use]
    pub fn estimator(&self) -> &dyn Estimator {
        match &self.estimator {
            ChosenEstimator::Channel(channel) => channel,
            ChosenEstimator::Registered(estimator) => *estimator,
        }
    }

    /// The scale of the states to which the noise is relative, if the estimator adds noise.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }
}
