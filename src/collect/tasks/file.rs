//! A user's own items: JSONL or CSV with `id`, `prompt` or `messages`, `answer` or `answers`, `choices`, and
//! where there are any, `shots` and `question`. Whatever is wrong in a file is told with its line before
//! anything is asked.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;

use super::items::{FileItems, ItemSpan};
use super::rows;
use super::rows::SourceRow;
use super::{Item, Task, choices};
use crate::collect::grading::grade::Grader;
use crate::error::{Error, Result};
use crate::provider::{Message, Prompt};

/// Members that are read; others are the user's own.
const KNOWN: [&str; 8] = ["id", "prompt", "messages", "answer", "answers", "choices", "shots", "question"];
/// No model is shown more.
const MOST_SHOTS: u64 = 100_000;
/// What may stand before the first column's name.
const HEAD_BYTES: u64 = 4096;

/// What the rows of a file are read as.
#[derive(Debug, Clone)]
pub(crate) struct RowFormat {
    /// The task they belong to.
    pub(crate) task: String,
    /// How answers will be graded; `None` for prompts whose answers are kept as texts.
    pub(crate) grader: Option<Grader>,
}

/// Whether a file is a category: a CSV file whose first column is `entity`.
pub(crate) fn is_category(path: &Path) -> Result<bool> {
    let mut bytes = vec![];
    let file = std::fs::File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    file.take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Read { path: path.into(), source })?;
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    let rest = start.strip_prefix(b"\"").unwrap_or(start).strip_prefix(b"entity");
    Ok(rest.is_some_and(|rest| matches!(rest.first(), None | Some(b',' | b'"' | b'\r' | b'\n'))))
}

/// Reads a file of items once, and keeps where each is. Every one is made, so that whatever is wrong is found
/// before anything is asked.
///
/// # Errors
/// [`Error::Read`]; [`Error::Csv`] with the line that is at fault.
pub(crate) fn load(path: &Path, grader: Option<Grader>) -> Result<Task> {
    let name = path.file_stem().map_or_else(|| "items".into(), |stem| stem.to_string_lossy().into_owned());
    let reading = RowFormat { task: name.clone(), grader };
    let file = std::fs::File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let again = file.try_clone().map_err(|source| Error::Read { path: path.into(), source })?;
    let (mut places, mut shots, mut ids, mut others) = (vec![], vec![], vec![], BTreeSet::new());
    let whole = rows::read(path, again, |row| {
        others.extend(row.members.keys().filter(|name| !KNOWN.contains(&name.as_str())).cloned());
        let n_bytes = u32::try_from(row.n_bytes).map_err(|_| row.fault(path, "is longer than 4 GiB"))?;
        let item = row.item(path, &reading)?;
        ids.push((hash(&item.id), places.len()));
        shots.push(item.shots as u32);
        places.push(ItemSpan { offset: row.offset, n_bytes, crc: row.crc });
        Ok(())
    })?;
    if places.is_empty() {
        return Err(rows::fault(path, 0, "has no item below its header".into()));
    }
    let mut filed =
        FileItems { path: path.into(), file: Mutex::new(file), form: whole.form, reading, places };
    check_ids(&filed, ids)?;
    // Fewest shots first, as in every task; otherwise in the order of the file.
    if shots.iter().any(|n| *n > 0) {
        let mut order: Vec<usize> = (0..shots.len()).collect();
        order.sort_by_key(|number| shots[*number]);
        filed.places = order.into_iter().map(|number| filed.places[number]).collect();
    }
    filed.places.shrink_to_fit();
    let others: Vec<String> = others.into_iter().collect();
    let note =
        format!("{}: {} not read; surmise reads {}", path.display(), others.join(", "), KNOWN.join(", "));
    let notes = if others.is_empty() { vec![] } else { vec![note] };
    let graded = grader.is_some();
    Ok(Task { name, sha256: whole.sha256, items: filed.into(), stops: vec![], graded, notes })
}

fn hash(id: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    id.hash(&mut hash);
    hash.finish()
}

/// Refuses a file two of whose items have one id. Of each id 64 bits were kept, with the number of its item;
/// those that share them are read again.
fn check_ids(filed: &FileItems, mut ids: Vec<(u64, usize)>) -> Result<()> {
    ids.sort_unstable();
    let mut earliest: Option<(usize, usize, String)> = None;
    for pair in ids.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (first, second) = (pair[0].1, pair[1].1);
        let id = filed.get(second)?.id;
        if earliest.as_ref().is_none_or(|(earliest, ..)| second < *earliest) && filed.get(first)?.id == id {
            earliest = Some((second, first, id));
        }
    }
    let Some((second, first, id)) = earliest else { return Ok(()) };
    let line = rows::line_of(&filed.path, filed.places[first].offset).unwrap_or(1);
    let reason = format!("has the id {id:?} of line {line}; give each item a name of its own");
    Err(rows::fault(&filed.path, filed.places[second].offset, reason))
}

