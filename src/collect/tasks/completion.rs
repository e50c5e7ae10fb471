//! Draws the questions of in-context completion. The prompt "h1 -> a1, h2 -> a2, ..., hK -> aK, h ->" asks
//! for the answer to head h under one relation of a category. The shots show the relation; without shots, the
//! model must guess it. One list of `shots + 1` pairs yields a question at every number of shots: the
//! question with k shots shows the first k pairs and asks for the answer of the next one.

use std::ops::Range;

use rand::seq::index::sample;
use sha2::{Digest, Sha256};

use super::task::{Rendering, Task, TaskKind, TaskOptions};
use crate::collect::item::Item;
use crate::corpus::Category;
use crate::corpus::factorial::CONTINUE;
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::provider::{Message, Prompt, Role};
use crate::seed;

/// Stop sequences of an answer in a list.
const STOPS: [&str; 2] = [",", "\n"];
/// Instruction to a chat model that receives the shots as turns.
const REPLY: &str = "Each message names one thing. Reply with what belongs to it in the same way as in the \
                     replies so far, and with nothing else.";

/// A list of pairs. Pair `k` (from 0) is the question with `k` shots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The relation: the column of the category that contains the answers.
    pub relation: String,
    /// Head and answer of each pair.
    pub pairs: Vec<(String, String)>,
    /// The whole list, including the answers.
    pub text: String,
    /// The byte range of each answer, including the comma that ends it. An exact match must include the
    /// comma.
    pub answers: Vec<Range<usize>>,
}

/// The questions about one category. A local model is scored on a whole list in one pass; a closed model
/// receives one request per answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The category's name.
    pub name: String,
    /// Maximum number of shots.
    pub shots: usize,
    /// The seed of the draw.
    pub seed: u64,
    /// The lists, the same number for each relation.
    pub lists: Vec<List>,
}

impl Completion {
    /// Draws `items` lists for each relation of `category`, with a seed.
    ///
    /// # Errors
    /// [`Error::Corpus`] if the category has no relation or fewer than `shots + 1` entities.
    pub fn draw(category: &Category, shots: usize, items: usize, seed: u64) -> Result<Self> {
        let n = category.entities.len();
        let fault = |reason: String| Error::Corpus { name: category.name.clone(), reason };
        if category.relations.is_empty() {
            return Err(fault("has no column except `entity`, so there is nothing to ask".into()));
        }
        if n <= shots {
            return Err(fault(format!(
                "has {n} entities, but a question with {} needs {}",
                count(shots, "shot"),
                shots + 1
            )));
        }
        let mut drawn = vec![];
        for relation in &category.relations {
            let mut rng = seed::stream("task", &format!("{}/{}", category.name, relation.name), seed);
            for _ in 0..items {
                let pairs = sample(&mut rng, n, shots + 1).into_iter();
                let pairs = pairs.map(|i| (category.entities[i].as_str(), relation.answers[i].as_str()));
                drawn.push(List::new(&relation.name, pairs));
            }
        }
        Ok(Self { name: category.name.clone(), shots, seed, lists: drawn })
    }

    /// The questions for a closed model: the same lists at every number of shots.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a grader that needs choices, which lists do not have; [`Error::Corpus`] for
    /// an answer that a list cannot contain.
    pub fn task(&self, options: &TaskOptions) -> Result<Task> {
        if options.grader.needs_choices() {
            let reason =
                format!("{} needs items with `choices`, but {} has no choices", options.grader, self.name);
            return Err(Error::Parameter { name: "--grader", reason });
        }
        // Answers are truncated at the stop sequences, so an answer that contains a stop sequence could never
        // be right.
        let pairs =
            self.lists.iter().flat_map(|list| list.pairs.iter().map(|(_, answer)| (&list.relation, answer)));
        if let Some((relation, answer)) =
            pairs.into_iter().find(|(_, a)| a.is_empty() || a.contains([',', '\n']))
        {
            let reason = format!(
                "column {relation} has the answer {answer:?}; an answer must not be empty, and must not \
                 contain a comma or line feed, because these end an answer"
            );
            return Err(Error::Corpus { name: self.name.clone(), reason });
        }
        let mut items = vec![];
        for shots in 0..=self.shots {
            let mut of_relation = ("", 0);
            for list in &self.lists {
                of_relation = (
                    list.relation.as_str(),
                    if of_relation.0 == list.relation { of_relation.1 + 1 } else { 1 },
                );
                let question = format!("{}/{}/{}", self.name, list.relation, of_relation.1);
                items.push(Item {
                    id: format!("{question}/{shots}"),
                    task: self.name.clone(),
                    shots,
                    question,
                    prompts: vec![list.prompt(shots, options.rendering)],
                    gold: vec![list.pairs[shots].1.clone()],
                    choices: vec![],
                    tolerance: None,
                    boundary: 0,
                });
            }
        }
        if let Some(reason) = items.iter().find_map(|item| options.grader.check(item).err()) {
            return Err(Error::Parameter {
                name: "--grader",
                reason: format!("{}: {} {reason}", options.grader, self.name),
            });
        }
        Ok(Task {
            name: self.name.clone(),
            sha256: self.sha256(),
            items: items.into(),
            // A turn is one answer and needs no stop sequence. Without a stop sequence, an answer that is a
            // whole sentence is stored completely.
            stops: if options.rendering == Rendering::Turns {
                vec![]
            } else {
                STOPS.map(Into::into).to_vec()
            },
            kind: TaskKind::Graded,
            notes: vec![],
        })
    }

