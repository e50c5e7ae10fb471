//! Collects the notes of a join.

use std::collections::{BTreeMap, BTreeSet};

/// The notes of a join, collected over all corpora, so that each appears once.
#[derive(Debug, Default)]
pub(super) struct JoinNotes<'a> {
    /// The models that have a row without a proxy, each with the reason and the corpora.
    alone: BTreeMap<(&'a str, String), BTreeSet<&'a str>>,
    /// Models that are proxies of other models and have no row.
    proxies: BTreeSet<&'a str>,
    others: Vec<String>,
}

impl<'a> JoinNotes<'a> {
    /// Notes that a model has a row on a corpus without a proxy.
    pub fn add_alone(&mut self, model: &'a str, corpus: &'a str, why: &str) {
        self.alone.entry((model, why.to_owned())).or_default().insert(corpus);
    }

    /// Notes that a model is the proxy of other models and has no row.
    pub fn add_proxy(&mut self, model: &'a str) {
        self.proxies.insert(model);
    }

    /// Adds other notes, without duplicates.
    pub fn extend(&mut self, notes: impl IntoIterator<Item = String>) {
        for note in notes {
            if !self.others.contains(&note) {
                self.others.push(note);
            }
        }
    }

    /// The notes, one sentence each.
    pub fn sentences(self) -> Vec<String> {
        let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        let alone = self.alone.into_iter().map(|((model, why), corpora)| {
            format!("{model} on {}: {why}; its row has empty proxy columns", list(corpora))
        });
        let mut notes: Vec<String> = alone.collect();
        if !self.proxies.is_empty() {
            notes.push(format!(
                "these models are proxies and have no row of their own: {}",
                list(self.proxies)
            ));
        }
        notes.extend(self.others);
        notes
    }
}
