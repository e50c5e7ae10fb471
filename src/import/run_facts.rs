//! Provides helpers for all importers. They read the model, the number of shots and the date of a run, name
//! its tasks, and check whether the run is complete.

use std::path::Path;

use serde_json::Value;

use super::imported::{ImportOptions, Imported};
use super::keys::is_suspect;
use crate::error::{Error, Result};
use crate::provider::json;

/// Maximum number of characters that are copied from a text.
const LONGEST: usize = 500;

/// Metrics that are shares of correct answers, with their names in several tools.
static SHARES: &[&str] = &[
    "acc",
    "accuracy",
    "acc_norm",
    "correct",
    "em",
    "exact_match",
    "pass_at_1",
    "pass@1",
    "pass_rate",
    "prefix_exact_match",
    "quasi_exact_match",
    "quasi_prefix_exact_match",
];

pub(super) fn fault(path: &Path, reason: impl Into<String>) -> Error {
    Error::Foreign { path: path.into(), reason: reason.into() }
}

/// Parses a file with one JSON value per line.
pub(super) fn json_lines(path: &Path, bytes: &[u8]) -> Result<Vec<Value>> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    let full = lines.filter(|(_, text)| !text.trim_ascii().is_empty());
    full.map(|(line, text)| {
        let fault = |reason| Error::Csv { path: path.into(), line, reason };
        json::read(text).map_err(|why| fault(format!("{why}; the file may be truncated")))
    })
    .collect()
}

/// Reads a grade from 0 to 1: a boolean or a number.
pub(super) fn share(value: &Value) -> Option<f64> {
    let number = value.as_bool().map(|right| f64::from(u8::from(right))).or_else(|| value.as_f64());
    number.filter(|number| (0.0..=1.0).contains(number))
}

/// The name of the model: the name that the user gives, or else the name in the file.
pub(super) fn model(path: &Path, named: Option<&str>, options: &ImportOptions) -> Result<String> {
    if let Some(model) = &options.model {
        return Ok(model.clone());
    }
    let named = named.map(str::trim).filter(|name| !name.is_empty());
    let model = named.ok_or_else(|| fault(path, "does not name the model; give the name with --model"))?;
    if is_suspect(model) {
        return Err(fault(path, "has a model name that may contain a key; give another name with --model"));
    }
    Ok(model.into())
}

/// Splits a name such as `openai/gpt-5` into provider and model. If the name has no slash, the provider is
/// `otherwise`.
pub(super) fn provider_and_model<'a>(name: &'a str, otherwise: &'a str) -> (&'a str, &'a str) {
    let (provider, model) = name.split_once('/').filter(|(_, model)| !model.is_empty()).unwrap_or(("", name));
    (if provider.is_empty() { otherwise } else { provider }, model)
}

/// The number of shots: the number that the user gives, or else the number in the file. If both are missing,
/// returns 0 and adds a note.
pub(super) fn shots(
    path: &Path,
    stated: Option<usize>,
    options: &ImportOptions,
    all: &mut Imported,
) -> usize {
    options.shots.or(stated).unwrap_or_else(|| {
        let file = path.display();
        let note = format!(
            "{file} does not state the number of shots; 0 is assumed (to set the number, use --shots)"
        );
        if !all.notes.contains(&note) {
            all.notes.push(note);
        }
        0
    })
}

/// Finds the number of shots in the arguments of a task, under any of the usual names of this argument.
pub(super) fn shots_among(arguments: &Value) -> Option<usize> {
    const NAMES: [&str; 7] =
        ["fewshot", "num_fewshot", "n_fewshot", "num_few_shot", "n_shot", "n_shots", "shots"];
    let stated = NAMES.iter().find_map(|name| match &arguments[*name] {
        Value::String(text) => text.trim().parse().ok(),
        other => json::count(other),
    });
    stated.and_then(|shots| usize::try_from(shots).ok())
}

/// Returns an error for a run that evaluated only a part of its task, unless `--limited` is given. `part` is
/// the reason.
pub(super) fn check_whole(path: &Path, part: Option<String>, options: &ImportOptions) -> Result<()> {
    match part {
        Some(part) if !options.limited => {
            Err(fault(path, format!("{part}; pass --limited to import the file anyway")))
        }
        _ => Ok(()),
    }
}

/// The name of a task. If the task has several scores (`of` is above 1), the metric becomes part of the name.
pub(super) fn task_name(task: &str, metric: &str, of: usize) -> String {
    if of == 1 { task.into() } else { format!("{task}/{metric}") }
}

/// Whether to import a metric. If the user requests no metric, all shares of correct answers are imported.
pub(super) fn is_wanted(metric: &str, options: &ImportOptions) -> bool {
    match &options.metric {
        Some(wanted) => wanted == metric,
        None => SHARES.contains(&metric.to_ascii_lowercase().replace([' ', '-'], "_").as_str()),
    }
}

/// Converts a date to RFC 3339 in UTC. The date may be a string or a number of seconds since 1970.
pub(super) fn date(value: &Value) -> Option<String> {
    let second = |seconds: f64| jiff::Timestamp::from_second(seconds as i64).ok();
    let at = match value {
        Value::String(text) => {
            let text = text.trim();
            if text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok() {
                return Some(text.into());
            }
            let iso = text.replacen(' ', "T", 1);
            let parsed = iso.parse().or_else(|_| format!("{iso}Z").parse());
            parsed.ok().or_else(|| second(text.parse().ok()?))
        }
        other => second(other.as_f64()?),
    };
    at.map(|at: jiff::Timestamp| at.to_string())
}

/// The first [`LONGEST`] characters of a text.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// Returns an error if the mean of the answers differs from the stated result.
pub(super) fn check_mean(path: &Path, task: &str, answers: Option<f64>, results: Option<f64>) -> Result<()> {
    match (answers, results) {
        // Summation in a different order changes only the last digits.
        (Some(answers), Some(results)) if (answers - results).abs() > 1e-6 => Err(fault(
            path,
            format!(
                "the answers to {task} have the mean {answers}, but its results state {results}; the file \
                 may be incomplete or changed"
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_of_every_tool_become_one_form() {
        for (written, read) in [
            (json!("2026-11-29T23:33:06+00:00"), "2026-11-29T23:33:06Z"),
            (json!("2026-11-29 23:33:06.5+00:00"), "2026-11-29T23:33:06.5Z"),
            (json!("2026-11-29 23:33:06"), "2026-11-29T23:33:06Z"),
            (json!("1770682486.62"), "2026-02-10T00:14:46Z"),
            (json!(1770682486), "2026-02-10T00:14:46Z"),
        ] {
            assert_eq!(date(&written).as_deref(), Some(read), "{written}");
        }
        assert_eq!((date(&json!("soon")), date(&json!(null)), date(&json!(1e300))), (None, None, None));
    }
}
