//! A corpus beside its control: the same tokens, read in the same way, without what is to be shown.

use super::{Profile, Reading, Settings, measure};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::model::Model;

/// Measures the emergence of `model` on `corpus` at every block and reading point, with the randomly initialised model
/// beside it, and the same on the control of the corpus if it has one: those rows follow and name it.
///
/// Each distinct prefix and each distinct token is computed once; only reading points are estimated. The
/// result is the same to the bit on any number of threads.
///
/// # Errors
/// If a window does not fit the model, or a residual stream holds NaN or infinity.
pub fn measure_beside_control(model: &Model, corpus: &Corpus, settings: &Settings) -> Result<Profile> {
    let mut profile = measure::measure(model, corpus, settings)?;
    if let Some(control) = corpus.control {
        let readings = measure::measure(model, &control.of(corpus, settings.seed), settings)?.blocks;
        let named = |reading| Reading { control: Some(control.name().into()), ..reading };
        profile.blocks.extend(readings.into_iter().map(named));
    }
    Ok(profile)
}
