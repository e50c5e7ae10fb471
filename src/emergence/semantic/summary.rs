//! The summary of a semantic profile at one number of shots.

use serde::{Deserialize, Serialize};

use super::depth::{OverDepth, WithError};
use super::jackknife::Replicated;
use super::output::OutputEstimate;

/// The output of a model and the information in its states, at one number of shots and the default noise
/// scale. Shares are macro information divided by log 2. A value that cannot be computed is `None`. At 0
/// shots, only accuracy and log-probability can be computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShotSummary {
    /// Number of examples in the prompt.
    pub shots: usize,
    /// Share of prompts whose most likely next token is the first token of the correct answer.
    pub accuracy: Option<WithError>,
    /// Mean log-probability of the first token of the correct answer.
    pub logprob_nats: Option<WithError>,
    /// `O` of the output of the model.
    pub output_share: Option<WithError>,
    /// Share at a quarter of the depth.
    pub share_quarter: Option<WithError>,
    /// Share at half of the depth.
    pub share_half: Option<WithError>,
    /// Share at three quarters of the depth.
    pub share_three_quarters: Option<WithError>,
    /// Share after the last block. It closely follows the output share, because the output is computed from
    /// the same states.
    pub share_last: Option<WithError>,
    /// Mean share over blocks `2..=L`.
    pub share_mean: Option<WithError>,
    /// The smallest relative depth at which the share exceeds half of its largest value.
    pub onset: Option<f64>,
    /// Mean micro information over blocks `2..=L`.
    pub micro_nats_mean: Option<WithError>,
    /// Mean emergence, macro minus micro, over blocks `2..=L`.
    pub emergence_nats_mean: Option<WithError>,
    /// Mean share of the randomly initialised model over blocks `2..=L`.
    pub share_mean_random_init: Option<WithError>,
    /// Mean share of the trained model minus mean share of the randomly initialised model, on the same
    /// prompts.
    pub share_mean_above_random_init: Option<WithError>,
    /// Change of the mean share from the next lower number of shots, on the same queries.
    pub share_mean_change: Option<WithError>,
    /// Change of the share after the last block from the next lower number of shots, on the same queries.
    pub share_last_change: Option<WithError>,
}

/// The data of a summary: one value for each block, and the output.
pub(super) struct Curves {
    pub(super) shares: Vec<Replicated>,
    pub(super) micro_nats: Vec<Replicated>,
    pub(super) emergence_nats: Vec<Replicated>,
    pub(super) random_init_shares: Option<Vec<Replicated>>,
    pub(super) output_share: Option<Replicated>,
    pub(super) output: Option<OutputEstimate>,
}

impl Curves {
    /// Computes the summary. `before` contains the data at the next lower number of shots.
    pub(super) fn summary(&self, shots: usize, before: Option<&Self>) -> ShotSummary {
        let depth = OverDepth::of(&self.shares);
        let with_error = |value: &Option<Replicated>| value.as_ref().map(WithError::from);
        let after_first = |curve: &[Replicated]| Replicated::mean(curve.iter().skip(1));
        let difference = |a: &Option<Replicated>, b: &Option<Replicated>| {
            let (a, b) = a.as_ref().zip(b.as_ref())?;
            Some(WithError::from(&a.zip(b, |a, b| a - b)))
        };
        let random_init = self.random_init_shares.as_deref().and_then(after_first);
        let before = before.map(|before| OverDepth::of(&before.shares));
        let [quarter, half, three_quarters, last] = &depth.quarters;
        ShotSummary {
            shots,
            accuracy: self.output.as_ref().map(|output| (&output.accuracy).into()),
            logprob_nats: self.output.as_ref().map(|output| (&output.logprob_nats).into()),
            output_share: with_error(&self.output_share),
            share_quarter: with_error(quarter),
            share_half: with_error(half),
            share_three_quarters: with_error(three_quarters),
            share_last: with_error(last),
            share_mean: with_error(&depth.mean),
            onset: depth.onset,
            micro_nats_mean: with_error(&after_first(&self.micro_nats)),
            emergence_nats_mean: with_error(&after_first(&self.emergence_nats)),
            share_mean_above_random_init: difference(&depth.mean, &random_init),
            share_mean_random_init: with_error(&random_init),
            share_mean_change: before.as_ref().and_then(|before| difference(&depth.mean, &before.mean)),
            share_last_change: before.as_ref().and_then(|before| difference(last, &before.quarters[3])),
        }
    }
}
