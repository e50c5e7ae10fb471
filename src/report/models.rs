//! Orders models and divides them among the panels of figures with curves.

use std::collections::BTreeMap;

use super::draw::curves::{Curve, Key, Panel, Point};

/// Maximum number of curves in one panel that are distinguishable by colour.
const MOST_CURVES: usize = 7;
/// Maximum number of panels in a row.
const MOST_ACROSS: usize = 3;

/// Model names sorted by family and then by size. `rows` yields family, parameters and name.
pub(super) fn by_size<'a>(rows: impl Iterator<Item = (&'a str, usize, &'a str)>) -> Vec<&'a str> {
    families(rows).into_values().flatten().map(|(_, model)| model).collect()
}

/// The layout of the models of a report in figures of curves.
pub(super) struct Layout<'a> {
    /// All models, in order.
    models: Vec<&'a str>,
    /// The colour key.
    pub(super) key: Key,
    /// Groups of models that share a panel: title, and indices into `models`.
    groups: Vec<(&'a str, Vec<usize>)>,
}

impl<'a> Layout<'a> {
    /// Few models form one group and have one colour each. Many models are divided into small multiples: one
    /// group for each family, coloured by size, or one for each model if sizes are unknown.
    pub(super) fn of(rows: impl Iterator<Item = (&'a str, usize, &'a str)>) -> Self {
        let families = families(rows);
        let all: Vec<(usize, &str)> = families.values().flatten().copied().collect();
        let models: Vec<&str> = all.iter().map(|(_, model)| *model).collect();
        let n = models.len();
        if n <= MOST_CURVES {
            let names = models.iter().map(|model| (*model).to_owned()).collect();
            return Self { models, key: Key::Names(names), groups: vec![("", (0..n).collect())] };
        }
        let sizes: Vec<f64> = all.iter().map(|(size, _)| *size as f64).collect();
        let groups = if sizes.iter().all(|size| *size > 0.0) {
            let mut first = 0;
            let of = |(family, models): (&'a str, Vec<(usize, &str)>)| {
                first += models.len();
                (family, (first - models.len()..first).collect())
            };
            families.into_iter().map(of).collect()
        } else {
            models.iter().enumerate().map(|(at, model)| (*model, vec![at])).collect()
        };
        Self { models, key: Key::Sizes(sizes), groups }
    }

    /// Whether there are too many models for one colour each.
    fn is_many(&self) -> bool {
        self.groups.len() > 1 || matches!(self.key, Key::Sizes(_))
    }

    /// Whether each model has its own panels.
    fn is_by_model(&self) -> bool {
        self.groups.len() == self.models.len() && self.models.len() > MOST_CURVES
    }

    /// Number of panels in a row for this number of corpora.
    pub(super) fn across(&self, n_corpora: usize) -> usize {
        match n_corpora {
            // The title of a panel with a single model is long, so fewer panels fit in a row.
            n if self.is_by_model() => n.clamp(2, MOST_ACROSS - 1),
            1 if self.is_many() => MOST_ACROSS.min(self.groups.len()),
            n if self.is_many() => n.min(MOST_ACROSS),
            n => n.min(2),
        }
    }

    /// The panels of each group on each corpus.
    pub(super) fn panels(&self, corpora: &[&str], points: impl Fn(&str, &str) -> Vec<Point>) -> Vec<Panel> {
        let mut panels = vec![];
        for (title, group) in &self.groups {
            for corpus in corpora {
                let curve = |name: &usize| Curve { name: *name, points: points(self.models[*name], corpus) };
                let curves = group.iter().map(curve).filter(|curve| !curve.points.is_empty());
                let parts = [title, corpus].into_iter().filter(|part| !part.is_empty());
                let title = parts.copied().collect::<Vec<_>>().join(", ");
                panels.push(Panel { title, curves: curves.collect() });
            }
        }
        panels
    }
}

fn families<'a>(
    rows: impl Iterator<Item = (&'a str, usize, &'a str)>,
) -> BTreeMap<&'a str, Vec<(usize, &'a str)>> {
    let mut models: Vec<(&str, usize, &str)> = rows.collect();
    models.sort_unstable();
    models.dedup();
    let mut families: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for (family, size, model) in models {
        families.entry(family).or_default().push((size, model));
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(_: &str, _: &str) -> Vec<Point> {
        vec![Point { x: 1.0, y: 1.0, half: 0.0, beside: None }]
    }

    #[test]
    fn few_models_share_panels_by_name_and_many_are_small_multiples_by_size() {
        let rows = [("b", 2, "b2"), ("a", 9, "a9"), ("a", 1, "a1"), ("a", 1, "a1")];
        let few = Layout::of(rows.into_iter());
        assert_eq!(few.key, Key::Names(vec!["a1".into(), "a9".into(), "b2".into()]));
        let panels = few.panels(&["moons", "guilds"], point);
        assert_eq!(
            panels.iter().map(|p| (p.title.as_str(), p.curves.len())).collect::<Vec<_>>(),
            [("moons", 3), ("guilds", 3)]
        );
        let names: Vec<String> = (1..=8).map(|size| format!("m{size}")).collect();
        let rows = |size_known: bool| {
            let size = move |at: usize| if size_known { at + 1 } else { 0 };
            names
                .iter()
                .enumerate()
                .map(move |(at, name)| (if at < 4 { "a" } else { "b" }, size(at), name.as_str()))
        };
        let many = Layout::of(rows(true));
        let panels = many.panels(&["moons"], point);
        assert_eq!(
            panels.iter().map(|p| (p.title.as_str(), p.curves.len())).collect::<Vec<_>>(),
            [("a, moons", 4), ("b, moons", 4)]
        );
        assert_eq!(many.key, Key::Sizes((1..=8).map(f64::from).collect()));
        assert_eq!(Layout::of(rows(false)).panels(&["moons"], point).len(), 8);
    }
}
