//! Finds the reading of a profile with the widest bounds.

use std::fmt;

use super::profile::Profile;
use crate::corpus::Role;

/// The reading with the widest bounds at a noise scale. Block 1 is excluded: its input carries no context, so
/// its bounds are wide by construction, and no headline uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct WidestBounds {
    /// The model.
    pub model: String,
    /// The corpus.
    pub corpus: String,
    /// The block, `2..=L`.
    pub block: usize,
    /// The role of the token at the reading point.
    pub role: Role,
    /// The number of the entity or token, from 1.
    pub reading_index: usize,
    /// The control that the reading belongs to; `None` for the corpus itself.
    pub control: Option<String>,
    /// Whether these are bounds of the macro information (true) or of the micro information (false).
    pub is_macro: bool,
    /// Upper minus lower bound, in nats; infinite if there is no upper bound.
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
        write!(f, ": {side} bounds are {:.2} nats apart", self.gap_nats)
    }
}

impl Profile {
    /// The reading from block 2 on with the widest bounds at a noise scale; the first reading if several have
    /// the same width. `None` for a model with one block or an estimator without bounds.
    pub fn widest_bounds(&self, noise_scale: impl Into<Option<f64>>) -> Option<WidestBounds> {
        let noise_scale = noise_scale.into();
        let readings = self.blocks.iter().filter(|row| row.block >= 2 && row.noise_scale == noise_scale);
        let sides = readings.flat_map(|row| [(row, true, &row.macro_mi), (row, false, &row.micro_mi)]);
        let gaps = sides.filter_map(|(row, is_macro, side)| {
            let lower = side.lower_nats?;
            // Files omit bounds that are not finite, so a missing upper bound is infinite.
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
