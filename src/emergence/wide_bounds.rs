//! The reading of a profile whose bounds are furthest apart.

use std::fmt;

use super::profile::Profile;
use crate::corpus::Role;

/// The reading of a profile whose bounds are furthest apart at a noise scale. Block 1 is not looked at: its
/// input knows its own token alone, so that its bounds are wide by construction, and no headline uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct WidestBounds {
    /// The model.
    pub model: String,
    /// The corpus.
    pub corpus: String,
    /// The block, `2..=L`.
    pub block: usize,
    /// What was read.
    pub role: Role,
    /// Which entity or token it is, from 1.
    pub reading_index: usize,
    /// The control it belongs to, if it belongs to one.
    pub control: Option<String>,
    /// Whether the bounds are those of the macro information, and not of the micro information.
    pub is_macro: bool,
    /// Upper less lower bound, in nats; infinite where there is a lower bound alone.
    pub gap_nats: f64,
}

impl fmt::Display for WidestBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Prefix => "prefix",
            Role::Entity => "entity",
            Role::Separator => "separator",
            Role::Text => "token",
        };
        let side = if self.is_macro { "macro" } else { "micro" };
        write!(f, "{} on {}, block {}, {role} {}", self.model, self.corpus, self.block, self.reading_index)?;
        if let Some(control) = &self.control {
            write!(f, " ({control})")?;
        }
        write!(f, ": {side} bounds {:.2} nat apart", self.gap_nats)
    }
}

impl Profile {
    /// The reading from block 2 on whose bounds are furthest apart at a noise scale; of equal ones the first.
    /// `None` for a model of one block, and for an estimator without bounds.
    pub fn widest_bounds(&self, noise_scale: impl Into<Option<f64>>) -> Option<WidestBounds> {
        let noise_scale = noise_scale.into();
        let readings = self.blocks.iter().filter(|row| row.block >= 2 && row.noise_scale == noise_scale);
        let sides = readings.flat_map(|row| [(row, true, &row.macro_mi), (row, false, &row.micro_mi)]);
        let gaps = sides.filter_map(|(row, is_macro, side)| {
            let lower = side.lower_nats?;
            // A bound that is not finite is missing in files.
            Some((row, is_macro, side.upper_nats.map_or(f64::INFINITY, |upper| upper - lower)))
        });
        let (row, is_macro, gap_nats) = gaps.reduce(|a, b| if b.2 > a.2 { b } else { a })?;
        Some(WidestBounds {
            model: self.model.id.clone(),
            corpus: self.corpus.name.clone(),
            block: row.block,
            role: row.role,
            reading_index: row.reading_index,
            control: row.control.clone(),
            is_macro,
            gap_nats,
        })
    }
}
