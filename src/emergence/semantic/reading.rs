//! One reading of a semantic profile: one block at one number of shots and one noise scale, of one model or
//! control.

use serde::{Deserialize, Serialize};

use super::condition::Layout;
use super::estimate::{ConditionEstimate, Information};
use super::jackknife::Replicated;
use std::f64::consts::LN_2;

/// Whose weights were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// The trained model.
    Trained,
    /// The same config with seeded initial weights.
    RandomInit,
}

/// What was taken away to see what remains. Semantic information is claimed only for the excess over these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SemanticControl {
    /// Relations permuted within query and example set: reads 0.
    PermutedRelations,
    /// Example sets are compared only with sets that share no token of an answer, so that copying an answer
    /// or a part of it cannot help.
    NoSharedAnswer,
    /// Answers of the examples permuted within their relation: the prompt says which type of answer is
    /// wanted, not how it belongs to its entity.
    PermutedAnswers,
    /// The query is an entity of another category.
    ForeignQuery,
    /// Half of the example sets, mean over both halves: how much the estimate depends on S.
    HalfSets,
}

/// One reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SemanticReading {
    /// Examples in the prompt.
    pub shots: usize,
    /// Block, `1..=L`.
    pub block: usize,
    /// Whose weights were read.
    pub init: Init,
    /// The control, none for the reading itself.
    pub control: Option<SemanticControl>,
    /// `b`
    pub noise_scale: f64,
    /// Example sets that densities were estimated from.
    pub sets: usize,
    /// `M / log 2`
    pub macro_share: f64,
    /// Its standard error.
    pub macro_share_stderr: Option<f64>,
    /// `M`, the semantic information: a lower bound in expectation, at most log 2.
    pub macro_nats: f64,
    /// Its standard error.
    pub macro_nats_stderr: Option<f64>,
    /// `m`, the sensitivity to the example set, at most log S.
    pub micro_nats: Option<f64>,
    /// Its standard error.
    pub micro_nats_stderr: Option<f64>,
    /// `M - m`
    pub emergence_nats: Option<f64>,
    /// Its standard error.
    pub emergence_nats_stderr: Option<f64>,
    /// `O` by the logit lens, for the last block of the model's own output.
    pub output_share: Option<f64>,
    /// Its standard error.
    pub output_share_stderr: Option<f64>,
    /// Mean temperature that was chosen for the densities.
    pub temperature: Option<f64>,
    /// The share of the mean state in the power of the states.
    pub mean_power_share: Option<f64>,
    /// The share of all comparisons that this control leaves.
    pub compared_share: Option<f64>,
}

/// The share of a macro information.
pub(super) fn share(macro_nats: &Replicated) -> Replicated {
    macro_nats.map(|nats| nats / LN_2)
}

/// Where readings come from.
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

    /// The readings of one condition: one for each noise scale and, for a reading that is no control itself,
    /// those of the controls that are made of its states.
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
