//! Estimates the information of two matrices in one call.

use ndarray::ArrayView2;
use surmise::Error;
use surmise::mi::{Estimate, Estimator, Pairs};

/// Pairs the rows of two matrices and estimates their information.
pub(crate) trait EstimateRows {
    fn estimate_rows(
        &self,
        x: ArrayView2<'_, f32>,
        y: ArrayView2<'_, f32>,
        seed: u64,
    ) -> Result<Vec<Estimate>, Error>;
}

impl<E: Estimator + ?Sized> EstimateRows for E {
    fn estimate_rows(
        &self,
        x: ArrayView2<'_, f32>,
        y: ArrayView2<'_, f32>,
        seed: u64,
    ) -> Result<Vec<Estimate>, Error> {
        self.estimate(&Pairs::new(x.view(), y.view())?, seed)
    }
}

/// The noise scale of an estimate by `channel`.
pub(crate) fn scale_of(estimate: &Estimate) -> f64 {
    estimate.noise_scale.expect("channel adds noise")
}
