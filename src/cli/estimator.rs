//! Defines the flag `--estimator` of `measure`, `compare` and `demo`.

use clap::Args;

use super::choice::listed;
use crate::emergence::{MeasureSettings, Micro};
use crate::error::Result;
use crate::mi::{self, Channel, Scale};

const ESTIMATOR: &str = "Estimator of mutual information. The default measures how many states are \
                         distinguishable at a given precision. Some other estimators return an error for \
                         repeated rows; states repeat if tokens repeat. One of";

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

impl Default for EstimatorFlag {
    fn default() -> Self {
        Self { estimator: Channel::DEFAULT_NAME.to_owned() }
    }
}

impl EstimatorFlag {
    /// Returns the settings for measuring profiles with this estimator.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for an unknown name, with the list of valid names.
    pub(super) fn settings(&self, scale: Scale, seed: u64, micro: Micro) -> Result<MeasureSettings> {
        let mut settings = MeasureSettings::by_name(&self.estimator, scale, seed)?;
        settings.micro = micro;
        Ok(settings)
    }

    /// The name of the estimator.
    pub(super) fn name(&self) -> &str {
        &self.estimator
    }
}
