//! The mutual information between the input and the output of one block, at some positions of some windows.

use crate::error::{Error, Result};
use crate::mi::{Estimate, Pairs, row_labels};
use crate::model::{Point, States};
use crate::seed;

use super::settings::MeasureSettings;

/// `I(h_{l-1} ; h_l)` over `points`, one estimate for each noise scale.
///
/// `noise_stream` names the positions, in the estimator's stream of random numbers and in errors.
///
/// # Errors
/// [`Error::Samples`] if the estimator refuses the states, or calls their information infinite.
pub(super) fn block_mi(
    settings: &MeasureSettings,
    states: &States,
    points: &[Point],
    noise_stream: &str,
    block: usize,
) -> Result<Vec<Estimate>> {
    let (input, output) = (states.rows(block - 1, points)?, states.rows(block, points)?);
    // From the second block on the input determines the context, which is known by its node; in f32 two
    // contexts may round to one state. The input of the first block is the embedding of its own token.
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
                "the output of the block holds a linear function of its input over these {} rows, so that \
                 their information is infinite; choose channel ({})",
                infinite.n,
                at()
            );
            Err(Error::Samples { estimator: settings.estimator().name(), reason })
        }
    }
}
