//! One row of a profile: the macro and micro information of one block at one reading point.

use serde::{Deserialize, Serialize};

use crate::corpus::Role;
use crate::mi::{Estimate, Flag};

/// The mutual information between the input and the output of a block, either macro or micro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockMi {
    /// The estimate; for `channel` the midpoint of its bounds.
    pub mi_nats: f64,
    /// Lower bound in expectation, if the estimator has one.
    pub lower_nats: Option<f64>,
    /// Upper bound in expectation, if the estimator has one.
    pub upper_nats: Option<f64>,
    /// The smallest ceiling.
    pub ceiling_nats: f64,
    /// Standard error.
    pub stderr_nats: Option<f64>,
    /// Training objective minus held-out value, for estimators that report a training objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimism_nats: Option<f64>,
    /// Warnings.
    pub flags: Vec<Flag>,
}

impl From<&Estimate> for BlockMi {
    /// Bounds and standard errors that are not finite become `None`, because JSON cannot represent them.
    fn from(estimate: &Estimate) -> Self {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        Self {
            mi_nats: estimate.mi_nats,
            lower_nats: finite(estimate.lower_nats),
            upper_nats: finite(estimate.upper_nats),
            ceiling_nats: estimate.ceiling_nats,
            stderr_nats: finite(estimate.stderr_nats),
            optimism_nats: finite(estimate.optimism_nats),
            flags: estimate.flags.clone(),
        }
    }
}

/// A warning about the states of a block, written in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockFlag {
    /// The norm of the state at position 0 is more than 10 times the norm at other positions: the model uses
    /// position 0 as an attention sink. A token without context is at this position, so the micro information
    /// measures the sink.
    AttentionSink,
}

impl BlockFlag {
    /// The name of the flag in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AttentionSink => "attention_sink",
        }
    }
}

/// The emergence of one block at one reading point and one noise scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockReading {
    /// Block, `1..=L`.
    pub block: usize,
    /// Index of the token in its window; `None` if it differs between windows.
    pub position: Option<usize>,
    /// The role of the token at the reading point.
    pub role: Role,
    /// In a series, the number (from 1) of the entity that the token ends or follows. In a text, the number
    /// (from 1) of the token.
    pub reading_index: usize,
    /// The control that the row belongs to: `shuffled`, or `None` for the corpus itself.
    pub control: Option<String>,
    /// The estimator's noise scale, if it adds noise.
    pub noise_scale: Option<f64>,
    /// Information of a token in context.
    #[serde(rename = "macro")]
    pub macro_mi: BlockMi,
    /// Information of the token without context, pooled over the reading points of entities or of texts.
    #[serde(rename = "micro")]
    pub micro_mi: BlockMi,
    /// `macro - micro`.
    pub emergence_nats: f64,
    /// Standard error of the emergence: the standard errors of macro and micro information, added in
    /// quadrature.
    pub stderr_nats: Option<f64>,
    /// Variance over windows of the pointwise macro information, in nats squared.
    pub variance_nats2: Option<f64>,
    /// Emergence of the randomly initialised model at the same reading point.
    pub random_init_nats: f64,
    /// `emergence - random_init`.
    pub learned_nats: f64,
    /// Median norm of the block output at position 0, divided by the median norm at the other positions.
    #[serde(default)]
    pub position_0_norm_ratio: Option<f64>,
    /// Warnings about the states of the block.
    #[serde(default)]
    pub flags: Vec<BlockFlag>,
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::mi::{Channel, Estimator, Pairs};

    #[test]
    fn bounds_and_errors_that_are_not_finite_are_missing() {
        let x = Array2::from_shape_fn((60, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f32);
        let pairs = Pairs::new(x.view(), x.view()).unwrap();
        let mut estimate = Channel::DEFAULT.estimate(&pairs, 0).unwrap().remove(0);
        let whole = BlockMi::from(&estimate);
        assert!(whole.lower_nats.is_some() && whole.upper_nats.is_some() && whole.stderr_nats.is_some());
        estimate.lower_nats = Some(f64::NEG_INFINITY);
        estimate.upper_nats = Some(f64::INFINITY);
        estimate.stderr_nats = Some(f64::NAN);
        estimate.optimism_nats = Some(f64::NAN);
        let cut = BlockMi { lower_nats: None, upper_nats: None, stderr_nats: None, ..whole };
        assert_eq!(BlockMi::from(&estimate), cut);
    }
}