impl SourceRow {
    fn prompt(&self, path: &Path) -> Result<Prompt> {
        match (self.members.get("prompt"), self.members.get("messages")) {
            (Some(_), Some(_)) => Err(self.fault(path, "has both `prompt` and `messages`; leave one out")),
            (None, None) => Err(self.fault(path, "has no `prompt` and no `messages`")),
            (Some(Value::String(text)), None) => Ok(Prompt::Text(text.clone())),
            (Some(_), None) => Err(self.fault(path, "has a `prompt` that is no text")),
            (None, Some(messages)) => {
                let form = |error| {
                    self.fault(
                        path,
                        format!(
                            "has `messages` that are not [{{\"role\": \"user\", \"content\": \"...\"}}] \
                             ({error})"
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

    /// The item it is.
    ///
    /// # Errors
    /// [`Error::Csv`]
    pub(crate) fn item(&self, path: &Path, reading: &RowFormat) -> Result<Item> {
        let id = self.members.get("id").and_then(plain).filter(|id| !id.trim().is_empty());
        let id = id.ok_or_else(|| self.fault(path, "has no `id`; give each item a name of its own"))?;
        let prompts = vec![self.prompt(path)?];
        let mut item = Item {
            question: id.clone(),
            id,
            task: reading.task.clone(),
            shots: 0,
            prompts,
            gold: vec![],
            choices: vec![],
            boundary: 0,
        };
        let Some(grader) = reading.grader else { return Ok(item) };
        if let Some(list) = self.members.get("choices") {
            item.choices = self.texts(path, "choices", list)?;
        }
        item.gold = match (self.members.get("answer"), self.members.get("answers")) {
            (Some(_), Some(_)) => {
                return Err(self.fault(path, "has both `answer` and `answers`; leave one out"));
            }
            (None, None) => {
                return Err(self.fault(
                    path,
                    "has no `answer` and no `answers`: nothing can be graded; for free texts give texts:FILE",
                ));
            }
            (Some(answer), None) => vec![self.answer(path, answer, &item.choices)?],
            (None, Some(list)) => self.texts(path, "answers", list)?,
        };
        if let Some(value) = self.members.get("shots") {
            let n =
                plain(value).and_then(|text| text.trim().parse::<u64>().ok()).filter(|n| *n <= MOST_SHOTS);
            item.shots =
                n.ok_or_else(|| self.fault(path, "has `shots` that are no number of examples"))? as usize;
        }
        if let Some(question) = self.members.get("question").and_then(plain) {
            item.question = question;
        }
        choices::render(&mut item, grader).map_err(|reason| self.fault(path, reason))?;
        Ok(item)
    }

    /// A right answer: a text; or the number of a choice from 0, or its letter, where the text is none of the
    /// choices.
    fn answer(&self, path: &Path, answer: &Value, choices: &[String]) -> Result<String> {
        let text = plain(answer)
            .ok_or_else(|| self.fault(path, "has an `answer` that is no text; give several as `answers`"))?;
        if text.trim().is_empty() {
            return Err(self.fault(path, "has an `answer` that is empty or blank; nothing would be right"));
        }
        if choices.is_empty() || choices.contains(&text) {
            return Ok(text);
        }
        // Where choices are numbers themselves, a number is one of them or a mistake.
        let numbers = choices.iter().any(|choice| choice.trim().parse::<f64>().is_ok());
        let number = || text.parse::<usize>().ok().filter(|_| !numbers);
        let index = choices::letter_index(&text).or_else(number);
        let none = || {
            self.fault(
                path,
                format!(
                    "has the answer {text:?}, which is none of its choices, nor the letter or number (from \
                     0) of one"
                ),
            )
        };
        index.and_then(|index| choices.get(index)).cloned().ok_or_else(none)
    }

    fn texts(&self, path: &Path, name: &str, list: &Value) -> Result<Vec<String>> {
        let texts: Option<Vec<String>> = list.as_array().and_then(|list| list.iter().map(plain).collect());
        let texts =
            texts.filter(|texts| !texts.is_empty() && texts.iter().all(|text| !text.trim().is_empty()));
        texts.ok_or_else(|| {
            self.fault(path, format!("has `{name}` that are no list of texts, or one of them is empty"))
        })
    }
}

/// A text, or a number or truth value as it is written.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
