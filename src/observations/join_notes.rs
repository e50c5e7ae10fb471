//! What a join has to say beside its table.

use std::collections::{BTreeMap, BTreeSet};

/// Notes of a join, gathered over corpora, so that each is said once.
#[derive(Debug, Default)]
pub(super) struct JoinNotes<'a> {
    /// Models that have a row without a proxy, by the reason, with the corpora.
    alone: BTreeMap<(&'a str, String), BTreeSet<&'a str>>,
    /// Models that stand for others and have no row.
    proxies: BTreeSet<&'a str>,
    others: Vec<String>,
}

impl<'a> JoinNotes<'a> {
    /// A model has a row on a corpus, and no proxy.
    pub fn add_alone(&mut self, model: &'a str, corpus: &'a str, why: &str) {
        self.alone.entry((model, why.to_owned())).or_default().insert(corpus);
    }

    /// A model stands for others and has no row.
    pub fn add_proxy(&mut self, model: &'a str) {
        self.proxies.insert(model);
    }

    /// Other notes; each is kept once.
    pub fn extend(&mut self, notes: impl IntoIterator<Item = String>) {
        for note in notes {
            if !self.others.contains(&note) {
                self.others.push(note);
            }
        }
    }

    /// The notes, a sentence each.
    pub fn sentences(self) -> Vec<String> {
        let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        let alone = self.alone.into_iter().map(|((model, why), corpora)| {
            format!("{model} on {}: {why}; the row is there, with empty proxy columns", list(corpora))
        });
        let mut notes: Vec<String> = alone.collect();
        if !self.proxies.is_empty() {
            notes.push(format!("no row of their own, being used as proxies: {}", list(self.proxies)));
        }
        notes.extend(self.others);
        notes
    }
}
