//! The order in which models are shown, and how many share a figure.

use std::collections::BTreeMap;

use super::content::suffix;

/// Curves that can be told apart in one panel.
const MOST_CURVES: usize = 7;

/// Models, family by family, from small to large, from family, parameters and name of each row.
pub(super) fn by_size<'a>(rows: impl Iterator<Item = (&'a str, usize, &'a str)>) -> Vec<&'a str> {
    families(rows).into_values().flatten().collect()
}

/// The models that one figure of curves shows, with a part of its name: all of them, or where they are more
/// than can be told apart those of each family.
pub(super) fn figures<'a>(
    rows: impl Iterator<Item = (&'a str, usize, &'a str)>,
) -> Vec<(String, Vec<&'a str>)> {
    let families = families(rows);
    if families.values().map(Vec::len).sum::<usize>() <= MOST_CURVES {
        return vec![(String::new(), families.into_values().flatten().collect())];
    }
    families.into_iter().map(|(family, models)| (suffix(&[family]), models)).collect()
}

fn families<'a>(rows: impl Iterator<Item = (&'a str, usize, &'a str)>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut models: Vec<(&str, usize, &str)> = rows.collect();
    models.sort_unstable();
    models.dedup();
    let mut families: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (family, _, model) in models {
        families.entry(family).or_default().push(model);
    }
    families
}
