//! (d) Emergence by size, and how much of it the randomly initialised models have.

use std::collections::BTreeMap;

use surmise::Result;
use surmise::emergence::{Headline, Profile};

use super::rank::{Correlations, correlation};
use super::{Run, Verdict, report_profiles};

/// One of the numbers of a headline.
type Quantity = fn(Headline) -> f64;

pub fn measure(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.series.profiles(run)?;
    report_profiles(profiles, "depth", &run.folder("size")?)?;
    let quantities: [(&str, Quantity); 3] = [
        ("emergence", |headline| headline.emergence_nats),
        ("that of randomly initialised models", |headline| headline.random_init_nats),
        ("the difference", |headline| headline.learned_nats),
    ];
    let found = quantities.map(|(name, value)| (name, within_families(profiles, value)));
    let numbers = found.iter().map(|(name, of)| match of {
        Some(of) => format!("{name} {of}"),
        None => format!("{name}: no family has three sizes"),
    });
    let numbers = format!(
        "rank correlation with parameters within family and category: {}",
        numbers.collect::<Vec<_>>().join("; ")
    );
    Ok(vec![Verdict { shown: found[0].1.as_ref().is_some_and(Correlations::are_positive), numbers }])
}

/// Within a family and category, so that neither is taken for size.
fn within_families(profiles: &[Profile], value: Quantity) -> Option<Correlations> {
    let mut curves: BTreeMap<(&str, &str), Vec<(f64, f64)>> = BTreeMap::new();
    for profile in profiles {
        if let (Some(headline), Some(family)) = (profile.headline, &profile.model.family) {
            let curve = curves.entry((family, &profile.corpus.name)).or_default();
            curve.push((profile.model.n_params as f64, value(headline)));
        }
    }
    Correlations::of(curves.values().map(|curve| correlation(curve)))
}
