//! The prompts of a design as texts, for a tokenizer or an API.

use sha2::{Digest, Sha256};

use super::design::FactorialDesign;
use crate::seed;

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptText {
    /// The index of the relation.
    pub relation: usize,
    /// The index of the example set.
    pub set: usize,
    /// The index of the query.
    pub query: usize,
    /// The text.
    pub text: String,
    /// The byte at which the entity of the query ends.
    pub query_end: usize,
}

impl FactorialDesign {
    /// All prompts with a number of examples, in the order query, relation, set; the set varies fastest.
    pub fn texts(&self, shots: usize) -> impl Iterator<Item = PromptText> {
        let (n_relations, n_sets) = (self.relations.len(), self.n_sets());
        (0..self.queries.len() * n_relations * n_sets).map(move |place| {
            let (query, relation, set) =
                (place / (n_relations * n_sets), place / n_sets % n_relations, place % n_sets);
            let mut examples = self.examples(relation, set);
            examples.truncate(shots);
            let (text, at) = self.form.render(&examples, &self.queries[query].entity);
            PromptText { relation, set, query, text, query_end: at.end }
        })
    }

    /// SHA-256 of the texts of all prompts, each followed by a line feed. It is the same for every tokenizer.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for prompt in self.shots.iter().flat_map(|shots| self.texts(*shots)) {
            hash.update(&prompt.text);
            hash.update("\n");
        }
        seed::hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Category;
    use crate::corpus::factorial::DesignSettings;

    #[test]
    fn every_crossing_is_asked_once_and_fewer_shots_begin_the_same_lists() {
        let category = Category::load("countries").unwrap();
        let settings = DesignSettings { sets: 4, queries: 3, shots: vec![1, 2], ..Default::default() };
        let design = FactorialDesign::draw(&category, &settings).unwrap();
        let [few, more] = [1, 2].map(|shots| design.texts(shots).collect::<Vec<_>>());
        assert_eq!(few.len(), 3 * category.relations.len() * 4);
        for (place, prompt) in few.iter().enumerate() {
            let at = (prompt.query * design.relations.len() + prompt.relation) * 4 + prompt.set;
            assert_eq!(at, place);
            let entity = &design.queries[prompt.query].entity;
            assert!(prompt.text[..prompt.query_end].ends_with(entity.as_str()));
            let (example, _) = prompt.text.split_once(", ").unwrap();
            assert!(more[place].text.starts_with(&format!("{example}, ")), "{}", more[place].text);
        }
        let texts: std::collections::BTreeSet<&String> = few.iter().map(|prompt| &prompt.text).collect();
        assert_eq!(texts.len(), few.len());
        assert_ne!(design.sha256(), design.with_permuted_answers().sha256());
    }
}
