//! Corrects a KSG estimate by its bias on Gaussian samples with the same covariance.

use ndarray::{Array2, Axis, concatenate, s};
use rand_distr::{Distribution, StandardNormal};

use super::ksg::pointwise_nats;
use crate::numeric::linear::{cholesky, covariance, gaussian_nats};
use crate::numeric::statistics::mean;
use crate::seed::stream;

/// The KSG estimate of `u` and `v` minus the bias of KSG on a Gaussian sample of the same size and
/// covariance. `None` if the covariance is singular.
pub(crate) fn gaussian_corrected_nats(u: &Array2<f64>, v: &Array2<f64>, seed: u64) -> Option<f64> {
    let (n, k) = u.dim();
    let joint = covariance(concatenate![Axis(1), u.view(), v.view()].view());
    let exact = gaussian_nats(&joint, k)?;
    let factor = cholesky(&joint, 0.0)?;
    let mut generator = stream("mi/ensemble/gaussian", "", seed);
    let noise = Array2::from_shape_simple_fn((n, 2 * k), || -> f64 { StandardNormal.sample(&mut generator) });
    let drawn = noise.dot(&factor.t());
    let ksg = |u: &Array2<f64>, v: &Array2<f64>| mean(&pointwise_nats(u, v));
    // Use the sample covariance of the drawn sample instead of its population covariance, so that the
    // sampling error cancels.
    let of_drawn = gaussian_nats(&covariance(drawn.view()), k)?;
    let bias = ksg(&drawn.slice(s![.., ..k]).to_owned(), &drawn.slice(s![.., k..]).to_owned()) - of_drawn;
    let correction = if exact > 0.0 { -bias } else { 0.0 };
    Some(ksg(u, v) + correction)
}
