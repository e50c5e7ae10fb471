//! One reading of a semantic profile: one block, number of shots and noise scale, for one model or control.

use serde::{Deserialize, Serialize};

use super::condition::Layout;
use super::estimate::{ConditionEstimate, Information};
use super::jackknife::Replicated;
use std::f64::consts::LN_2;

/// Which weights the model had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// The trained weights.
    Trained,
    /// Seeded random initial weights.
    RandomInit,
}

/// A control. Only the excess over the controls counts as semantic information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SemanticControl {
    /// The relations are permuted within each query and example set. The result is near 0.
    PermutedRelations,
    /// Example sets are compared only with sets that share no answer token. So copying an answer, or a part
    /// of it, does not raise the score.
    NoSharedAnswer,
    /// The answers of the examples are permuted within their relation. The prompt then shows the type of the
    /// answers, but not which answer belongs to which entity.
    PermutedAnswers,
    /// The query is an entity of another category.
    ForeignQuery,
    /// The mean of two estimates, each from one half of the example sets. It shows how much the estimate
    /// depends on the number of sets, S.
    HalfSets,
}

/// One reading of a semantic profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SemanticReading {
    /// Number of examples in the prompt.
    pub shots: usize,
    /// Block, `1..=L`.
    pub block: usize,
    /// Which weights the model had.
    pub init: Init,
    /// The control; `None` for a reading of the design itself.
    pub control: Option<SemanticControl>,
    /// The noise scale `b`.
    pub noise_scale: f64,
    /// Number of example sets from which densities were estimated.
    pub sets: usize,
    /// The macro share, `M / log 2`.
    pub macro_share: f64,
    /// Standard error of `macro_share`.
    pub macro_share_stderr: Option<f64>,
    /// `M`, the semantic information, in nats: a lower bound in expectation, at most log 2.
    pub macro_nats: f64,
    /// Standard error of `macro_nats`.
    pub macro_nats_stderr: Option<f64>,
    /// `m`, the sensitivity to the example set, in nats; at most log S.
    pub micro_nats: Option<f64>,
    /// Standard error of `micro_nats`.
    pub micro_nats_stderr: Option<f64>,
    /// The emergence `M - m`, in nats.
    pub emergence_nats: Option<f64>,
    /// Standard error of `emergence_nats`.
    pub emergence_nats_stderr: Option<f64>,
    /// `O` from the logit lens; after the last block, this is `O` of the output of the model.
    pub output_share: Option<f64>,
    /// Standard error of `output_share`.
    pub output_share_stderr: Option<f64>,
    /// The mean of the temperatures chosen for the densities.
    pub temperature: Option<f64>,
    /// The squared norm of the mean state divided by the mean squared norm of the states.
    pub mean_power_share: Option<f64>,
    /// The share of comparisons that remain in this control.
    pub compared_share: Option<f64>,
}

/// Converts macro information from nats to a share.
pub(super) fn share(macro_nats: &Replicated) -> Replicated {
    macro_nats.map(|nats| nats / LN_2)
}

/// The fields that all readings of one condition have in common.
#[derive(Clone, Copy)]
pub(super) struct ReadingOf {
    pub(super) shots: usize,
    pub(super) block: usize,
    pub(super) init: Init,
    pub(super) control: Option<SemanticControl>,
    pub(super) layout: Layout,
}

impl ReadingOf {
    fn of_macro(
        &self,
        noise_scale: f64,
        control: Option<SemanticControl>,
        macro_nats: &Replicated,
    ) -> SemanticReading {
        let share = share(macro_nats);
        SemanticReading {
            shots: self.shots,
            block: self.block,
            init: self.init,
            control,
            noise_scale,
            sets: self.layout.sets,
            macro_share: share.value,
            macro_share_stderr: share.stderr(),
            macro_nats: macro_nats.value,
            macro_nats_stderr: macro_nats.stderr(),
            micro_nats: None,
            micro_nats_stderr: None,
            emergence_nats: None,
            emergence_nats_stderr: None,
            output_share: None,
            output_share_stderr: None,
            temperature: None,
            mean_power_share: None,
            compared_share: None,
        }
    }

    fn of_both(&self, control: Option<SemanticControl>, information: &Information) -> SemanticReading {
        let Information { noise_scale, macro_nats, micro_nats, temperature } = information;
        let emergence = macro_nats.zip(micro_nats, |a, b| a - b);
        SemanticReading {
            micro_nats: Some(micro_nats.value),
            micro_nats_stderr: micro_nats.stderr(),
            emergence_nats: Some(emergence.value),
            emergence_nats_stderr: emergence.stderr(),
            temperature: Some(*temperature),
            ..self.of_macro(*noise_scale, control, macro_nats)
        }
    }

    /// The readings of one condition: one reading for each noise scale. If the condition is not a control,
    /// the readings of the controls that use the same states follow.
    pub(super) fn readings(
        &self,
        estimate: &ConditionEstimate,
        output: Option<&Replicated>,
    ) -> Vec<SemanticReading> {
        let main = estimate.information.iter().map(|information| SemanticReading {
            output_share: output.map(|output| output.value),
            output_share_stderr: output.and_then(Replicated::stderr),
            mean_power_share: Some(estimate.mean_power_share),
            ..self.of_both(self.control, information)
        });
        let mut readings: Vec<SemanticReading> = main.collect();
        if self.control.is_some() {
            return readings;
        }
        let b = estimate.half_sets.noise_scale;
        readings.push(self.of_macro(b, Some(SemanticControl::PermutedRelations), &estimate.permuted));
        if let Some((macro_nats, compared)) = &estimate.no_shared_answer {
            let reading = self.of_macro(b, Some(SemanticControl::NoSharedAnswer), macro_nats);
            readings.push(SemanticReading { compared_share: Some(*compared), ..reading });
        }
        let half = self.of_both(Some(SemanticControl::HalfSets), &estimate.half_sets);
        readings.push(SemanticReading { sets: self.layout.sets / 2, ..half });
        readings
    }
}
