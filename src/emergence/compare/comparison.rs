//! The result of a comparison of two groups of texts, a row of comparisons.csv.

use serde::Serialize;

use crate::mi::Scale;

/// Largest p value that is called a difference.
pub const ALPHA: f64 = 0.05;

/// One row of comparisons.csv: two groups, and one quantity of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The model that reads.
    pub model: String,
    /// One group.
    pub group_a: String,
    /// The other.
    pub group_b: String,
    /// `emergence`, or `emergence_less_control`.
    pub quantity: &'static str,
    /// The estimator.
    pub estimator: String,
    /// What noise is relative to, for an estimator that adds noise.
    pub scale: Scale,
    /// The noise scale, for `channel` the precision b; empty for an estimator that adds no noise.
    pub noise_scale: Option<f64>,
    /// Tokens of a window.
    pub window_tokens: usize,
    /// Windows of each group.
    pub n_windows: usize,
    /// Texts of the first group that they come from.
    pub n_texts_a: usize,
    /// Texts of the second group that they come from.
    pub n_texts_b: usize,
    /// The quantity of the first group.
    pub a_nats: f64,
    /// The quantity of the second group.
    pub b_nats: f64,
    /// `a - b`.
    pub difference_nats: f64,
    /// Cohen's d; missing where no permutation differs from another.
    pub effect_size: Option<f64>,
    /// Two-sided p value of the permutations.
    pub p_value: f64,
    /// The same with Holm's correction over the pairs.
    pub p_holm: f64,
    /// Permutations.
    pub permutations: usize,
    /// Plug-in entropy of single tokens, first group.
    pub token_entropy_a_nats: f64,
    /// Plug-in entropy of single tokens, second group.
    pub token_entropy_b_nats: f64,
    /// Plug-in entropy of pairs of neighbours, first group.
    pub bigram_entropy_a_nats: f64,
    /// Plug-in entropy of pairs of neighbours, second group.
    pub bigram_entropy_b_nats: f64,
    /// Plug-in entropy of three neighbours, first group.
    pub trigram_entropy_a_nats: f64,
    /// Plug-in entropy of three neighbours, second group.
    pub trigram_entropy_b_nats: f64,
    /// Seed of windows, control, noise and permutations.
    pub seed: u64,
    /// What the two quantities say together.
    pub verdict: Verdict,
}

/// What a pair of groups shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No difference in the raw value.
    NoDifference,
    /// A raw difference that the control does not have: more than diversity.
    BeyondDiversity,
    /// A raw difference that vanishes in the difference from control.
    DiversityOnly,
    /// A difference from control without a raw one.
    OnlyBesideControl,
    /// A raw difference that was not held against a control.
    NoControl,
}

impl Verdict {
    pub(super) fn of(raw: f64, control: Option<f64>) -> Self {
        match (raw <= ALPHA, control.map(|p| p <= ALPHA)) {
            (true, Some(true)) => Self::BeyondDiversity,
            (true, Some(false)) => Self::DiversityOnly,
            (true, None) => Self::NoControl,
            (false, Some(true)) => Self::OnlyBesideControl,
            (false, _) => Self::NoDifference,
        }
    }

    /// The verdict as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoDifference => "no difference is seen",
            Self::BeyondDiversity => {
                "the difference remains after subtracting the shuffled control: it is more than diversity"
            }
            Self::DiversityOnly => {
                "the difference disappears after subtracting the shuffled control: the texts differ in \
                 diversity, not in the order of their words"
            }
            Self::OnlyBesideControl => "a difference shows only after subtracting the shuffled control",
            Self::NoControl => {
                "a difference shows; without a control it cannot be told from a difference in diversity"
            }
        }
    }
}
