//! Averages the measurements inside one model at one number of examples, over the seeds of one corpus.

use std::collections::BTreeSet;

use crate::emergence::semantic::{SemanticProfile, ShotSummary, WithError};
use crate::numeric::shown::count;
use crate::observations::features::{mean, over_seeds};

/// A quantity of a summary.
pub(in crate::observations) struct Quantity {
    /// The column name without the prefix `semantic_`, as in summaries.csv.
    pub name: &'static str,
    pub(super) value: fn(&ShotSummary) -> Option<f64>,
}

/// The quantities measured inside a model; the first one also has a standard error. `share_last` closely
/// follows the output share, because the output is computed from the same states.
pub(super) const QUANTITIES: [Quantity; 8] = [
    Quantity { name: "share_mean", value: |summary| value(summary.share_mean) },
    Quantity { name: "share_quarter", value: |summary| value(summary.share_quarter) },
    Quantity { name: "share_half", value: |summary| value(summary.share_half) },
    Quantity { name: "share_three_quarters", value: |summary| value(summary.share_three_quarters) },
    Quantity { name: "share_last", value: |summary| value(summary.share_last) },
    Quantity { name: "onset", value: |summary| summary.onset },
    Quantity { name: "micro_nats_mean", value: |summary| value(summary.micro_nats_mean) },
    Quantity { name: "emergence_nats_mean", value: |summary| value(summary.emergence_nats_mean) },
];

fn value(of: Option<WithError>) -> Option<f64> {
    of.map(|of| of.value)
}

/// The measurements of one model on one corpus over all seeds.
pub(in crate::observations) struct MeasuredShare<'a> {
    pub profiles: Vec<&'a SemanticProfile>,
    summaries: Vec<&'a ShotSummary>,
}

impl<'a> MeasuredShare<'a> {
    /// # Errors
    /// Returns the reason why there is no mean share, with the name of the model.
    pub fn new(profiles: Vec<&'a SemanticProfile>, shots: usize) -> Result<Self, String> {
        let at = |profile: &&'a SemanticProfile| profile.shots.iter().find(|summary| summary.shots == shots);
        let model = profiles.first().map_or("a model", |profile| &profile.model.id);
        let summaries = profiles.iter().map(at).collect::<Option<Vec<_>>>();
        let summaries =
            summaries.ok_or_else(|| format!("{model} was not measured with {}", count(shots, "example")))?;
        match summaries.iter().all(|summary| summary.share_mean.is_some()) {
            true => Ok(Self { profiles, summaries }),
            false => Err(format!(
                "{model} has no mean share over blocks; a mean share needs a model with at least two blocks"
            )),
        }
    }

    /// The mean of a quantity over seeds; `None` if it is missing for a seed.
    pub fn quantity(&self, quantity: &Quantity) -> Option<f64> {
        self.mean(quantity.value)
    }

    /// The accuracy, log-probability and share `O` of the model's own output.
    pub fn output(&self) -> [Option<f64>; 3] {
        [
            self.mean(|summary| value(summary.accuracy)),
            self.mean(|summary| value(summary.logprob_nats)),
            self.mean(|summary| value(summary.output_share)),
        ]
    }

    /// The mean share of the randomly initialised model.
    pub fn random_init(&self) -> Option<f64> {
        self.mean(|summary| value(summary.share_mean_random_init))
    }

    /// Two standard errors of the mean share: the first over queries, sets and seeds, the second only over
    /// seeds.
    pub fn stderrs(&self) -> (Option<f64>, Option<f64>) {
        let shares = self.summaries.iter().filter_map(|summary| summary.share_mean);
        let (values, stderrs): (Vec<f64>, Vec<Option<f64>>) =
            shares.map(|share| (share.value, share.stderr)).unzip();
        let (own, of_seeds) = over_seeds(&values, &stderrs);
        (own.map(|own| own.hypot(of_seeds.unwrap_or(0.0))), of_seeds)
    }

    pub fn seeds(&self) -> BTreeSet<u64> {
        self.profiles.iter().map(|profile| profile.seed).collect()
    }

    fn mean(&self, value: impl Fn(&ShotSummary) -> Option<f64>) -> Option<f64> {
        let values: Option<Vec<f64>> = self.summaries.iter().map(|summary| value(summary)).collect();
        values.and_then(|values| mean(&values))
    }
}
