//! A profile as a few numbers: the feature vector of one model on one corpus.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use crate::corpus::Role;
use crate::emergence::{BlockReading, Profile};

/// [`FEATURES`](super::FEATURES) of a profile at one noise scale, `None` where the model has too few blocks or
/// the corpus too few shots. Block 1, whose input knows only its own token, is left out.
pub fn features(profile: &Profile, noise_scale: Option<f64>) -> Vec<Option<f64>> {
    let depth = profile.model.n_layers as f64;
    let entity = |row: &&BlockReading| {
        row.role == Role::Entity && row.noise_scale == noise_scale && row.control.is_none() && row.block >= 2
    };
    let rows: Vec<&BlockReading> = profile.blocks.iter().filter(entity).collect();
    let last: Vec<&BlockReading> =
        rows.iter().copied().filter(|row| row.reading_index == profile.corpus.shots).collect();
    let ie: Vec<f64> = last.iter().map(|row| row.emergence_nats).collect();
    let u: Vec<f64> = last.iter().map(|row| row.block as f64 / depth).collect();
    let mut by_shot: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    rows.iter().for_each(|row| by_shot.entry(row.reading_index).or_default().push(row.emergence_nats));
    let shots: Vec<f64> = by_shot.keys().map(|shot| ((shot + 1) as f64).log2()).collect();
    let means: Vec<f64> = by_shot.values().filter_map(|values| mean(values)).collect();
    let most = ie.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let part = |from: f64, to: f64| {
        mean(
            &ie.iter()
                .zip(&u)
                .filter(|(_, u)| (from..=to).contains(*u))
                .map(|(ie, _)| *ie)
                .collect::<Vec<_>>(),
        )
    };
    let bends: Vec<f64> = ie.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs()).collect();
    let shares: Vec<f64> = last
        .iter()
        .filter(|row| row.macro_mi.ceiling_nats > 0.0)
        .map(|row| row.emergence_nats / row.macro_mi.ceiling_nats)
        .collect();
    vec![
        mean(&rows.iter().map(|row| row.emergence_nats).collect::<Vec<_>>()),
        Some(most).filter(|most| most.is_finite()),
        ie.iter().position(|value| *value == most).map(|at| u[at]),
        ie.last().copied(),
        slope(&u, &ie),
        part(2.0 / 3.0, 1.0).zip(part(0.0, 1.0 / 3.0)).map(|(late, early)| late - early),
        mean(&bends),
        slope(&shots, &means),
        variance(&means),
        mean(&ie),
        mean(&shares),
        mean(&ie).zip(profile.corpus.tokens_per_byte()).map(|(ie, tokens)| ie * tokens / LN_2),
        mean(&ie).map(|ie| ie / (profile.model.vocab_size as f64).ln()),
        profile.corpus.tokens_per_byte(),
    ]
}

pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// With `n - 1` in the denominator; `None` below two values.
pub(super) fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() >= 2)?;
    Some(values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64)
}

/// Standard errors of a mean over seeds: that of the estimator, and, from how they differ, that of the seeds.
pub(super) fn over_seeds(values: &[f64], stderrs: &[Option<f64>]) -> (Option<f64>, Option<f64>) {
    let n = values.len() as f64;
    let squares: Option<Vec<f64>> =
        stderrs.iter().map(|stderr| stderr.map(|stderr| stderr * stderr)).collect();
    (squares.map(|squares| squares.iter().sum::<f64>().sqrt() / n), variance(values).map(|v| (v / n).sqrt()))
}

/// Least squares slope of `y` on `x`; `None` where `x` does not vary.
pub(super) fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mx, my) = (mean(x)?, mean(y)?);
    let square: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
    (square > 0.0).then(|| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / square)
}
