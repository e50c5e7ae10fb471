//! Estimates the macro and micro information of one condition.
//!
//! # Formula
//! For a state of prompt `(p, s, x)` and another relation `q`, with `D` and `micro` as `query_kernel.rs`
//! defines them:
//!
//! ```text
//! M = mean over pairs, sets and queries of [ log 2 - log(1 + exp(tau D)) ]
//! m = mean over relations, sets and queries of micro
//! ```
//!
//! `M` is a log score on an example set that the densities were not estimated from. So in expectation it is a
//! lower bound on the information that the state has about which of two relations the examples show. `M` is
//! at most `log 2`, and `m` is at most `log S`.

use ndarray::ArrayView2;
use rand::seq::SliceRandom;

use super::condition::{Centred, Layout, Noise};
use super::jackknife::Replicated;
use super::query_kernel::{Compared, QueryKernel};
use super::tally::{Tally, information};
use crate::error::{Error, Result};
use crate::seed;

/// Settings of the estimate of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimateSettings {
    /// Noise scales `b`: `sigma^2 = b^2 sum_c Var_c(Y)`.
    pub noise_scales: Vec<f64>,
    /// The noise scale of the controls; one of `noise_scales`.
    pub default_noise_scale: f64,
    /// Seed of the noise and of the permuted relations.
    pub seed: u64,
}

/// Comparisons to leave out of a condition.
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    /// `(queries, relations, relations)`: whether a query is left out of a pair of relations. If empty, no
    /// query is left out.
    pub left_out: Vec<bool>,
    /// `(relations, relations, sets, sets)`: whether sets `s` and `t` have no answer token in common, for the
    /// control `no_shared_answer`. If empty, this control is not computed.
    pub no_shared_answer: Vec<bool>,
}

/// Macro and micro information at one noise scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Information {
    /// The noise scale `b`.
    pub noise_scale: f64,
    /// The macro information `M`, in nats.
    pub macro_nats: Replicated,
    /// The micro information `m`, in nats.
    pub micro_nats: Replicated,
    /// The mean of the chosen temperatures.
    pub temperature: f64,
}

/// All estimates of one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionEstimate {
    /// Macro and micro information at each noise scale.
    pub information: Vec<Information>,
    /// The mean of the information from each half of the example sets, at the default noise scale.
    pub half_sets: Information,
    /// Macro information with the relations permuted within each query and example set. The expected value is
    /// near 0.
    pub permuted: Replicated,
    /// Macro information over sets that share no answer token, and the share of comparisons that remain.
    /// `None` if less than a tenth remain.
    pub no_shared_answer: Option<(Replicated, f64)>,
    /// The total variance of the states, `sum_c Var_c(Y)`.
    pub total_variance: f64,
    /// The squared norm of the mean state divided by the mean squared norm of the states.
    pub mean_power_share: f64,
}

