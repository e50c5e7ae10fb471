//! Errors of the rows that the folds of a split left out, with the cells removed that a situation lacks.

use crate::calibration::intervals::residuals::HeldOutResidual;
use crate::calibration::intervals::skill::Skill;
use crate::numeric::statistics::weighted_mean;

/// An absolute error, in the unit of the response, and its weight.
pub(super) type WeightedError = (f64, f64);

/// Errors of held-out rows, row by row.
pub(super) struct HeldOut {
    pub errors: Vec<WeightedError>,
    /// The same on the scale of the link.
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

    /// Its skill against the mean on the same rows.
    pub(super) fn skill((own, mean): (&Self, &Self)) -> Skill {
        Skill::of((own.mae(), mean.mae()), (own.link_mae(), mean.link_mae()))
    }
}
