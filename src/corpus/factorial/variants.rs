//! Designs that serve as controls: the same example sets with one change.

use rand::seq::SliceRandom;

use super::design::{FactorialDesign, Query};
use crate::corpus::Category;
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::seed;

impl FactorialDesign {
    /// The same design with the answers of the examples permuted within each relation; each entity gets the
    /// answer of another row. A prompt still shows the kind of answer, but no longer which answer belongs to
    /// which entity.
    #[must_use]
    pub fn with_permuted_answers(&self) -> Self {
        let n = self.entities.len();
        let shown = (0..self.relations.len()).map(|r| {
            let label = format!("{}/{}", self.category, self.relations[r]);
            let mut rng = seed::stream("permuted answers", &label, self.seed);
            let mut cycle: Vec<usize> = (0..n).collect();
            cycle.shuffle(&mut rng);
            // Each entity gets the row of its successor in a random cycle through all entities.
            let mut row_of = vec![0; n];
            cycle.iter().zip(cycle.iter().cycle().skip(1)).for_each(|(entity, next)| row_of[*entity] = *next);
            self.sets.iter().map(|set| set.iter().map(|entity| row_of[*entity]).collect()).collect()
        });
        Self { shown: shown.collect(), ..self.clone() }
    }

    /// The same design with queries from another category, to which the relations do not apply.
    ///
    /// # Errors
    /// [`Error::Corpus`] if the other category has too few entities that are not in this category.
    pub fn with_foreign_queries(&self, other: &Category) -> Result<Self> {
        let foreign: Vec<&String> =
            other.entities.iter().filter(|entity| !self.entities.contains(entity)).collect();
        let (n, needed) = (foreign.len(), self.queries.len());
        if n < needed {
            let reason = format!(
                "has {} that {} does not have, but {needed} foreign queries are needed; choose another \
                 category",
                count(n, "entity"),
                self.category
            );
            return Err(Error::Corpus { name: other.name.clone(), reason });
        }
        let label = format!("{}/{}", self.category, other.name);
        let mut rng = seed::stream("foreign queries", &label, self.seed);
        let drawn = rand::seq::index::sample(&mut rng, n, needed).into_iter();
        let queries = drawn.map(|i| Query { entity: foreign[i].clone(), answers: None }).collect();
        Ok(Self { queries, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::factorial::DesignSettings;

    #[test]
    fn controls_keep_the_example_entities_and_change_answers_or_queries_alone() {
        let category = Category::load("nations").unwrap();
        let design = FactorialDesign::draw(&category, &DesignSettings::default()).unwrap();
        let permuted = design.with_permuted_answers();
        assert_eq!(permuted, design.with_permuted_answers());
        assert_eq!(permuted.queries, design.queries);
        for s in 0..design.n_sets() {
            for r in 0..design.relations.len() {
                let (before, after) = (design.examples(r, s), permuted.examples(r, s));
                assert!(before.iter().zip(&after).all(|(a, b)| a.0 == b.0));
                assert!(after.iter().all(|(_, answer)| design.answers[r].iter().any(|a| a == answer)));
            }
            // In the first relation each entity has a different answer, so no entity keeps its answer.
            let kept = design.examples(0, s).iter().zip(permuted.examples(0, s)).any(|(a, b)| a.1 == b.1);
            assert!(!kept);
        }
        let foreign = design.with_foreign_queries(&Category::load("animals").unwrap()).unwrap();
        assert_eq!(foreign.examples(1, 2), design.examples(1, 2));
        assert!(foreign.queries.iter().all(|query| query.answers.is_none()));
        let error = design.with_foreign_queries(&category).unwrap_err().to_string();
        assert!(error.contains("has 0 entities") && error.contains("16 foreign"), "{error}");
    }
}
