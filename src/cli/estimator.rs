//! The estimator of `measure` and `compare`: one flag, read in one place.

use clap::Args;

use super::Sampling;
use super::choice::listed;
use crate::emergence::{MeasureSettings, Micro};
use crate::error::Result;
use crate::mi::{self, Channel};

const ESTIMATOR: &str = "An estimator; the default says how many states can be told apart at a stated \
                         precision. Deterministic states have repeated rows, which some estimators refuse";

#[derive(Debug, Clone, Args)]
pub(super) struct EstimatorFlag {
    #[arg(
        long,
        value_name = "NAME",
        default_value_t = Channel::DEFAULT_NAME.to_owned(),
        help = listed(ESTIMATOR, mi::ALL.iter().map(|estimator| estimator.name())),
    )]
    estimator: String,
}

impl EstimatorFlag {
    /// How profiles are measured with this estimator, at the seed and scale of `sampling`.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with the names there are.
    pub(super) fn settings(&self, sampling: &Sampling, micro: Micro) -> Result<MeasureSettings> {
        let seed = sampling.draw.seed;
        let by_channel = MeasureSettings::new(Channel::with_scale(sampling.scale), seed, seed);
        let estimator = mi::find(&self.estimator)?;
        let mut settings = if self.is_channel() { by_channel } else { by_channel.with_estimator(estimator) };
        settings.micro = micro;
        Ok(settings)
    }

    /// Whether it is the default.
    pub(super) fn is_channel(&self) -> bool {
        self.estimator == Channel::DEFAULT_NAME
    }
}
