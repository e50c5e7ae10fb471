//! Computes the headline of a profile and other summaries: the slope over depth and the gap between bounds.

use super::block_reading::BlockReading;
use super::profile::{Headline, Profile};
use crate::corpus::Role;
use crate::numeric::statistics::slope;

impl Profile {
    /// The headline at a noise scale; pass `None` for an estimator that adds no noise. Returns `None` if the
    /// model has one block or the noise scale was not measured.
    pub fn headline_at(&self, noise_scale: impl Into<Option<f64>>) -> Option<Headline> {
        let noise_scale = noise_scale.into();
        Self::mean_over_depth(noise_scale, self.last_point(noise_scale, None))
    }

    /// The headline of the control, at the noise scale of the headline of the profile.
    pub fn control_headline(&self) -> Option<Headline> {
        self.control_headline_at(self.headline?.noise_scale)
    }

    /// The headline of the control at a noise scale.
    pub fn control_headline_at(&self, noise_scale: impl Into<Option<f64>>) -> Option<Headline> {
        let noise_scale = noise_scale.into();
        Self::mean_over_depth(noise_scale, self.last_point(noise_scale, Some(self.corpus.control?.name())))
    }

    fn mean_over_depth<'a>(
        noise_scale: Option<f64>,
        rows: impl Iterator<Item = &'a BlockReading>,
    ) -> Option<Headline> {
        let rows: Vec<_> = rows.filter(|row| row.block >= 2).collect();
        let n = rows.len() as f64;
        let mean = |value: fn(&BlockReading) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / n;
        let stderrs: Option<Vec<f64>> = rows.iter().map(|row| row.stderr_nats).collect();
        (!rows.is_empty()).then(|| Headline {
            noise_scale,
            emergence_nats: mean(|row| row.emergence_nats),
            stderr_nats: stderrs.map(|stderrs| stderrs.iter().sum::<f64>() / n),
            random_init_nats: mean(|row| row.random_init_nats),
            learned_nats: mean(|row| row.learned_nats),
        })
    }

    /// Least-squares slope of emergence over relative depth `u = l / L`, at the reading point of the headline
    /// and over all blocks. `None` for fewer than two blocks.
    pub fn depth_slope(&self, noise_scale: impl Into<Option<f64>>) -> Option<f64> {
        let depth = self.model.n_layers as f64;
        let (depths, emergence): (Vec<f64>, Vec<f64>) = self
            .last_point(noise_scale.into(), None)
            .map(|row| (row.block as f64 / depth, row.emergence_nats))
            .unzip();
        slope(&depths, &emergence)
    }

    /// Whether a row is part of the headline.
    pub fn is_headline(&self, reading: &BlockReading) -> bool {
        let Some(headline) = self.headline else { return false };
        reading.block >= 2 && self.is_last_point(reading, headline.noise_scale, None)
    }

    fn is_last_point(&self, row: &BlockReading, noise_scale: Option<f64>, control: Option<&str>) -> bool {
        row.role != Role::Separator
            && row.reading_index == self.corpus.shots
            && row.noise_scale == noise_scale
            && row.control.as_deref() == control
    }

    fn last_point<'a>(
        &'a self,
        noise_scale: Option<f64>,
        control: Option<&'a str>,
    ) -> impl Iterator<Item = &'a BlockReading> {
        self.blocks.iter().filter(move |row| self.is_last_point(row, noise_scale, control))
    }

    /// The widest gap between upper and lower bound over the readings of the headline, in nats.
    pub fn headline_gap_nats(&self, noise_scale: impl Into<Option<f64>>) -> f64 {
        let noise_scale = noise_scale.into();
        let rows = self.last_point(noise_scale, None).filter(|row| row.block >= 2);
        let sides = rows.flat_map(|row| [&row.macro_mi, &row.micro_mi]);
        sides.filter_map(|side| Some(side.upper_nats? - side.lower_nats?)).fold(0.0, f64::max)
    }
}
