//! How a profile is measured: the estimator, the micro information, the seeds.

use super::profile::Micro;
use crate::error::Result;
use crate::mi::{self, Channel, Estimator, Scale};

/// The estimator of a profile: a channel with settings of its own, or one of the registry.
#[derive(Clone)]
enum ChosenEstimator {
    Channel(Channel),
    Registered(&'static dyn Estimator),
}

/// How a profile is measured.
#[derive(Clone)]
pub struct MeasureSettings {
    estimator: ChosenEstimator,
    scale: Scale,
    /// What stands for a token without its context.
    pub micro: Micro,
    /// Seed of whatever the estimator draws.
    pub seed: u64,
    /// Seed of the randomly initialised model's initial weights.
    pub random_init_seed: u64,
}

impl MeasureSettings {
    /// `channel` with these seeds, against tokens alone.
    #[must_use]
    pub fn new(channel: Channel, seed: u64, random_init_seed: u64) -> Self {
        let scale = channel.scale();
        let estimator = ChosenEstimator::Channel(channel);
        Self { estimator, scale, micro: Micro::Alone, seed, random_init_seed }
    }

    /// The estimator of that name, `channel` at this scale, with one seed for all that is drawn.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with the names there are.
    pub fn by_name(estimator: &str, scale: Scale, seed: u64) -> Result<Self> {
        let by_channel = Self::new(Channel::with_scale(scale), seed, seed);
        let estimator = mi::find(estimator)?;
        if estimator.name() == Channel::DEFAULT_NAME {
            return Ok(by_channel);
        }
        Ok(by_channel.with_estimator(estimator))
    }

    /// The same with another estimator.
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

    /// What noise is relative to, for an estimator that adds noise.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }
}
