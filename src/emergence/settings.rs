//! How a profile is measured: the estimator, the micro information, the seeds.

use std::sync::Arc;

use super::profile::Micro;
use crate::mi::{Channel, Estimator, Scale};

/// How a profile is measured.
#[derive(Clone)]
pub struct MeasureSettings {
    estimator: Arc<dyn Estimator>,
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
        Self { estimator: Arc::new(channel), scale, micro: Micro::Alone, seed, random_init_seed }
    }

    /// The same with another estimator.
    #[must_use]
    pub fn with_estimator(self, estimator: &'static dyn Estimator) -> Self {
        Self { estimator: Arc::new(estimator), ..self }
    }

    /// The estimator.
    #[must_use]
    pub fn estimator(&self) -> &dyn Estimator {
        self.estimator.as_ref()
    }

    /// What noise is relative to, for an estimator that adds noise.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }
}
