//! Measures the randomly initialised model, which shows what the architecture contributes without training.
//!
//! The randomly initialised model has the config of the trained model and seeded initial weights. Both models
//! are measured on the same corpus in the same way. `learned` is the emergence of the trained model minus the
//! emergence of the randomly initialised model.

use super::positional::{BlockInformation, block_information};
use super::settings::MeasureSettings;
use super::steps::Steps;
use crate::corpus::Corpus;
use crate::error::Result;
use crate::model::Model;

/// The information of every block of the randomly initialised model.
pub(super) fn random_init_information(
    model: &Model,
    corpus: &Corpus,
    settings: &MeasureSettings,
    room_bytes: Option<u64>,
    steps: &Steps<'_>,
) -> Result<Vec<BlockInformation>> {
    let decoder = model.random_init(settings.random_init_seed)?;
    let name = format!("the randomly initialised model of {}", model.info.id);
    block_information(&decoder, &name, corpus, settings, room_bytes, steps)
}
