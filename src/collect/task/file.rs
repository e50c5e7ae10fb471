//! A user's own items: JSONL or CSV with `id`, `prompt` or `messages`, `answer` or `answers`, `choices`, and where there are any, `shots` and
//! `question`. Whatever is wrong in a file is told with its line before anything is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;

use super::{Item, Task, choices};
use crate::collect::grade::Grader;
use crate::corpus::category::{Lines, malformed};
use crate::error::{Error, Result};
use crate::provider::{Message, Prompt};
use crate::seed;

/// Members that are read; others are the user's own.
const KNOWN: [&str; 8] = ["id", "prompt", "messages", "answer", "answers", "choices", "shots", "question"];
/// No model is shown more.
const MOST_SHOTS: u64 = 100_000;

/// A file, line by line.
pub(super) struct Rows {
    pub(super) sha256: String,
    pub(super) rows: Vec<Row>,
    /// Names of members that are not read.
    pub(super) others: BTreeSet<String>,
}

/// One line, not yet an item.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) id: String,
    members: BTreeMap<String, Value>,
}

/// Whether a file is a category: a CSV file whose first column is `entity`.
pub(super) fn is_category(path: &Path) -> Result<bool> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    let rest = start.strip_prefix(b"\"").unwrap_or(start).strip_prefix(b"entity");
    Ok(rest.is_some_and(|rest| matches!(rest.first(), None | Some(b',' | b'"' | b'\r' | b'\n'))))
}

/// Reads items with answers.
///
/// # Errors
/// [`Error::Read`]; [`Error::Csv`] with the line that is at fault.
pub(super) fn load(path: &Path, grader: Grader) -> Result<Task> {
    let rows = read(path)?;
    let mut task = task(path, &rows);
    for row in rows.rows {
        let item = row.item(path, &task.name, grader)?;
        task.items.push(item);
    }
    // Fewest shots first, as in every task; otherwise in the order of the file.
    task.items.sort_by_key(|item| item.shots);
    Ok(task)
}

/// The task of a file, without its items.
pub(super) fn task(path: &Path, rows: &Rows) -> Task {
    let name = path.file_stem().map_or_else(|| "items".into(), |stem| stem.to_string_lossy().into_owned());
    let others: Vec<&str> = rows.others.iter().map(String::as_str).collect();
    let note = format!("{}: {} not read; surmise reads {}", path.display(), others.join(", "), KNOWN.join(", "));
    let notes = if others.is_empty() { vec![] } else { vec![note] };
    Task { name, sha256: rows.sha256.clone(), items: vec![], stops: vec![], graded: true, notes }
}

/// Reads the lines of a JSONL or CSV file; ids are there and distinct.
pub(super) fn read(path: &Path) -> Result<Rows> {
    let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let found = match text.trim_ascii_start().first() {
        None => return Err(fault(1, "is empty; give one item a line".into())),
        Some(b'{') => json_lines(path, text)?,
        Some(b'[') => {
            return Err(fault(
                1,
                "begins a JSON list; give one object a line, without brackets and commas around them".into(),
            ));
        }
        Some(_) => csv_rows(path, text)?,
    };
    let (mut rows, mut others, mut seen) = (vec![], BTreeSet::new(), HashMap::new());
    for (line, mut members) in found {
        // A cell without content is a member that is not there.
        members.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
        others.extend(members.keys().filter(|name| !KNOWN.contains(&name.as_str())).cloned());
        let id = members.get("id").and_then(plain).filter(|id| !id.trim().is_empty());
        let id = id.ok_or_else(|| fault(line, "has no `id`; give each item a name of its own".into()))?;
        if let Some(first) = seen.insert(id.clone(), line) {
            return Err(fault(line, format!("has the id {id:?} of line {first}; give each item a name of its own")));
        }
        rows.push(Row { line, id, members });
    }
    if rows.is_empty() {
        return Err(fault(1, "has no item below its header".into()));
    }
    Ok(Rows { sha256: seed::sha256_hex(&bytes), rows, others })
}

type Members = BTreeMap<String, Value>;

fn json_lines(path: &Path, bytes: &[u8]) -> Result<Vec<(u64, Members)>> {
    let mut rows = vec![];
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            fault(format!("is not UTF-8 at byte {} of the line; save the file as UTF-8", error.valid_up_to()))
        })?;
        let value: Value = serde_json::from_str(text).map_err(|error| fault(format!("is no JSON object ({error})")))?;
        let Value::Object(members) = value else { return Err(fault("is JSON, but no object".into())) };
        rows.push((line, members.into_iter().collect()));
    }
    Ok(rows)
}

