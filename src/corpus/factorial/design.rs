//! Draws the entities of a factorial design, and checks that the category is suitable.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;

use super::prompt_form::PromptForm;
use super::settings::DesignSettings;
use crate::corpus::Category;
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::seed;

/// A factorial design: entities, example sets and queries, independent of any tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorialDesign {
    /// The name of the category.
    pub category: String,
    /// SHA-256 of the CSV file of the category.
    pub category_sha256: String,
    /// The names of the R relations.
    pub relations: Vec<String>,
    /// The numbers of shots, in increasing order.
    pub shots: Vec<usize>,
    /// The X queries. No query occurs in an example set.
    pub queries: Vec<Query>,
    /// The form of the prompts.
    pub form: PromptForm,
    /// Seed with which entities were drawn.
    pub seed: u64,
    /// All entities of the category.
    pub(super) entities: Vec<String>,
    /// For each relation, the answers of all entities.
    pub(super) answers: Vec<Vec<String>>,
    /// For each example set, its entities, one for each example at the largest number of shots. A prompt with
    /// `k` shots shows the first `k` entities.
    pub(super) sets: Vec<Vec<usize>>,
    /// For each relation, set and position in the set, the entity whose answer is shown. It differs from the
    /// entity at this position if the answers are permuted.
    pub(super) shown: Vec<Vec<Vec<usize>>>,
}

/// The entity that a prompt asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The name of the entity.
    pub entity: String,
    /// The answer of the entity in each relation; `None` for an entity of another category.
    pub answers: Option<Vec<String>>,
}

impl FactorialDesign {
    /// Draws example sets and queries. Sets are disjoint if the category has enough entities. Otherwise,
    /// repeated entities come as late as possible in the sets; [`FactorialDesign::overlap`] returns the share
    /// of common entities.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size or a number of shots out of range. [`Error::Corpus`] for a category
    /// with fewer than two relations or too few entities, for an answer that is empty or contains a comma or
    /// a control character, and for two relations with identical answers.
    pub fn draw(category: &Category, settings: &DesignSettings) -> Result<Self> {
        let shots = settings.checked_shots()?;
        let most = shots.last().copied().unwrap_or_default();
        check(category)?;
        let n = category.entities.len();
        let DesignSettings { sets: n_sets, queries: n_queries, seed, form, .. } = settings.clone();
        let needed = n_queries + n_sets.max(most);
        if n < needed {
            let reason = format!(
                "has {}, but {n_queries} queries and {n_sets} example sets of up to {} need {needed}; lower \
                 --queries, --sets or --shots, or add entities",
                count(n, "entity"),
                count(most, "entity")
            );
            return Err(Error::Corpus { name: category.name.clone(), reason });
        }
        let mut rng = seed::stream("factorial design", &category.name, seed);
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut rng);
        let (queries, pool) = order.split_at(n_queries);
        // Fill the sets position by position, so that sets stay disjoint for as many shots as possible.
        let (mut sets, mut deck, mut next) = (vec![vec![]; n_sets], pool.to_vec(), 0);
        for _ in 0..most {
            for set in &mut sets {
                let fresh = |deck: &[usize], set: &[usize]| {
                    (next..deck.len()).find(|place| !set.contains(&deck[*place]))
                };
                let place = match fresh(&deck, set) {
                    Some(place) => place,
                    None => {
                        let mut again = pool.to_vec();
                        again.shuffle(&mut rng);
                        deck.extend(again);
                        fresh(&deck, set).unwrap_or(next)
                    }
                };
                deck.swap(next, place);
                set.push(deck[next]);
                next += 1;
            }
        }
        let answers: Vec<Vec<String>> =
            category.relations.iter().map(|relation| relation.answers.clone()).collect();
        let query = |entity: &usize| Query {
            entity: category.entities[*entity].clone(),
            answers: Some(answers.iter().map(|of_relation| of_relation[*entity].clone()).collect()),
        };
        Ok(Self {
            category: category.name.clone(),
            category_sha256: category.sha256.clone(),
            relations: category.relations.iter().map(|relation| relation.name.clone()).collect(),
            shots,
            queries: queries.iter().map(query).collect(),
            form,
            seed,
            entities: category.entities.clone(),
            shown: vec![sets.clone(); answers.len()],
            answers,
            sets,
        })
    }

    /// Number of example sets, S.
    pub fn n_sets(&self) -> usize {
        self.sets.len()
    }

    /// The examples of set `s` in relation `r` at the largest number of shots, as pairs of entity and answer.
    pub fn examples(&self, r: usize, s: usize) -> Vec<(&str, &str)> {
        let shown = self.sets[s].iter().zip(&self.shown[r][s]);
        shown.map(|(e, a)| (self.entities[*e].as_str(), self.answers[r][*a].as_str())).collect()
    }

    /// The share of entities that two example sets have in common, averaged over pairs of sets; 0 if all sets
    /// are disjoint.
    pub fn overlap(&self, shots: usize) -> f64 {
        let (mut common, mut pairs) = (0, 0);
        if shots == 0 {
            return 0.0;
        }
        for (s, set) in self.sets.iter().enumerate() {
            for other in &self.sets[..s] {
                common += set[..shots].iter().filter(|entity| other[..shots].contains(entity)).count();
                pairs += 1;
            }
        }
        common as f64 / (pairs * shots) as f64
    }

    /// Whether the answers of set `s` in relation `p` and of set `t` in relation `q` have a word in common.
    /// [`shares_answer_token`](super::DesignPrompts::shares_answer_token) does the same for the tokens of a
    /// model.
    pub fn shares_answer(&self, shots: usize, (p, s): (usize, usize), (q, t): (usize, usize)) -> bool {
        let words = |r: usize, set: usize| {
            let shown = self.shown[r][set][..shots].iter();
            shown.flat_map(move |entity| self.answers[r][*entity].split_whitespace())
        };
        let of_s: BTreeSet<&str> = words(p, s).collect();
        words(q, t).any(|word| of_s.contains(word))
    }
}

