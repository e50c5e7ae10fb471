//! Builds an item from a row of a user's file.

use std::path::Path;

use serde_json::Value;

use super::choices;
use super::rows::SourceRow;
use crate::collect::grading::Grader;
use crate::collect::grading::rules::letter::letter_index;
use crate::collect::grading::rules::number::check_tolerance;
use crate::collect::item::Item;
use crate::error::Result;
use crate::provider::{Message, Prompt};

/// Largest accepted number of shots.
const MOST_SHOTS: u64 = 100_000;

/// How the rows of a file are interpreted.
#[derive(Debug, Clone)]
pub(crate) struct RowFormat {
    /// The task that the rows belong to.
    pub(crate) task: String,
    /// The grader; `None` for prompts of free texts.
    pub(crate) grader: Option<Grader>,
}

impl SourceRow {
    fn prompt(&self, path: &Path) -> Result<Prompt> {
        match (self.members.get("prompt"), self.members.get("messages")) {
            (Some(_), Some(_)) => {
                Err(self.fault(path, "has both `prompt` and `messages`; remove one of them"))
            }
            (None, None) => Err(self.fault(path, "has neither `prompt` nor `messages`; give one of them")),
            (Some(Value::String(text)), None) => Ok(Prompt::Text(text.clone())),
            (Some(_), None) => Err(self.fault(path, "has a `prompt` that is not a string")),
            (None, Some(messages)) => {
                let form = |error| {
                    self.fault(
                        path,
                        format!(
                            "has `messages` that is not a list such as [{{\"role\": \"user\", \"content\": \
                             \"...\"}}] ({error})"
                        ),
                    )
                };
                let messages: Vec<Message> = serde_json::from_value(messages.clone()).map_err(form)?;
                if messages.is_empty() {
                    return Err(self.fault(path, "has no message in `messages`"));
                }
                Ok(Prompt::Messages(messages))
            }
        }
    }

    /// Builds the item of this row.
    ///
    /// # Errors
    /// [`Error::Csv`] with the number of the line.
    pub(crate) fn item(&self, path: &Path, reading: &RowFormat) -> Result<Item> {
        let id = self.members.get("id").and_then(plain).filter(|id| !id.trim().is_empty());
        let id = id.ok_or_else(|| self.fault(path, "has no `id`; give each item a unique id"))?;
        let prompts = vec![self.prompt(path)?];
        let mut item = Item {
            question: id.clone(),
            id,
            task: reading.task.clone(),
            shots: 0,
            prompts,
            gold: vec![],
            choices: vec![],
            tolerance: None,
            boundary: 0,
        };
        let Some(grader) = &reading.grader else { return Ok(item) };
        if let Some(list) = self.members.get("choices") {
            item.choices = self.texts(path, "choices", list)?;
        }
        item.gold = match (self.members.get("answer"), self.members.get("answers")) {
            (Some(_), Some(_)) => {
                return Err(self.fault(path, "has both `answer` and `answers`; remove one of them"));
            }
            (None, None) => {
                return Err(self.fault(
                    path,
                    "has neither `answer` nor `answers`, so it cannot be graded; to collect free texts, give \
                     texts:FILE",
                ));
            }
            (Some(answer), None) => vec![self.answer(path, answer, &item.choices)?],
            (None, Some(list)) => {
                let texts = self.texts(path, "answers", list)?;
                let choice = |text: String| match choice_of(&text, &item.choices) {
                    Some(choice) if !item.choices.contains(&text) => choice.clone(),
                    _ => text,
                };
                texts.into_iter().map(choice).collect()
            }
        };
        if let Some(value) = self.members.get("shots") {
            let n =
                plain(value).and_then(|text| text.trim().parse::<u64>().ok()).filter(|n| *n <= MOST_SHOTS);
            item.shots = n.ok_or_else(|| {
                self.fault(path, "has `shots` that is not a whole number of examples, such as 5")
            })? as usize;
        }
        if let Some(tolerance) =
            self.members.get("tolerance").and_then(plain).filter(|t| !t.trim().is_empty())
        {
            check_tolerance(&tolerance).map_err(|why| {
                self.fault(path, format!("has an invalid `tolerance`: the grader number {why}"))
            })?;
            item.tolerance = Some(tolerance);
        }
        if let Some(question) = self.members.get("question").and_then(plain) {
            item.question = question;
        }
        choices::render(&mut item, grader).map_err(|reason| self.fault(path, reason))?;
        Ok(item)
    }

    /// Reads the right answer of a row. If the item has choices, the answer must be a choice, or the letter
    /// or the number (from 0) of a choice.
    fn answer(&self, path: &Path, answer: &Value, choices: &[String]) -> Result<String> {
        let text = plain(answer).ok_or_else(|| {
            self.fault(
                path,
                "has an `answer` that is not a string, number or boolean; give several answers \
                              as `answers`",
            )
        })?;
        if text.trim().is_empty() {
            return Err(self.fault(
                path,
                "has an `answer` that is empty or blank, so no answer of a model could be right",
            ));
        }
        if choices.is_empty() || choices.contains(&text) {
            return Ok(text);
        }
        let none = || {
            self.fault(
                path,
                format!(
                    "has the answer {text:?}, which is neither a choice nor the letter or the number (from \
                     0) of a choice"
                ),
            )
        };
        choice_of(&text, choices).cloned().ok_or_else(none)
    }

    fn texts(&self, path: &Path, name: &str, list: &Value) -> Result<Vec<String>> {
        let texts: Option<Vec<String>> = list.as_array().and_then(|list| list.iter().map(plain).collect());
        let texts =
            texts.filter(|texts| !texts.is_empty() && texts.iter().all(|text| !text.trim().is_empty()));
        texts.ok_or_else(|| self.fault(path, format!("has `{name}` that is not a list of non-empty strings")))
    }
}

/// The choice with a given letter, or with a given number from 0. If any choice is itself a number, a number
/// does not select a choice by position.
fn choice_of<'a>(text: &str, choices: &'a [String]) -> Option<&'a String> {
    let numbers = choices.iter().any(|choice| choice.trim().parse::<f64>().is_ok());
    let number = || text.parse::<usize>().ok().filter(|_| !numbers);
    let bare = text.trim().trim_matches(['(', ')', '.']);
    letter_index(bare).or_else(number).and_then(|index| choices.get(index))
}

/// The text of a string, a number or a boolean; `None` for other values.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