/// Estimates one condition.
///
/// # Shapes
/// `states` is `(layout.len(), d)`, in the order of [`Layout::place`].
///
/// # Errors
/// [`Error::Parameter`] if the number of states does not match the layout, or a noise scale is not positive
/// and finite.
pub fn estimate(
    states: ArrayView2<'_, f32>,
    layout: Layout,
    noise: &Noise,
    exclusions: &Exclusions,
    settings: &EstimateSettings,
) -> Result<ConditionEstimate> {
    check(states, layout, settings)?;
    let centred = Centred::new(states, layout);
    let kernels: Vec<QueryKernel> = (0..layout.queries).map(|x| centred.kernel(x, noise)).collect();
    // If all states are equal, all exponents are 0 at every noise scale, so any positive spread works.
    let spread = if centred.total_variance > 0.0 { centred.total_variance.sqrt() } else { 1.0 };
    let sigma = |noise_scale: f64| noise_scale * spread;
    let n_pairs = layout.relations * layout.relations;
    let everything = vec![false; n_pairs];
    let left_out = |x: usize| exclusions.left_out.get(x * n_pairs..(x + 1) * n_pairs).unwrap_or(&everything);
    let tallies = |kernels: &[QueryKernel], noise_scale, keep, with_replicates| -> Vec<Vec<Tally>> {
        let of_query = |(x, kernel): (usize, &QueryKernel)| {
            kernel.tallies(sigma(noise_scale), &Compared { left_out: left_out(x), keep, with_replicates })
        };
        kernels.iter().enumerate().map(of_query).collect()
    };
    let at = |noise_scale, tallies: &[Vec<Tally>]| {
        let (macro_nats, micro_nats, temperature) = information(tallies);
        Information { noise_scale, macro_nats, micro_nats, temperature }
    };
    let b = settings.default_noise_scale;
    let scales = settings.noise_scales.iter();
    let all: Vec<Information> = scales.map(|b| at(*b, &tallies(&kernels, *b, None, true))).collect();

    let middle = layout.sets / 2;
    let halves = [0..middle, middle..2 * middle].map(|sets| {
        let half: Vec<_> = kernels.iter().map(|kernel| kernel.of_sets(sets.clone())).collect();
        at(b, &tallies(&half, b, None, false))
    });
    let [first, second] = &halves;
    let half_sets = Information {
        noise_scale: b,
        macro_nats: first.macro_nats.zip(&second.macro_nats, |a, b| 0.5 * (a + b)),
        micro_nats: first.micro_nats.zip(&second.micro_nats, |a, b| 0.5 * (a + b)),
        temperature: 0.5 * (first.temperature + second.temperature),
    };

    let renamed = permuted_names(layout, settings.seed);
    let renamed: Vec<_> =
        kernels.iter().zip(&renamed).map(|(kernel, names)| kernel.with_names(names)).collect();
    let permuted = at(b, &tallies(&renamed, b, None, true)).macro_nats;

    let keep = &exclusions.no_shared_answer;
    let no_shared_answer = kept_share(keep, layout).map(|share| {
        let found = at(b, &tallies(&kernels, b, Some(keep), true)).macro_nats;
        // If a jackknife replicate has no comparisons, the standard error does not exist.
        let has_error = found.stderr().is_some_and(f64::is_finite);
        (if has_error { found } else { Replicated::exact(found.value) }, share)
    });
    Ok(ConditionEstimate {
        information: all,
        half_sets,
        permuted,
        no_shared_answer,
        total_variance: centred.total_variance,
        mean_power_share: centred.mean_power_share,
    })
}

fn check(states: ArrayView2<'_, f32>, layout: Layout, settings: &EstimateSettings) -> Result<()> {
    if states.nrows() != layout.len() || layout.is_empty() {
        let reason = format!(
            "have {} rows, but the design has {} prompts; give one row for each \
                              prompt",
            states.nrows(),
            layout.len()
        );
        return Err(Error::Parameter { name: "states", reason });
    }
    let scales = settings.noise_scales.iter().chain([&settings.default_noise_scale]);
    match scales.into_iter().find(|b| !(**b > 0.0 && b.is_finite())) {
        Some(b) => Err(Error::Parameter {
            name: "noise scale",
            reason: format!("must be positive and finite, but is {b}"),
        }),
        None => Ok(()),
    }
}

/// Minimum share of comparisons for a control. With fewer comparisons, densities would come from only one or
/// two sets.
const LEAST_KEPT: f64 = 0.1;

/// The share of comparisons between relations and sets that are kept; `None` if it is too small.
fn kept_share(keep: &[bool], layout: Layout) -> Option<f64> {
    let Layout { relations, sets, .. } = layout;
    let of_pairs =
        keep.chunks(sets * sets).enumerate().filter(|(pair, _)| pair / relations != pair % relations);
    let n = of_pairs.flat_map(|(_, keep)| keep).filter(|keep| **keep).count();
    let share = n as f64 / (relations * (relations - 1) * sets * (sets - 1)) as f64;
    (share >= LEAST_KEPT).then_some(share)
}

/// A random order of the relations for each query and example set.
fn permuted_names(layout: Layout, seed: u64) -> Vec<Vec<Vec<usize>>> {
    let mut rng = seed::stream("permuted relations", "semantic", seed);
    let mut order = || {
        let mut names: Vec<usize> = (0..layout.relations).collect();
        names.shuffle(&mut rng);
        names
    };
    (0..layout.queries).map(|_| (0..layout.sets).map(|_| order()).collect()).collect()
}
