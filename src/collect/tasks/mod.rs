//! Tasks: questions with known answers, at several numbers of shots, and prompts for free texts. A task is a
//! name that is built in or a file; what is asked over the wire is its [`Item`]s.

pub(crate) mod choices;
pub mod completion;
mod file;
mod items;
mod rows;
mod texts;

use std::collections::HashSet;
use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use self::completion::{Completion, List};
pub use self::items::Items;
use super::grading::grade::Grader;
use crate::corpus::Category;
use crate::corpus::category::EMBEDDED;
use crate::error::{Error, Result};
use crate::provider::Prompt;
use crate::seed;

/// One question, as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name, distinct among all items of a run.
    pub id: String,
    /// The task it belongs to.
    pub task: String,
    /// Examples shown before the question.
    pub shots: usize,
    /// The same for one question at every number of shots: what is paired when these are compared.
    pub question: String,
    /// What is sent: one prompt; or one for each choice, each ending in its choice, where choices are
    /// compared by log-probability.
    pub prompts: Vec<Prompt>,
    /// Right answers: any of them is right. Empty where there is no right or wrong.
    pub gold: Vec<String>,
    /// What can be chosen from, if the item is multiple choice.
    pub choices: Vec<String>,
    /// Number of characters before the choice in prompts that end in one.
    pub boundary: usize,
}

/// The questions of one name or file.
#[derive(Debug)]
pub struct Task {
    /// The category's name, or the file's stem.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its questions, those with the fewest shots first.
    pub items: Items,
    /// Texts that end an answer: sent where the provider takes them, and cut at when the answer is graded.
    pub stops: Vec<String>,
    /// Whether answers are right or wrong; if not, they are texts to be kept.
    pub graded: bool,
    /// What the user should know of the file.
    pub notes: Vec<String>,
}

/// How tasks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskOptions {
    /// Most shots of in-context tasks; all numbers from 0 are asked.
    pub shots: usize,
    /// Lists per relation of in-context tasks; prompts per category of texts.
    pub items: usize,
    /// Seed of what is drawn.
    pub seed: u64,
    /// How in-context questions are put.
    pub rendering: Rendering,
    /// How answers will be graded: some ways need prompts of their own.
    pub grader: Grader,
}

/// How an in-context question is put. It changes what is measured, and is recorded with every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Rendering {
    /// The bare text, to be continued.
    Text,
    /// The text after an instruction to give the next answer alone.
    Instructed,
    /// Shots as turns of a chat, after the instruction.
    Turns,
}

/// The name of all in-context tasks together.
pub const COMPLETION: &str = "completion";
/// The name of the task that collects free texts; `texts:FILE` takes the prompts of a file.
pub const TEXTS: &str = "texts";

/// The tasks that are built in: name, and what is asked.
pub fn built_in() -> Vec<(&'static str, String)> {
    let mut rows = vec![(COMPLETION, "all in-context tasks below".to_owned())];
    rows.extend(
        EMBEDDED
            .iter()
            .map(|(name, _)| (*name, "in-context answers of one category, nested shots".to_owned())),
    );
    rows.push((
        TEXTS,
        "free texts, about the entities of all categories; texts:FILE takes your own prompts".to_owned(),
    ));
    rows
}

/// Loads tasks by name or file, in order.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Csv`] for a bad line of a file, [`Error::Corpus`] for a category that cannot
/// be asked about, and [`Error::Parameter`] if two tasks or two items have one name.
pub fn load(names: &[String], options: &TaskOptions) -> Result<Vec<Task>> {
    let mut tasks = vec![];
    for name in names {
        match name.as_str() {
            COMPLETION => {
                for (category, _) in EMBEDDED {
                    tasks.push(completion(category, options)?);
                }
            }
            TEXTS => tasks.push(texts::built_in(options)?),
            name => tasks.push(load_one(name, options)?),
        }
    }
    let mut names = HashSet::new();
    if let Some(task) = tasks.iter().find(|task| !names.insert(&task.name)) {
        let reason = format!("{} is given twice; rename a file or leave one out", task.name);
        return Err(Error::Parameter { name: "TASK", reason });
    }
    // Within a task they are distinct already.
    let mut ids = HashSet::new();
    for item in tasks.iter().filter(|_| tasks.len() > 1).flat_map(|task| task.items.iter()) {
        let item = item?;
        if !ids.insert(seed::sha256_half(item.id.as_bytes())) {
            let (id, task) = (item.id, item.task);
            let reason =
                format!("holds two items of the id {id:?}, the second in {task}; ids are distinct in a run");
            return Err(Error::Parameter { name: "TASK", reason });
        }
    }
    Ok(tasks)
}

fn completion(category: &str, options: &TaskOptions) -> Result<Task> {
    Completion::draw(&Category::load(category)?, options.shots, options.items, options.seed)?.task(options)
}

fn load_one(name: &str, options: &TaskOptions) -> Result<Task> {
    if let Some(file) = name.strip_prefix("texts:") {
        return file::load(Path::new(file), None);
    }
    if EMBEDDED.iter().any(|(known, _)| *known == name) {
        return completion(name, options);
    }
    let path = Path::new(name);
    if !path.is_file() {
        let known: Vec<&str> = built_in().iter().map(|(name, _)| *name).collect();
        let hint = format!("it is no file, and built in are {}; give a JSONL or CSV file", known.join(", "));
        return Err(Error::Unknown { kind: "task", name: name.into(), hint });
    }
    // A CSV file whose first column is `entity` is a category; all else is items.
    if file::is_category(path)? {
        return completion(name, options);
    }
    file::load(path, Some(options.grader))
}