fn csv_rows(path: &Path, bytes: &[u8]) -> Result<Vec<(u64, Members)>> {
    let malformed = |error: csv::Error| malformed(path, bytes, &error);
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(malformed)?.clone();
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
    if let Some(twice) = names.iter().enumerate().find_map(|(i, name)| names[..i].contains(name).then_some(name)) {
        return Err(fault(1, format!("names the column `{twice}` twice")));
    }
    if !names.contains(&"id") {
        return Err(fault(
            1,
            "has no column `id`; the columns are id, prompt or messages, answer or answers, choices".into(),
        ));
    }
    let (mut rows, mut lines) = (vec![], Lines::new(bytes));
    for row in reader.records() {
        let row = row.map_err(malformed)?;
        let line = lines.of(row.position());
        let mut members = Members::new();
        for (name, cell) in names.iter().zip(&row) {
            // Cells hold text; where a list is asked for, it is written as JSON.
            let listed = matches!(*name, "messages" | "answers" | "choices") && !cell.is_empty();
            let value = if listed {
                serde_json::from_str(cell)
                    .map_err(|error| fault(line, format!("has {name} that are no JSON list ({error})")))?
            } else {
                Value::String(cell.into())
            };
            members.insert((*name).into(), value);
        }
        rows.push((line, members));
    }
    Ok(rows)
}

impl Row {
    fn fault(&self, path: &Path, reason: impl Into<String>) -> Error {
        Error::Csv { path: path.into(), line: self.line, reason: reason.into() }
    }

    /// What is asked.
    ///
    /// # Errors
    /// [`Error::Csv`]
    pub(super) fn prompt(&self, path: &Path) -> Result<Prompt> {
        match (self.members.get("prompt"), self.members.get("messages")) {
            (Some(_), Some(_)) => Err(self.fault(path, "has both `prompt` and `messages`; leave one out")),
            (None, None) => Err(self.fault(path, "has no `prompt` and no `messages`")),
            (Some(Value::String(text)), None) => Ok(Prompt::Text(text.clone())),
            (Some(_), None) => Err(self.fault(path, "has a `prompt` that is no text")),
            (None, Some(messages)) => {
                let form = |error| {
                    self.fault(
                        path,
                        format!("has `messages` that are not [{{\"role\": \"user\", \"content\": \"...\"}}] ({error})"),
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

    fn item(&self, path: &Path, task: &str, grader: Grader) -> Result<Item> {
        let listed = self.members.get("choices").map(|list| self.texts(path, "choices", list)).transpose()?;
        let choices = listed.unwrap_or_default();
        let gold = match (self.members.get("answer"), self.members.get("answers")) {
            (Some(_), Some(_)) => return Err(self.fault(path, "has both `answer` and `answers`; leave one out")),
            (None, None) => {
                return Err(self.fault(
                    path,
                    "has no `answer` and no `answers`: nothing can be graded; for free texts give texts:FILE",
                ));
            }
            (Some(answer), None) => vec![self.answer(path, answer, &choices)?],
            (None, Some(list)) => self.texts(path, "answers", list)?,
        };
        let shots = match self.members.get("shots") {
            None => 0,
            Some(value) => {
                let n = plain(value).and_then(|text| text.trim().parse::<u64>().ok()).filter(|n| *n <= MOST_SHOTS);
                n.ok_or_else(|| self.fault(path, "has `shots` that are no number of examples"))? as usize
            }
        };
        let question = self.members.get("question").and_then(plain).unwrap_or_else(|| self.id.clone());
        let mut item = Item {
            id: self.id.clone(),
            task: task.into(),
            shots,
            question,
            prompts: vec![self.prompt(path)?],
            gold,
            choices,
            boundary: 0,
        };
        choices::render(&mut item, grader).map_err(|reason| self.fault(path, reason))?;
        Ok(item)
    }

    /// A right answer: a text; or the number of a choice from 0, or its letter, where the text is none of the choices.
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
                    "has the answer {text:?}, which is none of its choices, nor the letter or number (from 0) of one"
                ),
            )
        };
        index.and_then(|index| choices.get(index)).cloned().ok_or_else(none)
    }

    fn texts(&self, path: &Path, name: &str, list: &Value) -> Result<Vec<String>> {
        let texts: Option<Vec<String>> = list.as_array().and_then(|list| list.iter().map(plain).collect());
        let texts = texts.filter(|texts| !texts.is_empty() && texts.iter().all(|text| !text.trim().is_empty()));
        texts
            .ok_or_else(|| self.fault(path, format!("has `{name}` that are no list of texts, or one of them is empty")))
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
