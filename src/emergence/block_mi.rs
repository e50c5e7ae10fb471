//! Estimates the mutual information between the input and the output of one block at given positions.

use crate::error::{Error, Result};
use crate::mi::{Estimate, Pairs, row_labels};
use crate::model::{Point, States};
use crate::seed;

use super::settings::MeasureSettings;

/// `I(h_{l-1} ; h_l)` over `points`. Returns one estimate for each noise scale.
///
/// `noise_stream` names the positions. It seeds the random stream of the estimator and appears in errors.
///
/// # Errors
/// [`Error::Samples`] if the estimator rejects the states or their information is infinite.
pub(super) fn block_mi(
    settings: &MeasureSettings,
    states: &States,
    points: &[Point],
    noise_stream: &str,
    block: usize,
) -> Result<Vec<Estimate>> {
    let (input, output) = (states.rows(block - 1, points)?, states.rows(block, points)?);
    // From the second block on, different contexts have different input states in exact arithmetic, but in
    // f32 two contexts can round to the same state. So contexts are used as labels. The input of the first
    // block does not depend on the context. So in the first block, equal rows have equal labels.
    let labels = if block == 1 { row_labels("x", input.view())? } else { states.contexts(points) };
    let pairs = Pairs::new(input.view(), output.view())?.with_labels(&labels)?;
    let noise = seed::derive("noise", &format!("{noise_stream}/{block}"), settings.seed);
    let at = || format!("block {block}, {noise_stream}");
    let found = settings.estimator().estimate(&pairs, noise).map_err(|error| match error {
        Error::Samples { estimator, reason } => {
            Error::Samples { estimator, reason: format!("{reason} ({})", at()) }
        }
        other => other,
    })?;
    match found.iter().find(|estimate| !estimate.mi_nats.is_finite()) {
        None => Ok(found),
        Some(infinite) => {
            let reason = format!(
                "over all {} rows, part of the output of the block is a linear function of its input, so the \
                 information is infinite ({}); choose the estimator channel",
                infinite.n,
                at()
            );
            Err(Error::Samples { estimator: settings.estimator().name(), reason })
        }
    }
}