    /// SHA-256 of the texts of all lists, each followed by a line feed.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for list in &self.lists {
            hash.update(&list.text);
            hash.update("\n");
        }
        seed::hex(&hash.finalize())
    }
}

impl List {
    /// Builds a list from (head, answer) pairs.
    pub fn new<'a>(relation: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut text, mut answers, mut kept) = (String::new(), vec![], vec![]);
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
            kept.push((head.to_owned(), answer.to_owned()));
        }
        Self { relation: relation.into(), pairs: kept, text, answers }
    }

    /// The question with `shots` examples. A text prompt ends before the blank that precedes the answer,
    /// because tokenizers treat that blank as part of the answer.
    fn prompt(&self, shots: usize, rendering: Rendering) -> Prompt {
        let text = self.text[..self.answers[shots].start].trim_end();
        let message = |role, content: &str| Message { role, content: content.into() };
        match rendering {
            Rendering::Text => Prompt::Text(text.into()),
            Rendering::Instructed => Prompt::Text(format!("{CONTINUE}\n\n{text}")),
            Rendering::Turns => {
                let mut messages = vec![message(Role::System, REPLY)];
                for (head, answer) in &self.pairs[..shots] {
                    messages.push(message(Role::User, head));
                    messages.push(message(Role::Assistant, answer));
                }
                messages.push(message(Role::User, &self.pairs[shots].0));
                Prompt::Messages(messages)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::grading::Grader;

    fn options() -> TaskOptions {
        TaskOptions { shots: 3, items: 5, seed: 1, rendering: Rendering::Text, grader: Grader::default() }
    }

    #[test]
    fn a_list_marks_each_answer_with_its_comma() {
        let list = List::new("capital", [("France", "Paris"), ("Peru", "Lima")]);
        assert_eq!(list.text, "France -> Paris, Peru -> Lima,");
        let answers: Vec<_> = list.answers.iter().map(|span| &list.text[span.clone()]).collect();
        assert_eq!(answers, ["Paris,", "Lima,"]);
    }

    #[test]
    fn every_relation_is_asked_equally_often() {
        let category = Category::load("countries").unwrap();
        let drawn = Completion::draw(&category, 4, 10, 1).unwrap();
        assert_eq!(drawn.lists.len(), 10 * category.relations.len());
        assert!(drawn.lists.iter().all(|list| list.answers.len() == 5));
        assert_eq!(drawn, Completion::draw(&category, 4, 10, 1).unwrap());
    }

    #[test]
    fn shots_are_nested_and_the_items_are_the_same_at_every_number_of_them() {
        let category = Category::load("countries").unwrap();
        let task = Completion::draw(&category, 3, 5, 1).unwrap().task(&options()).unwrap();
        let n = 5 * category.relations.len();
        assert_eq!(task.items.len(), 4 * n);
        let text = |item: &Item| match &item.prompts[0] {
            Prompt::Text(text) => text.clone(),
            Prompt::Messages(_) => panic!("a chat"),
        };
        for shots in 1..=3 {
            for i in 0..n {
                let [fewer, more] =
                    [(shots - 1) * n + i, shots * n + i].map(|number| task.items.get(number).unwrap());
                assert_eq!((fewer.question.as_str(), more.shots), (more.question.as_str(), shots));
                // The question with more shots begins with the question with fewer shots and its answer.
                assert!(
                    text(&more).starts_with(&format!("{} {},", text(&fewer), fewer.gold[0])),
                    "{}",
                    text(&more)
                );
                assert!(text(&more).ends_with("->"));
            }
        }
    }

    #[test]
    fn turns_alternate_and_end_with_the_question() {
        let list = List::new("capital", [("France", "Paris"), ("Peru", "Lima")]);
        let Prompt::Messages(messages) = list.prompt(1, Rendering::Turns) else { panic!("no chat") };
        let contents: Vec<&str> = messages[1..].iter().map(|message| message.content.as_str()).collect();
        assert_eq!(contents, ["France", "Paris", "Peru"]);
    }
}
