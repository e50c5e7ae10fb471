//! In-context completion: "h1 -> a1, h2 -> a2, ..., hK -> aK, h ->" asks for the answer of one relation of a category. Without shots the relation
//! is a guess; the shots show which one is meant. One list of `shots + 1` pairs holds the question at every number of shots, nested.

use std::ops::Range;

use rand::seq::index::sample;

use crate::corpus::Category;
use crate::error::{Error, Result};
use crate::seed;

/// A list of pairs; pair `k` (from 0) is the question with `k` shots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The whole list, answers included.
    pub text: String,
    /// The bytes of each answer with the comma that ends it: exact match means that both are what the model says.
    pub answers: Vec<Range<usize>>,
}

/// The questions asked about one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The category's name.
    pub name: String,
    /// Most shots.
    pub shots: usize,
    /// The lists, the same number for each relation.
    pub items: Vec<Item>,
}

impl Task {
    /// Draws `items` lists for each relation of `category`, seeded.
    ///
    /// # Errors
    /// [`Error::Corpus`] if the category has no relation or fewer than `shots + 1` entities.
    pub fn draw(category: &Category, shots: usize, items: usize, seed: u64) -> Result<Self> {
        let n = category.entities.len();
        let fault = |reason: String| Error::Corpus { name: category.name.clone(), reason };
        if category.relations.is_empty() {
            return Err(fault("has no column beside `entity`, so nothing can be asked about it".into()));
        }
        if n <= shots {
            return Err(fault(format!("has {n} entities, a question with {shots} shots needs {}", shots + 1)));
        }
        let mut drawn = vec![];
        for relation in &category.relations {
            let mut rng = seed::stream("task", &format!("{}/{}", category.name, relation.name), seed);
            for _ in 0..items {
                let pairs = sample(&mut rng, n, shots + 1).into_iter();
                drawn.push(Item::new(pairs.map(|i| (category.entities[i].as_str(), relation.answers[i].as_str()))));
            }
        }
        Ok(Self { name: category.name.clone(), shots, items: drawn })
    }
}

impl Item {
    /// The list of some (head, answer) pairs.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut text, mut answers) = (String::new(), vec![]);
        for (head, answer) in pairs {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(head);
            text.push_str(" -> ");
            let start = text.len();
            text.push_str(answer);
            text.push(',');
            answers.push(start..text.len());
        }
        Self { text, answers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_marks_each_answer_with_its_comma() {
        let item = Item::new([("France", "Paris"), ("Peru", "Lima")]);
        assert_eq!(item.text, "France -> Paris, Peru -> Lima,");
        let answers: Vec<_> = item.answers.iter().map(|span| &item.text[span.clone()]).collect();
        assert_eq!(answers, ["Paris,", "Lima,"]);
    }

    #[test]
    fn a_task_asks_every_relation_equally_often() {
        let category = Category::load("countries").unwrap();
        let task = Task::draw(&category, 4, 10, 1).unwrap();
        assert_eq!(task.items.len(), 10 * category.relations.len());
        assert!(task.items.iter().all(|item| item.answers.len() == 5));
        assert_eq!(task, Task::draw(&category, 4, 10, 1).unwrap());
    }
}
