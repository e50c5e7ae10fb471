//! Draws the entities of a factorial design, and refuses a category that cannot give one.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;

use super::prompt_form::PromptForm;
use super::settings::DesignSettings;
use crate::corpus::Category;
use crate::error::{Error, Result};
use crate::seed;

/// Entities, example sets and queries, before any tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorialDesign {
    /// The category's name.
    pub category: String,
    /// SHA-256 of the category's CSV file.
    pub category_sha256: String,
    /// The names of the relations, R of them.
    pub relations: Vec<String>,
    /// Numbers of shots, increasing.
    pub shots: Vec<usize>,
    /// The queries, X of them; none is in an example set.
    pub queries: Vec<Query>,
    /// How a prompt is written.
    pub form: PromptForm,
    /// Seed of the entities that were drawn.
    pub seed: u64,
    /// Entities of the category.
    pub(super) entities: Vec<String>,
    /// For each relation the answers of the entities.
    pub(super) answers: Vec<Vec<String>>,
    /// For each example set its entities, as many as the most shots; a prompt shows the first of them.
    pub(super) sets: Vec<Vec<usize>>,
    /// For each relation and each place of each set the entity whose answer is shown there.
    pub(super) shown: Vec<Vec<Vec<usize>>>,
}

/// The entity that a prompt asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its name.
    pub entity: String,
    /// Its answer in each relation; none for an entity of another category.
    pub answers: Option<Vec<String>>,
}

impl FactorialDesign {
    /// Draws example sets and queries. Sets share no entity while the category has enough; otherwise their
    /// first entities differ for longest, and [`FactorialDesign::overlap`] says how much they share.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size or a number of shots out of range. [`Error::Corpus`] for a category
    /// with fewer than two relations or too few entities, for an answer that is empty or holds a comma or
    /// line feed, and for two relations with the same answers throughout.
    pub fn draw(category: &Category, settings: &DesignSettings) -> Result<Self> {
        let shots = settings.checked_shots()?;
        let most = shots.last().copied().unwrap_or_default();
        check(category)?;
        let n = category.entities.len();
        let DesignSettings { sets: n_sets, queries: n_queries, seed, form, .. } = settings.clone();
        let needed = n_queries + n_sets.max(most);
        if n < needed {
            let reason = format!(
                "has {n} entities, and {n_queries} queries with {n_sets} example sets of up to {most} need \
                 {needed}; lower --queries, --sets or --shots, or add entities"
            );
            return Err(Error::Corpus { name: category.name.clone(), reason });
        }
        let mut rng = seed::stream("factorial design", &category.name, seed);
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut rng);
        let (queries, pool) = order.split_at(n_queries);
        // Dealt place by place, so that sets of few shots are disjoint for as long as possible.
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

    /// The examples of set `s` in relation `r`: entities and answers, as many as the most shots.
    pub fn examples(&self, r: usize, s: usize) -> Vec<(&str, &str)> {
        let shown = self.sets[s].iter().zip(&self.shown[r][s]);
        shown.map(|(e, a)| (self.entities[*e].as_str(), self.answers[r][*a].as_str())).collect()
    }

    /// The share of its entities that an example set has in common with another one, mean over pairs of sets;
    /// 0 where sets are disjoint.
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

    /// Whether set `s` in relation `p` and set `t` in relation `q` show an answer in common, or a word of it.
    /// [`shares_answer_token`](super::DesignPrompts::shares_answer_token) asks the same of a model's tokens.
    pub fn shares_answer(&self, shots: usize, (p, s): (usize, usize), (q, t): (usize, usize)) -> bool {
        let words = |r: usize, set: usize| {
            let shown = self.shown[r][set][..shots].iter();
            shown.flat_map(move |entity| self.answers[r][*entity].split_whitespace())
        };
        let of_s: BTreeSet<&str> = words(p, s).collect();
        words(q, t).any(|word| of_s.contains(word))
    }
}

/// Whether prompts can be made of a category.
fn check(category: &Category) -> Result<()> {
    let fault = |reason: String| Err(Error::Corpus { name: category.name.clone(), reason });
    let relations = &category.relations;
    if relations.len() < 2 {
        let has = match relations.first() {
            Some(relation) => format!("has 1 relation, {}", relation.name),
            None => "has 0 relations".into(),
        };
        return fault(format!(
            "{has}; semantic emergence tells relations apart and needs 2: add a column of answers, or take \
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
                    "column {} has no answer for {entity:?}, {n} empty in all where every entity needs one; \
                     fill them in, or remove the rows",
                    relation.name
                )
            } else {
                format!(
                    "column {} has the answer {answer:?} for {entity:?}; a comma or a control character \
                     ends an answer: write it without",
                    relation.name
                )
            };
            return fault(reason);
        }
    }
    for (p, relation) in relations.iter().enumerate() {
        if let Some(same) = relations[..p].iter().find(|other| other.answers == relation.answers) {
            return fault(format!(
                "columns {} and {} have the same answers for all {} entities, so that no prompt tells them \
                 apart; remove one of them",
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
        // 16 x 8 examples of 84 entities: sets of 4 are disjoint all the same.
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
        assert!(empty.unwrap_err().contains("column b has no answer for \"e3\", 1 empty"));
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
