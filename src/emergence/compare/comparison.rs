//! The result of comparing two groups of texts: a row of comparisons.csv.

use serde::Serialize;

use crate::mi::Scale;

/// Significance level: a difference with a p value of at most this is significant.
pub const ALPHA: f64 = 0.05;

/// One row of comparisons.csv: two groups and one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The model that reads the texts.
    pub model: String,
    /// The first group.
    pub group_a: String,
    /// The second group.
    pub group_b: String,
    /// `emergence`, or `emergence_less_control`.
    pub quantity: &'static str,
    /// The estimator.
    pub estimator: String,
    /// The scale of the states to which the noise is relative, if the estimator adds noise.
    pub scale: Scale,
    /// The noise scale, which for `channel` is the precision `b`; empty if the estimator adds no noise.
    pub noise_scale: Option<f64>,
    /// Number of tokens in a window.
    pub window_tokens: usize,
    /// Number of windows in each group.
    pub n_windows: usize,
    /// Number of texts of the first group that the windows come from.
    pub n_texts_a: usize,
    /// Number of texts of the second group that the windows come from.
    pub n_texts_b: usize,
    /// The value of the quantity in the first group.
    pub a_nats: f64,
    /// The value of the quantity in the second group.
    pub b_nats: f64,
    /// `a - b`.
    pub difference_nats: f64,
    /// Cohen's d; missing if all permutations give the same difference.
    pub effect_size: Option<f64>,
    /// Two-sided p value of the permutation test.
    pub p_value: f64,
    /// The p value with Holm's correction over the pairs of groups.
    pub p_holm: f64,
    /// Number of permutations.
    pub permutations: usize,
    /// Plug-in entropy of single tokens, first group.
    pub token_entropy_a_nats: f64,
    /// Plug-in entropy of single tokens, second group.
    pub token_entropy_b_nats: f64,
    /// Plug-in entropy of token bigrams, first group.
    pub bigram_entropy_a_nats: f64,
    /// Plug-in entropy of token bigrams, second group.
    pub bigram_entropy_b_nats: f64,
    /// Plug-in entropy of token trigrams, first group.
    pub trigram_entropy_a_nats: f64,
    /// Plug-in entropy of token trigrams, second group.
    pub trigram_entropy_b_nats: f64,
    /// Seed of the windows, the control, the noise and the permutations.
    pub seed: u64,
    /// The conclusion from both quantities.
    pub verdict: Verdict,
}

/// The conclusion from comparing a pair of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The emergence of the two groups does not differ significantly.
    NoDifference,
    /// The emergence of the two groups differs, and the difference remains after subtracting the control, so
    /// it is not only a difference in diversity.
    BeyondDiversity,
    /// The emergence of the two groups differs, but the difference is not significant after subtracting the
    /// control.
    DiversityOnly,
    /// The difference between the two groups is significant only after subtracting the control.
    OnlyBesideControl,
    /// The emergence of the two groups differs, and there is no control to compare with.
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
            Self::NoDifference => "there is no significant difference",
            Self::BeyondDiversity => {
                "the difference remains after subtracting the shuffled control, so it is not only a \
                 difference in diversity"
            }
            Self::DiversityOnly => {
                "the difference disappears after subtracting the shuffled control, so the texts differ in \
                 diversity, not in word order"
            }
            Self::OnlyBesideControl => "a difference appears only after subtracting the shuffled control",
            Self::NoControl => {
                "there is a difference; without a control, it may be only a difference in diversity"
            }
        }
    }
}
