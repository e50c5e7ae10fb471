//! Measures profiles of all models on series of every category, once for all findings that use them.

use std::cell::OnceCell;

use surmise::Result;
use surmise::corpus::category::DEFAULT;
use surmise::corpus::{self, Category, Role};
use surmise::emergence::{Profile, measure};

use super::{Run, SEED, settings};

/// Number of entities in a series.
pub const SHOTS: usize = 6;

#[derive(Default)]
pub struct Series(OnceCell<Vec<Profile>>);

impl Series {
    pub fn profiles(&self, run: &Run) -> Result<&[Profile]> {
        if self.0.get().is_none() {
            let mut profiles = vec![];
            for name in &run.models {
                let model = run.load(name)?;
                for category in DEFAULT {
                    let series =
                        corpus::Series::draw(&Category::load(category)?, SHOTS, run.opts.windows, SEED)?;
                    profiles.push(measure(&model, &series.tokenize(&model.tokenizer)?, &settings())?);
                }
            }
            return Ok(self.0.get_or_init(|| profiles));
        }
        Ok(self.0.get().map_or(&[], Vec::as_slice))
    }
}

/// Means over the blocks from the second on, at one reading point and at the noise scale of the headline.
#[derive(Debug, Clone, Copy)]
pub struct Mean {
    pub emergence_nats: f64,
    pub stderr_nats: f64,
    pub variance_nats2: f64,
}

/// The mean at a shot or position, of the corpus or of its control; `None` for a model with one block.
pub fn mean_at(profile: &Profile, shot: usize, control: Option<&str>) -> Option<Mean> {
    let noise_scale = profile.headline?.noise_scale;
    let at = |row: &&surmise::emergence::BlockReading| {
        row.block >= 2
            && row.reading_index == shot
            && row.role != Role::Separator
            && row.noise_scale == noise_scale
            && row.control.as_deref() == control
    };
    let rows: Vec<_> = profile.blocks.iter().filter(at).collect();
    let mean = |value: &dyn Fn(&surmise::emergence::BlockReading) -> f64| {
        rows.iter().map(|row| value(row)).sum::<f64>() / rows.len() as f64
    };
    (!rows.is_empty()).then(|| Mean {
        emergence_nats: mean(&|row| row.emergence_nats),
        stderr_nats: mean(&|row| row.stderr_nats.unwrap_or(f64::NAN)),
        variance_nats2: mean(&|row| row.variance_nats2.unwrap_or(f64::NAN)),
    })
}
