//! Errors of held-out rows that were predicted without the cells that are missing in a situation.

use crate::calibration::intervals::residuals::HeldOutResidual;
use crate::calibration::intervals::skill::Skill;
use crate::numeric::statistics::weighted_mean;

/// An absolute error, in the unit of the response, and its weight.
pub(super) type WeightedError = (f64, f64);

/// Errors of held-out rows, row by row.
pub(super) struct HeldOut {
    pub errors: Vec<WeightedError>,
    /// The errors on the scale of the link.
    pub residuals: Vec<HeldOutResidual>,
}

impl HeldOut {
    /// Mean absolute error, in the unit of the response.
    pub(super) fn mae(&self) -> f64 {
        let (errors, weights): (Vec<f64>, Vec<f64>) = self.errors.iter().copied().unzip();
        weighted_mean(&errors, &weights)
    }

    fn link_mae(&self) -> f64 {
        let rows = self.residuals.iter().map(|row| (row.residual, row.weight));
        let (errors, weights): (Vec<f64>, Vec<f64>) = rows.unzip();
        weighted_mean(&errors, &weights)
    }

    /// Skill of a candidate compared with the mean baseline, both on the same rows.
    pub(super) fn skill((own, mean): (&Self, &Self)) -> Skill {
        Skill::of((own.mae(), mean.mae()), (own.link_mae(), mean.link_mae()))
    }
}