/// Checks that a category is suitable for a design.
fn check(category: &Category) -> Result<()> {
    let fault = |reason: String| Err(Error::Corpus { name: category.name.clone(), reason });
    let relations = &category.relations;
    if relations.len() < 2 {
        let has = match relations.first() {
            Some(relation) => format!("has 1 relation, {}", relation.name),
            None => "has 0 relations".into(),
        };
        return fault(format!(
            "{has}; semantic emergence compares relations and needs 2; add a column of answers, or use \
             --estimand positional"
        ));
    }
    for relation in relations {
        let faulty = relation.answers.iter().position(|answer| {
            answer.is_empty() || answer.contains(',') || answer.contains(char::is_control)
        });
        if let Some(at) = faulty {
            let (entity, answer) = (&category.entities[at], &relation.answers[at]);
            let n = relation.answers.iter().filter(|answer| answer.is_empty()).count();
            let reason = if answer.is_empty() {
                format!(
                    "column {} has no answer for {entity:?} (empty cells in total: {n}); fill in the empty \
                     cells, or remove their rows",
                    relation.name
                )
            } else {
                format!(
                    "column {} has the answer {answer:?} for {entity:?}; an answer must not contain a comma \
                     or a control character; rewrite the answer",
                    relation.name
                )
            };
            return fault(reason);
        }
    }
    for (p, relation) in relations.iter().enumerate() {
        if let Some(same) = relations[..p].iter().find(|other| other.answers == relation.answers) {
            return fault(format!(
                "columns {} and {} have the same answers for all {} entities, so no prompt can distinguish \
                 the two relations; remove one of the columns",
                same.name,
                relation.name,
                category.entities.len()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(name: &str, sets: usize, queries: usize, shots: &[usize], seed: u64) -> FactorialDesign {
        let settings = DesignSettings { sets, queries, shots: shots.into(), seed, ..Default::default() };
        FactorialDesign::draw(&Category::load(name).unwrap(), &settings).unwrap()
    }

    #[test]
    fn sets_are_nested_disjoint_where_there_is_room_and_apart_from_the_queries() {
        let design = draw("countries", 16, 16, &[1, 4], 3);
        assert_eq!(design, draw("countries", 16, 16, &[4, 1, 4], 3));
        assert_ne!(design.sets, draw("countries", 16, 16, &[1, 4], 4).sets);
        assert_eq!((design.overlap(1), design.overlap(4)), (0.0, 0.0));
        // 16 sets of 8 examples exceed the 84 entities, but the first 4 examples of all sets are still
        // disjoint.
        let wide = draw("countries", 16, 16, &[1, 2, 4, 8], 3);
        assert_eq!((wide.overlap(1), wide.overlap(4)), (0.0, 0.0));
        assert!(wide.overlap(8) > 0.0 && wide.overlap(8) < 0.1, "{}", wide.overlap(8));
        for design in [&design, &wide] {
            let queries: Vec<&str> = design.queries.iter().map(|query| query.entity.as_str()).collect();
            for s in 0..design.n_sets() {
                let examples = design.examples(0, s);
                let distinct: BTreeSet<&str> = examples.iter().map(|(entity, _)| *entity).collect();
                assert_eq!(distinct.len(), *design.shots.last().unwrap());
                assert!(examples.iter().all(|(entity, _)| !queries.contains(entity)));
                let others = design.examples(1, s);
                assert!(
                    examples.iter().zip(&others).all(|(one, other)| one.0 == other.0 && one.1 != other.1)
                );
            }
        }
    }

    #[test]
    fn a_category_that_gives_no_design_is_refused_with_what_is_there_and_what_is_needed() {
        let refused = |csv: &str| {
            let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
            std::fs::write(file.path(), csv).unwrap();
            let category = Category::load(&file.path().to_string_lossy()).unwrap();
            let settings = DesignSettings { sets: 4, queries: 3, shots: vec![1], ..Default::default() };
            FactorialDesign::draw(&category, &settings).map(drop).map_err(|error| error.to_string())
        };
        let table = |n: usize, row: &dyn Fn(usize) -> String| -> String {
            ["entity,a,b\n".into()].into_iter().chain((0..n).map(row)).collect()
        };
        let good = |i: usize| format!("e{i},a{i},b{i}\n");
        assert_eq!(refused(&table(7, &good)), Ok(()));
        let few = refused(&table(6, &good)).unwrap_err();
        assert!(few.contains("has 6 entities") && few.contains("need 7"), "{few}");
        let equal = refused(&table(7, &|i| format!("e{i},a{i},a{i}\n"))).unwrap_err();
        assert!(equal.contains("a and b") && equal.contains("all 7"), "{equal}");
        let empty = refused(&table(7, &|i| format!("e{i},a{i},{}\n", if i == 3 { "" } else { "b" })));
        assert!(empty.unwrap_err().contains("column b has no answer for \"e3\" (empty cells in total: 1)"));
        let one = refused("entity,a\nx,1\ny,2\n").unwrap_err();
        assert!(one.contains("1 relation, a") && one.contains("needs 2"), "{one}");
        let comma = refused(&table(7, &|i| format!("e{i},a{i},\"b, {i}\"\n"))).unwrap_err();
        assert!(comma.contains("comma"), "{comma}");
    }

    #[test]
    fn sizes_and_shots_out_of_range_are_refused() {
        let refused = |sets, queries, shots: &[usize]| {
            let settings = DesignSettings { sets, queries, shots: shots.into(), ..Default::default() };
            FactorialDesign::draw(&Category::load("countries").unwrap(), &settings).is_err()
        };
        assert!(!refused(4, 3, &[1]));
        assert!(refused(3, 3, &[1]) && refused(4, 2, &[1]) && refused(4, 3, &[]) && refused(4, 3, &[0]));
        assert!(!refused(4, 3, &[0, 1]));
        assert!(refused(300, 3, &[1]) && refused(4, 3, &[usize::MAX]) && refused(4, 3, &[98]));
    }
}
