//! Chooses the number of components of a mixture, and of classes of each side, on held-out pairs.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::held_out_score::{HeldOutScore, evaluate_halves, parts};
use super::latent_classes::LatentClasses;
use super::mixture::{CovarianceStructure, Mixture};
use crate::numeric::statistics::mean;

/// Numbers of components to try, in this order. The search stops after two successive numbers without
/// improvement, but tries at least [`LEAST_TRIED`] components: two or three components may fit no better than
/// one even if more components do.
const COMPONENTS: [usize; 15] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];
/// The search never stops before this number of components.
const LEAST_TRIED: usize = 8;
/// Maximum number of parameters per fitted row, if each component has its own covariance.
const MOST_PARAMETERS: f64 = 2.0;
/// Maximum number of parameters per fitted row, if the components share a covariance.
const MOST_PARAMETERS_SHARED: f64 = 3.0;
/// Minimum number of rows per component or class.
const LEAST_ROWS_EACH: usize = 12;
/// Maximum number of columns of both sides together, if each component has its own covariance.
const MOST_OWN: usize = 80;
/// Numbers of classes of a side to try, in this order. The search stops after two successive numbers without
/// improvement.
const CLASSES: [usize; 7] = [8, 16, 24, 32, 48, 64, 96];

/// Number of components and covariance structure of a mixture, with the held-out log likelihood.
#[derive(Debug, Clone)]
struct MixtureSize {
    components: usize,
    sharing: CovarianceStructure,
    log_likelihood: f64,
}

/// Selects the mixture with the best held-out log likelihood, and returns its held-out score.
///
/// # Shapes
/// `z` is `(n, d)`; its first `dx` columns are `x`.
pub(crate) fn best_mixture(
    z: &Array2<f64>,
    dx: usize,
    repaired: Option<u64>,
    seed: u64,
) -> Option<HeldOutScore> {
    let parts = parts(z.nrows(), seed);
    let found = [CovarianceStructure::Rows(0.1), CovarianceStructure::All]
        .into_par_iter()
        .filter_map(|sharing| best_components(z, &parts, sharing, seed));
    let best = found.max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood))?;
    let fit = |rows: &Array2<f64>| Mixture::fit(rows, best.components, best.sharing, seed);
    evaluate_halves(z, dx, &parts, fit, repaired)
}

/// Selects the number of latent classes with the best held-out score, and returns this score.
///
/// # Shapes
/// `z` is `(n, d)`; its first `dx` columns are `x`. A side with `cells` is one column of cell numbers.
pub(crate) fn best_classes(
    z: &Array2<f64>,
    dx: usize,
    cells: [Option<usize>; 2],
    repaired: Option<u64>,
    seed: u64,
) -> Option<HeldOutScore> {
    let parts = parts(z.nrows(), seed);
    let mut best: Option<HeldOutScore> = None;
    let mut since = 0;
    for classes in CLASSES.into_iter().filter(|classes| classes * LEAST_ROWS_EACH <= z.nrows() / 2) {
        let fit = |rows: &Array2<f64>| LatentClasses::fit(rows, dx, classes, cells, seed);
        let Some(candidate) = evaluate_halves(z, dx, &parts, fit, repaired) else { break };
        if best.as_ref().is_none_or(|best| candidate.score() > best.score()) {
            (best, since) = (Some(candidate), 0);
        } else {
            since += 1;
        }
        // If both sides are cells, the number of classes makes no difference.
        if since == 2 || cells.iter().all(Option::is_some) {
            break;
        }
    }
    best
}

/// Selects the number of components with the highest mean log density on held-out halves.
fn best_components(
    z: &Array2<f64>,
    parts: &[(Vec<usize>, Vec<usize>)],
    sharing: CovarianceStructure,
    seed: u64,
) -> Option<MixtureSize> {
    let (n, d) = z.dim();
    let mut best: Option<MixtureSize> = None;
    let mut since = 0;
    let parts: Vec<_> =
        parts.iter().map(|(own, other)| (z.select(Axis(0), own), z.select(Axis(0), other))).collect();
    for components in COMPONENTS {
        let fitted = n / 2;
        let is_too_free = match sharing {
            CovarianceStructure::All => {
                let parameters = (components * (d + 1)) as f64;
                let is_few = components * LEAST_ROWS_EACH <= fitted;
                components > 1 && !(is_few && parameters <= MOST_PARAMETERS_SHARED * fitted as f64)
            }
            CovarianceStructure::Rows(_) => {
                let parameters = (components * (d + 1) * (d + 2) / 2) as f64;
                parameters > MOST_PARAMETERS * fitted as f64 || d > MOST_OWN
            }
        };
        if is_too_free {
            break;
        }
        let logs = parts.par_iter().map(|(own, other)| {
            let logs = Mixture::fit(own, components, sharing, seed)?.log_densities(other)?;
            Some(mean(&logs))
        });
        let Some(logs) = logs.collect::<Option<Vec<f64>>>() else { break };
        let log_likelihood = mean(&logs);
        if best.as_ref().is_none_or(|best| log_likelihood > best.log_likelihood) {
            best = Some(MixtureSize { components, sharing, log_likelihood });
            since = 0;
        } else {
            since += 1;
            if since >= 2 && components >= LEAST_TRIED {
                break;
            }
        }
    }
    best
}
