//! Computes the feature vector of a profile: a few numbers for one model on one corpus.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use crate::corpus::Role;
use crate::emergence::{BlockReading, Profile};
use crate::numeric::statistics::{self, slope, variance};

/// A feature computed from a profile.
#[derive(Debug, Clone, Copy)]
pub struct ProfileFeature {
    /// The column name.
    pub name: &'static str,
    value: fn(&EmergenceShape) -> Option<f64>,
}

/// The features of a profile, all measured inside the model, in nats unless the name states another unit.
///
/// `IE_l` is the emergence of block `l` at the last entity, and `u = l / L` its relative depth. The features
/// are: the mean over blocks from 2 on and over all shots; the maximum; `u` of the maximum; the last block;
/// the least-squares slope over `u`; the mean of the last third minus the mean of the first third; the mean
/// absolute second difference; the slope of the mean over blocks per `log2(shots + 1)`; the variance over
/// shots of the mean over blocks; the mean over blocks at the largest number of shots. The last mean is also
/// given in three forms that make models comparable: divided by the ceiling of the macro information (the
/// largest information that these windows can show), in bits per byte of text, and divided by the log of the
/// vocabulary size. The final feature is the number of tokens per byte, which describes the granularity of
/// the tokenizer.
pub const FEATURES: [ProfileFeature; 14] = [
    ProfileFeature { name: "ie_mean_nats", value: |shape| mean(&shape.all) },
    ProfileFeature { name: "ie_max_nats", value: EmergenceShape::max },
    ProfileFeature { name: "u_argmax", value: EmergenceShape::depth_of_max },
    ProfileFeature { name: "ie_final_nats", value: |shape| shape.last.last().copied() },
    ProfileFeature { name: "ie_slope_u_nats", value: |shape| slope(&shape.depths, &shape.last) },
    ProfileFeature { name: "ie_late_minus_early_nats", value: EmergenceShape::late_minus_early },
    ProfileFeature { name: "ie_rough_nats", value: EmergenceShape::roughness },
    ProfileFeature { name: "shot_slope_nats", value: |shape| slope(&shape.log2_shots, &shape.by_shot) },
    ProfileFeature { name: "shot_variance_nats2", value: |shape| variance(&shape.by_shot) },
    ProfileFeature { name: "ie_mean_max_shots_nats", value: |shape| mean(&shape.last) },
    ProfileFeature { name: "ie_mean_per_entropy", value: |shape| mean(&shape.shares_of_ceiling) },
    ProfileFeature { name: "ie_mean_bits_per_byte", value: EmergenceShape::bits_per_byte },
    ProfileFeature { name: "ie_mean_per_log_vocab", value: EmergenceShape::per_log_vocab },
    ProfileFeature { name: "tokens_per_byte", value: |shape| shape.tokens_per_byte },
];

/// The [`FEATURES`] of a profile at one noise scale; `None` if the model has too few blocks or the corpus has
/// too few shots. Block 1 is left out, because its input depends only on its own token.
pub fn features(profile: &Profile, noise_scale: Option<f64>) -> [Option<f64>; FEATURES.len()] {
    let shape = EmergenceShape::new(profile, noise_scale);
    FEATURES.map(|feature| (feature.value)(&shape))
}

/// The emergence of a profile over blocks and shots, at one noise scale.
struct EmergenceShape {
    /// The emergence at every entity and block.
    all: Vec<f64>,
    /// The emergence at the last entity, block by block.
    last: Vec<f64>,
    /// The relative depths of the blocks in `last`.
    depths: Vec<f64>,
    /// The values of `last` as shares of the ceiling of the macro information.
    shares_of_ceiling: Vec<f64>,
    /// The mean over blocks, for each number of shots.
    by_shot: Vec<f64>,
    /// `log2(shots + 1)` for each entry of `by_shot`.
    log2_shots: Vec<f64>,
    tokens_per_byte: Option<f64>,
    vocab_size: f64,
}

impl EmergenceShape {
    fn new(profile: &Profile, noise_scale: Option<f64>) -> Self {
        let depth = profile.model.n_layers as f64;
        let is_entity = |row: &&BlockReading| {
            row.role == Role::Entity
                && row.noise_scale == noise_scale
                && row.control.is_none()
                && row.block >= 2
        };
        let rows: Vec<&BlockReading> = profile.blocks.iter().filter(is_entity).collect();
        let last: Vec<&BlockReading> =
            rows.iter().copied().filter(|row| row.reading_index == profile.corpus.shots).collect();
        let mut by_shot: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        rows.iter().for_each(|row| by_shot.entry(row.reading_index).or_default().push(row.emergence_nats));
        let bounded = last.iter().filter(|row| row.macro_mi.ceiling_nats > 0.0);
        Self {
            all: rows.iter().map(|row| row.emergence_nats).collect(),
            last: last.iter().map(|row| row.emergence_nats).collect(),
            depths: last.iter().map(|row| row.block as f64 / depth).collect(),
            shares_of_ceiling: bounded.map(|row| row.emergence_nats / row.macro_mi.ceiling_nats).collect(),
            log2_shots: by_shot.keys().map(|shot| ((shot + 1) as f64).log2()).collect(),
            by_shot: by_shot.values().filter_map(|values| mean(values)).collect(),
            tokens_per_byte: profile.corpus.tokens_per_byte(),
            vocab_size: profile.model.vocab_size as f64,
        }
    }

    fn max(&self) -> Option<f64> {
        let max = self.last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(max).filter(|max| max.is_finite())
    }

    fn depth_of_max(&self) -> Option<f64> {
        let max = self.max()?;
        self.last.iter().position(|value| *value == max).map(|at| self.depths[at])
    }

    fn late_minus_early(&self) -> Option<f64> {
        let part = |from: f64, to: f64| {
            let blocks = self.last.iter().zip(&self.depths).filter(|(_, u)| (from..=to).contains(*u));
            mean(&blocks.map(|(value, _)| *value).collect::<Vec<_>>())
        };
        part(2.0 / 3.0, 1.0).zip(part(0.0, 1.0 / 3.0)).map(|(late, early)| late - early)
    }

    fn roughness(&self) -> Option<f64> {
        let second_differences =
            self.last.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs());
        mean(&second_differences.collect::<Vec<_>>())
    }

    fn bits_per_byte(&self) -> Option<f64> {
        mean(&self.last).zip(self.tokens_per_byte).map(|(value, tokens)| value * tokens / LN_2)
    }

    fn per_log_vocab(&self) -> Option<f64> {
        mean(&self.last).map(|value| value / self.vocab_size.ln())
    }
}

/// The mean; `None` if there are no values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| statistics::mean(values))
}

/// Two standard errors of a mean over seeds: the first from the standard errors of the estimator, the second
/// from the variance between seeds.
pub(super) fn over_seeds(values: &[f64], stderrs: &[Option<f64>]) -> (Option<f64>, Option<f64>) {
    let n = values.len() as f64;
    let squares: Option<Vec<f64>> =
        stderrs.iter().map(|stderr| stderr.map(|stderr| stderr * stderr)).collect();
    (squares.map(|squares| squares.iter().sum::<f64>().sqrt() / n), variance(values).map(|v| (v / n).sqrt()))
}
