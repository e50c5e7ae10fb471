//! Residuals of held-out rows, of which intervals are made. All are on the scale of the link.

use serde::{Deserialize, Serialize};

use crate::numeric::statistics::effective_n;

/// A row that a fold left out, and the error of its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOutResidual {
    /// The model.
    pub model: String,
    /// Its family; empty where it is unknown.
    pub family: String,
    /// Its row in the training sample.
    pub row: usize,
    /// Which fold left it out.
    pub fold: usize,
    /// Absolute error on the scale of the link.
    pub residual: f64,
    /// Weight; they sum to the number of models.
    pub weight: f64,
    /// Log10 of its size over the largest its fold was fitted on, where both are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log10_size_gap: Option<f64>,
    /// How far it lies outside the training rows of its fold.
    #[serde(default)]
    pub gaps: Gaps,
    /// Signed distances of the proxy's value, on the scale of the link, and of the log10 size ratio from the
    /// ranges that its fold was fitted on; 0 inside.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy_gaps: Option<[f64; 2]>,
}

/// How far a row lies outside the range of some training rows; 0 inside, or where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Gaps {
    /// In log10 of the size.
    pub size: f64,
    /// In standard deviations of the first component.
    pub strength: f64,
}

/// Gaps below these are as good as none.
const SMALL: Gaps = Gaps { size: 0.15, strength: 0.25 };
/// No residual is stretched more.
const MOST_STRETCH: f64 = 2.0;

impl Gaps {
    /// By how much an error at `other` grows here: with the root of the gap, as that of a random walk, where
    /// this one is larger.
    fn stretch(self, other: Self) -> f64 {
        let size = (self.size + SMALL.size) / (other.size + SMALL.size);
        let strength = (self.strength + SMALL.strength) / (other.strength + SMALL.strength);
        size.max(strength).sqrt().clamp(1.0, MOST_STRETCH)
    }
}

/// The residuals of one split: the rows that its folds left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// Every row that was left out.
    pub held_out: Vec<HeldOutResidual>,
    /// Kish's effective number of models: `(sum w)^2 / sum w^2` over the models' weights, which is their
    /// number where all weigh the same.
    pub effective_n: f64,
}

impl Residuals {
    pub(crate) fn new(held_out: Vec<HeldOutResidual>) -> Self {
        let effective_n = effective_n(held_out.iter().map(|row| (row.model.as_str(), row.weight)));
        Self { held_out, effective_n }
    }

    /// The residuals for a row that lies at `gaps`: those of rows that lay less far out are stretched.
    pub(crate) fn at(&self, gaps: Gaps) -> Self {
        let stretched = |row: &HeldOutResidual| HeldOutResidual {
            residual: row.residual * gaps.stretch(row.gaps),
            ..row.clone()
        };
        Self { held_out: self.held_out.iter().map(stretched).collect(), effective_n: self.effective_n }
    }
}
