//! Residuals of held-out rows, from which intervals are made. All residuals are on the scale of the link.

use serde::{Deserialize, Serialize};

use crate::numeric::statistics::effective_n;

/// A held-out row and the error of its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOutResidual {
    /// Name of the model.
    pub model: String,
    /// Family of the model; empty if unknown.
    pub family: String,
    /// Index of the row in the training sample.
    pub row: usize,
    /// Index of the fold that left the row out.
    pub fold: usize,
    /// Absolute error on the scale of the link.
    pub residual: f64,
    /// Weight of the row. The weights sum to the number of models.
    pub weight: f64,
    /// Log10 of the ratio of the model's size to the largest size in the fold's training rows, if both sizes
    /// are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log10_size_gap: Option<f64>,
    /// Distances of the row from the range of the fold's training rows.
    #[serde(default)]
    pub gaps: Gaps,
    /// Signed distances of the proxy's value, on the scale of the link, and of the log10 size ratio from the
    /// ranges of the fold's training rows; 0 inside.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy_gaps: Option<[f64; 2]>,
}

/// Distances of a row from the range of training rows; 0 inside the range, or if unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Gaps {
    /// Distance in log10 of the size.
    pub size: f64,
    /// Distance in the first component, in its standard deviations.
    pub strength: f64,
}

/// Added to every gap, so that gaps much smaller than this hardly matter.
const SMALL: Gaps = Gaps { size: 0.15, strength: 0.25 };
/// Maximum factor by which a residual is stretched.
const MOST_STRETCH: f64 = 2.0;

impl Gaps {
    /// The factor by which a residual at the gaps `other` is multiplied for a row at these gaps: the square
    /// root of the ratio of the gaps, as in a random walk. It is at least 1.
    fn stretch(self, other: Self) -> f64 {
        let size = (self.size + SMALL.size) / (other.size + SMALL.size);
        let strength = (self.strength + SMALL.strength) / (other.strength + SMALL.strength);
        size.max(strength).sqrt().clamp(1.0, MOST_STRETCH)
    }
}

/// The residuals of the held-out rows of one split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// Every held-out row.
    pub held_out: Vec<HeldOutResidual>,
    /// Kish's effective number of models: `(sum w)^2 / sum w^2` over the models' weights. It equals the
    /// number of models if all weights are equal.
    pub effective_n: f64,
}

impl Residuals {
    pub(crate) fn new(held_out: Vec<HeldOutResidual>) -> Self {
        let effective_n = effective_n(held_out.iter().map(|row| (row.model.as_str(), row.weight)));
        Self { held_out, effective_n }
    }

    /// The residuals for a row at `gaps`. Residuals of held-out rows that lay closer to their training range
    /// than this row are stretched.
    pub(crate) fn at(&self, gaps: Gaps) -> Self {
        let stretched = |row: &HeldOutResidual| HeldOutResidual {
            residual: row.residual * gaps.stretch(row.gaps),
            ..row.clone()
        };
        Self { held_out: self.held_out.iter().map(stretched).collect(), effective_n: self.effective_n }
    }
}
