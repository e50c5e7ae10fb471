//! (d) Measures emergence by size, and the part of it that randomly initialised models also have.

use std::collections::BTreeMap;

use surmise::Result;
use surmise::emergence::semantic::{SemanticProfile, ShotSummary};
use surmise::emergence::{Headline, Profile};
use surmise::model::ModelInfo;

use super::designs::{self, with_examples};
use super::rank::{Correlations, correlation};
use super::{Run, Verdict, report_profiles};

/// Reads a number from a summary.
type ShotQuantity = fn(&ShotSummary) -> Option<f64>;

/// Verdict on how the share grows with the size of the model: with the fewest examples, with the most
/// examples, and for random init.
pub fn semantic(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.designs.profiles(run)?;
    designs::write_summaries(profiles, &run.folder("size")?.join("semantic.csv"))?;
    let share = |summary: &ShotSummary| Some(summary.share_mean?.value);
    let random_init = |summary: &ShotSummary| Some(summary.share_mean_random_init?.value);
    let above = |summary: &ShotSummary| Some(summary.share_mean_above_random_init?.value);
    let quantities: [(String, usize, ShotQuantity); 4] = [
        (format!("the share with {MOST} examples"), MOST, share),
        (format!("the share with {FEWEST} example"), FEWEST, share),
        (format!("the share of random init with {MOST} examples"), MOST, random_init),
        ("the difference".into(), MOST, above),
    ];
    let found = quantities.map(|(name, shots, value)| {
        let of = |profile: &SemanticProfile| {
            value(with_examples(profile).into_iter().find(|summary| summary.shots == shots)?)
        };
        (name, within_families(profiles, |profile| (&profile.model, &profile.corpus.name), of))
    });
    Ok(vec![verdict(&found)])
}

/// The largest and smallest number of examples of a design.
const MOST: usize = designs::SHOTS[designs::SHOTS.len() - 1];
const FEWEST: usize = designs::SHOTS[1];

/// Reads a number from a headline.
type Quantity = fn(Headline) -> f64;

pub fn positional(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.series.profiles(run)?;
    report_profiles(profiles, "depth", &run.folder("size")?)?;
    let quantities: [(&str, Quantity); 3] = [
        ("emergence", |headline| headline.emergence_nats),
        ("emergence of randomly initialised models", |headline| headline.random_init_nats),
        ("the difference", |headline| headline.learned_nats),
    ];
    let found = quantities.map(|(name, value)| {
        let of = |profile: &Profile| profile.headline.map(value);
        (name.to_owned(), within_families(profiles, |profile| (&profile.model, &profile.corpus.name), of))
    });
    Ok(vec![verdict(&found)])
}

/// A verdict from rank correlations of several quantities; the first quantity decides whether the finding is
/// shown.
fn verdict(found: &[(String, Option<Correlations>)]) -> Verdict {
    let numbers = found.iter().map(|(name, of)| match of {
        Some(of) => format!("{name} {of}"),
        None => format!("{name}: no family has three sizes"),
    });
    let numbers = format!(
        "rank correlation with parameters within family and category: {}",
        numbers.collect::<Vec<_>>().join("; ")
    );
    Verdict { shown: found[0].1.as_ref().is_some_and(Correlations::are_positive), numbers }
}

/// Rank correlations with size within each family and category, so that differences between families or
/// categories do not count as an effect of size.
fn within_families<P>(
    profiles: &[P],
    of: impl Fn(&P) -> (&ModelInfo, &str),
    value: impl Fn(&P) -> Option<f64>,
) -> Option<Correlations> {
    let mut curves: BTreeMap<(&str, &str), Vec<(f64, f64)>> = BTreeMap::new();
    for profile in profiles {
        let (model, corpus) = of(profile);
        if let (Some(value), Some(family)) = (value(profile), &model.family) {
            curves.entry((family, corpus)).or_default().push((model.n_params as f64, value));
        }
    }
    Correlations::of(curves.values().map(|curve| correlation(curve)))
}
