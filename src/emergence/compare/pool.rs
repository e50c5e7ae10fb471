//! Computes the emergence of two groups of texts, for the actual groups and with texts permuted between the
//! groups.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::corpus::{Corpus, Texts, Window, WindowSettings};
use crate::emergence::block_mi::block_mi;
use crate::emergence::lone_tokens::LoneTokens;
use crate::emergence::settings::MeasureSettings;
use crate::error::Result;
use crate::model::{Model, Point, States};
use crate::numeric::statistics::variance;
use crate::seed;

/// The windows of two groups and the states of all windows.
pub(crate) struct Pool<'a> {
    settings: &'a MeasureSettings,
    /// The index of the noise scale of the headline.
    at: usize,
    pub(crate) noise_scale: Option<f64>,
    n_layers: usize,
    window_tokens: usize,
    prefix: usize,
    ids: Vec<Vec<u32>>,
    /// For each group, the windows of each text.
    texts: [Vec<Vec<usize>>; 2],
    /// States of the windows and, if there is a control, of the control.
    sides: Vec<States>,
    lone: LoneTokens,
}

/// The test of one quantity of two groups.
pub(crate) struct Test {
    pub(crate) values: [f64; 2],
    /// Cohen's d; `None` if all permutations give the same difference.
    pub(crate) effect_size: Option<f64>,
    pub(crate) p_value: f64,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(
        model: &Model,
        names: [&Texts; 2],
        groups: [&Vec<(usize, Window)>; 2],
        window_settings: &WindowSettings,
        settings: &'a MeasureSettings,
    ) -> Result<Self> {
        let noise_scales = settings.estimator().noise_scales();
        let headline = settings.estimator().headline_noise_scale();
        let at = noise_scales.iter().position(|b| Some(*b) == headline).unwrap_or(0);
        let corpora = [0, 1].map(|group| {
            let windows = groups[group].iter().map(|(_, window)| window.clone()).collect();
            window_settings.of(names[group], &model.tokenizer, windows)
        });
        let [Corpus { prefix: before, control, .. }, _] = &corpora;
        let prefix = before.len();
        let last = prefix + window_settings.window_tokens - 1;
        let mut first = 0;
        let texts = groups.map(|group| {
            let mut by_text: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (w, (text, _)) in group.iter().enumerate() {
                by_text.entry(*text).or_default().push(first + w);
            }
            first += group.len();
            by_text.into_values().collect()
        });
        let room = model.room_for_states()?;
        let of = |corpora: &[Corpus]| -> Result<(Vec<Vec<u32>>, States)> {
            let windows = corpora.iter().flat_map(|corpus| &corpus.windows);
            let ids: Vec<Vec<u32>> = windows.map(|window| window.ids.clone()).collect();
            let points: Vec<Point> = (0..ids.len()).map(|w| (w, last)).collect();
            let states = States::within(&model.decoder, &model.info.id, &ids, &points, room)?;
            Ok((ids, states))
        };
        let (ids, states) = of(&corpora)?;
        let mut sides = vec![states];
        if let Some(control) = control {
            // Each group has its own control, which does not depend on the other group, as in `measure`.
            sides.push(of(&corpora.each_ref().map(|corpus| control.of(corpus, settings.seed)))?.1);
        }
        let tokens = ids.iter().flat_map(|ids| &ids[prefix..]).copied();
        let lone = LoneTokens::new(&model.decoder, &model.info.id, before, tokens, room)?;
        Ok(Self {
            settings,
            at,
            noise_scale: noise_scales.get(at).copied(),
            n_layers: model.info.n_layers,
            window_tokens: window_settings.window_tokens,
            prefix,
            ids,
            texts,
            sides,
            lone,
        })
    }

