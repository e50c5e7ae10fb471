//! One row of a profile: macro and micro information of one block at one reading point.

use serde::{Deserialize, Serialize};

use crate::corpus::Role;
use crate::mi::{Estimate, Flag};

/// The mutual information between input and output of a block, macro or micro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockMi {
    /// The estimate, the middle of its bounds.
    pub mi_nats: f64,
    /// Lower bound in expectation, if the estimator has one.
    pub lower_nats: Option<f64>,
    /// Upper bound in expectation, if the estimator has one.
    pub upper_nats: Option<f64>,
    /// The least of the ceilings.
    pub ceiling_nats: f64,
    /// Standard error.
    pub stderr_nats: Option<f64>,
    /// By how much the training objective exceeds the held-out value, for an estimator that reports its
    /// training objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimism_nats: Option<f64>,
    /// Warnings.
    pub flags: Vec<Flag>,
}

impl From<&Estimate> for BlockMi {
    fn from(estimate: &Estimate) -> Self {
        Self {
            mi_nats: estimate.mi_nats,
            lower_nats: estimate.lower_nats,
            upper_nats: estimate.upper_nats,
            ceiling_nats: estimate.ceiling_nats,
            stderr_nats: estimate.stderr_nats,
            optimism_nats: estimate.optimism_nats,
            flags: estimate.flags.clone(),
        }
    }
}

/// Emergence of one block at one reading point with one noise scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockReading {
    /// Block, `1..=L`.
    pub block: usize,
    /// Index of the token in its window, where all windows agree.
    pub position: Option<usize>,
    /// What was read.
    pub role: Role,
    /// Which entity of the series it is or follows, or which token of the text it is, from 1.
    pub reading_index: usize,
    /// Control the row belongs to: `shuffled`, or none for the corpus itself.
    pub control: Option<String>,
    /// The estimator's noise scale, if it adds noise.
    pub noise_scale: Option<f64>,
    /// A token that has seen its window so far.
    #[serde(rename = "macro")]
    pub macro_mi: BlockMi,
    /// The same token alone, pooled over the reading points of entities or of texts.
    #[serde(rename = "micro")]
    pub micro_mi: BlockMi,
    /// `macro - micro`.
    pub emergence_nats: f64,
    /// Its standard error, in quadrature.
    pub stderr_nats: Option<f64>,
    /// Variance over windows of the macro side's pointwise information, nats squared.
    pub variance_nats2: Option<f64>,
    /// The same reading of the randomly initialised model.
    pub random_init_nats: f64,
    /// `emergence - random init`.
    pub learned_nats: f64,
}
