//! Lists the built-in tasks, and loads tasks by name or file.

use std::collections::HashSet;
use std::path::Path;

use super::completion::Completion;
use super::task::{Task, TaskOptions};
use super::texts::TEXTS;
use super::{file, texts};
use crate::corpus::Category;
use crate::corpus::category::{DEFAULT, EMBEDDED};
use crate::error::{Error, Result};
use crate::{names, seed};

/// The name that stands for the in-context tasks of all default categories.
pub const COMPLETION: &str = "completion";
/// The built-in tasks: name and description.
pub fn built_in() -> Vec<(&'static str, String)> {
    let mut rows =
        vec![(COMPLETION, format!("in-context questions about the categories {}", DEFAULT.join(", ")))];
    rows.extend(EMBEDDED.iter().map(|(name, _)| {
        (*name, "in-context questions about one category; more shots extend the same examples".to_owned())
    }));
    rows.push((
        TEXTS,
        "free texts about entities of the default categories; texts:FILE reads prompts from a file"
            .to_owned(),
    ));
    rows
}

/// Loads tasks by name or file, in order.
///
/// # Errors
/// [`Error::Unknown`] for a name that is neither a task nor a file; [`Error::Csv`] for a bad line of a file;
/// [`Error::Corpus`] for a category without usable relations; [`Error::Parameter`] if two tasks have the same
/// name or two items have the same id.
pub fn load(names: &[String], options: &TaskOptions) -> Result<Vec<Task>> {
    let mut tasks = vec![];
    for name in names {
        let known = built_in().into_iter().map(|(known, _)| known);
        // If a file exists whose name differs from the name of a task only in case, the file takes
        // precedence.
        let task = names::find(name, known, |known| known)
            .filter(|known| known == name || !Path::new(name).exists());
        match task.unwrap_or(name) {
            COMPLETION => {
                for category in DEFAULT {
                    tasks.push(completion(category, options)?);
                }
            }
            TEXTS => tasks.push(texts::built_in(options)?),
            name => tasks.push(load_one(name, options)?),
        }
    }
    let mut names = HashSet::new();
    if let Some(task) = tasks.iter().find(|task| !names.insert(&task.name)) {
        let reason = format!("{} is given twice; rename a file or omit one of the two", task.name);
        return Err(Error::Parameter { name: "TASK", reason });
    }
    // Ids are already unique within a task.
    let mut ids = HashSet::new();
    for item in tasks.iter().filter(|_| tasks.len() > 1).flat_map(|task| task.items.iter()) {
        let item = item?;
        if !ids.insert(seed::sha256_half(item.id.as_bytes())) {
            let (id, task) = (item.id, item.task);
            let reason = format!(
                "contains two items with the id {id:?}, the second in {task}; ids must be unique in a run"
            );
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
        let hint = format!(
            "it is neither a file nor a built-in task ({}); give a JSONL or CSV file",
            known.join(", ")
        );
        return Err(names::unknown("task", name, known, &hint));
    }
    // A CSV file whose first column is `entity` is a category; any other file contains items.
    if file::is_category(path)? {
        return completion(name, options);
    }
    file::load(path, Some(&options.grader))
}