    /// The emergence of some windows and, if there is a control, this emergence minus the emergence of the
    /// control.
    fn emergence(&self, windows: &[usize]) -> Result<Vec<f64>> {
        let last = self.prefix + self.window_tokens - 1;
        let points: Vec<Point> = windows.iter().map(|w| (*w, last)).collect();
        let alone = self.lone.points(windows.iter().flat_map(|w| &self.ids[*w][self.prefix..]).copied());
        let estimate = |states: &States, points: &[Point], label: &str, block: usize| -> Result<f64> {
            // Use the random streams of `measure`, so that a group has the same emergence in both commands.
            let estimates = block_mi(self.settings, states, points, label, block)?;
            Ok(estimates.get(self.at).map_or(f64::NAN, |estimate| estimate.mi_nats))
        };
        let mut means = vec![0.0; self.sides.len()];
        for l in 2..=self.n_layers {
            let micro = estimate(&self.lone.states, &alone, "alone", l)?;
            let macro_mi = self
                .sides
                .iter()
                .map(|states| estimate(states, &points, &format!("Text/{}", self.window_tokens), l));
            let macro_mi: Vec<f64> = macro_mi.collect::<Result<_>>()?;
            means[0] += (macro_mi[0] - micro) / (self.n_layers - 1) as f64;
            if let Some(control) = macro_mi.get(1) {
                means[1] += (macro_mi[0] - control) / (self.n_layers - 1) as f64;
            }
        }
        Ok(means)
    }

    /// Computes both quantities for the two groups and tests them by permuting the texts.
    pub(crate) fn test(
        &self,
        permutations: usize,
        label: &str,
        step: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Test>> {
        let own = |group: usize| self.texts[group].concat();
        let (a, b) = (self.emergence(&own(0))?, self.emergence(&own(1))?);
        let n = own(0).len();
        let done = AtomicUsize::new(0);
        let permuted = (0..permutations as u64).into_par_iter().map(|number| {
            let mut rng = seed::stream("permutation", &format!("{label}/{number}"), self.settings.seed);
            let mut texts: Vec<&Vec<usize>> = self.texts.iter().flatten().collect();
            texts.shuffle(&mut rng);
            let (a, b) = part(&texts, n);
            let differences: Vec<f64> =
                self.emergence(&a)?.iter().zip(self.emergence(&b)?).map(|(a, b)| a - b).collect();
            step(1 + done.fetch_add(1, Ordering::Relaxed));
            Ok(differences)
        });
        let permuted: Vec<Vec<f64>> = permuted.collect::<Result<_>>()?;
        let test = |at: usize| {
            let values = [a[at], b[at]];
            let observed = values[0] - values[1];
            let null: Vec<f64> = permuted.iter().map(|differences| differences[at]).collect();
            let beyond = null.iter().filter(|value| value.abs() >= observed.abs()).count();
            // The command requires at least 19 permutations, so the variance exists.
            let variance = variance(&null).unwrap_or(f64::NAN);
            Test {
                values,
                effect_size: Some(observed / (variance * n as f64 / 2.0).sqrt()).filter(|d| d.is_finite()),
                p_value: (1 + beyond) as f64 / (1 + null.len()) as f64,
            }
        };
        Ok((0..a.len()).map(test).collect())
    }
}

/// Splits texts into two parts with the same number of windows, at most `n` each.
fn part(texts: &[&Vec<usize>], n: usize) -> (Vec<usize>, Vec<usize>) {
    let mut first = vec![];
    let mut rest = texts.iter();
    while first.len() < n {
        let Some(text) = rest.next() else { break };
        first.extend_from_slice(text);
    }
    let mut second: Vec<usize> = rest.flat_map(|text| text.iter().copied()).collect();
    let least = n.min(first.len()).min(second.len());
    first.truncate(least);
    second.truncate(least);
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_whole_in_a_permutation_and_both_parts_are_equal() {
        let texts = [vec![0, 1, 2], vec![3], vec![4, 5], vec![6, 7]];
        let (a, b) = part(&texts.iter().collect::<Vec<_>>(), 4);
        assert_eq!((a, b), (vec![0, 1, 2, 3], vec![4, 5, 6, 7]));
        let turned = [&texts[2], &texts[0], &texts[1], &texts[3]];
        assert_eq!(part(&turned, 4), (vec![4, 5, 0], vec![3, 6, 7]));
    }
}
