//! Compares pairs of groups: permutation test, Holm's correction and diversity of tokens.

use std::collections::{BTreeSet, HashMap};

use super::comparison::{Comparison, Verdict};
use super::pool::Pool;
use crate::corpus::{Texts, Window, WindowSettings};
use crate::emergence::settings::MeasureSettings;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::numeric::statistics::entropy_nats;

/// Compares every pair of groups, or every group with the reference group.
///
/// # Errors
/// [`Error::Parameter`] for fewer than two groups, an unknown reference, or a model with one block; the
/// errors of [`WindowSettings::all`] and of the estimator.
pub fn compare(
    model: &Model,
    groups: &[Texts],
    window_settings: &WindowSettings,
    settings: &MeasureSettings,
    how: &Permutations<'_>,
) -> Result<Vec<Comparison>> {
    let pairs = pairs(groups, how.reference)?;
    if model.info.n_layers < 2 {
        let reason = format!(
            "{} has only one block, and the input of the first block carries no context; choose a \
                     model with more blocks",
            model.info.id
        );
        return Err(Error::Parameter { name: "MODEL", reason });
    }
    let windows = groups
        .iter()
        .map(|group| window_settings.all(group, &model.tokenizer))
        .collect::<Result<Vec<_>>>()?;
    let n = windows.iter().map(Vec::len).min().unwrap_or(0).min(window_settings.windows);
    let even = WindowSettings { windows: n, ..*window_settings };
    let drawn = groups.iter().zip(&windows).map(|(group, all)| {
        even.draw(&group.name, all.len())
            .into_iter()
            .map(|w| all[w].clone())
            .collect::<Vec<(usize, Window)>>()
    });
    let drawn: Vec<_> = drawn.collect();
    let mut rows = vec![];
    for (at, (a, b)) in pairs.iter().enumerate() {
        let pool = Pool::new(model, [&groups[*a], &groups[*b]], [&drawn[*a], &drawn[*b]], &even, settings)?;
        let step = |done| (how.step)(at * how.permutations + done);
        let tests =
            pool.test(how.permutations, &format!("{}/{}", groups[*a].name, groups[*b].name), &step)?;
        let verdict = Verdict::of(tests[0].p_value, tests.get(1).map(|test| test.p_value));
        let entropy =
            |group: usize, size: usize| ngram_entropy_nats(drawn[group].iter().map(|(_, w)| w), size);
        let n_texts = |group: usize| drawn[group].iter().map(|(text, _)| text).collect::<BTreeSet<_>>().len();
        for (test, quantity) in tests.iter().zip(["emergence", "emergence_less_control"]) {
            rows.push(Comparison {
                model: model.info.id.clone(),
                group_a: groups[*a].name.clone(),
                group_b: groups[*b].name.clone(),
                quantity,
                estimator: settings.estimator().name().into(),
                scale: settings.scale(),
                noise_scale: pool.noise_scale,
                window_tokens: window_settings.window_tokens,
                n_windows: n,
                n_texts_a: n_texts(*a),
                n_texts_b: n_texts(*b),
                a_nats: test.values[0],
                b_nats: test.values[1],
                difference_nats: test.values[0] - test.values[1],
                effect_size: test.effect_size,
                p_value: test.p_value,
                p_holm: test.p_value,
                permutations: how.permutations,
                token_entropy_a_nats: entropy(*a, 1),
                token_entropy_b_nats: entropy(*b, 1),
                bigram_entropy_a_nats: entropy(*a, 2),
                bigram_entropy_b_nats: entropy(*b, 2),
                trigram_entropy_a_nats: entropy(*a, 3),
                trigram_entropy_b_nats: entropy(*b, 3),
                seed: settings.seed,
                verdict,
            });
        }
    }
    for quantity in ["emergence", "emergence_less_control"] {
        let mut same: Vec<&mut Comparison> = rows.iter_mut().filter(|row| row.quantity == quantity).collect();
        let adjusted = holm(&same.iter().map(|row| row.p_value).collect::<Vec<_>>());
        same.iter_mut().zip(adjusted).for_each(|(row, p)| row.p_holm = p);
    }
    Ok(rows)
}

/// Settings of the permutation test.
pub struct Permutations<'a> {
    /// Number of permutations for each pair of groups.
    pub permutations: usize,
    /// The group with which all other groups are compared; if `None`, every pair of groups is compared.
    pub reference: Option<&'a str>,
    /// Receives the number of permutations done so far, over all pairs.
    pub step: &'a (dyn Fn(usize) + Sync),
}

/// The pairs of groups to compare, as indices into `groups`.
///
/// # Errors
/// [`Error::Parameter`] if there are fewer than two groups, or no group has the name of the reference.
pub fn pairs(groups: &[Texts], reference: Option<&str>) -> Result<Vec<(usize, usize)>> {
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    if names.len() < 2 {
        let reason = format!(
            "has {} group(s) of texts, but a comparison needs at least two; give more files, or a file with \
             a column that names the group (--group-column)",
            names.len()
        );
        return Err(Error::Parameter { name: "--texts", reason });
    }
    match reference {
        None => Ok((0..names.len()).flat_map(|a| (a + 1..names.len()).map(move |b| (a, b))).collect()),
        Some(name) => {
            let at = names.iter().position(|known| *known == name).ok_or_else(|| {
                let reason = format!("`{name}` is not a group; the groups are {}", names.join(", "));
                Error::Parameter { name: "--reference", reason }
            })?;
            Ok((0..names.len()).filter(|other| *other != at).map(|other| (other, at)).collect())
        }
    }
}

/// Plug-in entropy of token n-grams of `size` tokens, with the Miller-Madow term.
fn ngram_entropy_nats<'a>(windows: impl Iterator<Item = &'a Window>, size: usize) -> f64 {
    let mut counts: HashMap<&[u32], u64> = HashMap::new();
    for window in windows {
        let text = window.labels.iter().take_while(|label| !label.is_reading_point).count();
        window.ids[text..].windows(size).for_each(|tokens| *counts.entry(tokens).or_default() += 1);
    }
    // Sort the counts for a fixed order of summation, so that the sum is bit-identical each time.
    let mut counts: Vec<u64> = counts.into_values().collect();
    counts.sort_unstable();
    entropy_nats(counts.into_iter())
}

/// Holm's step-down correction (1979): multiplies the `k`-th smallest of `m` p values by `m - k + 1`, makes
/// the results nondecreasing, and caps them at 1.
fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut adjusted, mut largest) = (vec![0.0; p.len()], 0.0_f64);
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max(((p.len() - rank) as f64 * p[at]).min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_agrees_with_a_calculation_by_hand() {
        // The sorted values .01 .02 .04 .05 times 4, 3, 2, 1 are .04 .06 .08 .05; the last becomes .08 for
        // monotonicity.
        let adjusted = holm(&[0.02, 0.05, 0.01, 0.04]);
        for (value, wanted) in adjusted.iter().zip([0.06, 0.08, 0.04, 0.08]) {
            assert!((value - wanted).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.7, 0.8]), [1.0, 1.0]);
    }
}
