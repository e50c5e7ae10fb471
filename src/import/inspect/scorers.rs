//! Reads the scores of the samples and groups them by scorer. If the value of a scorer is an object, each
//! member is a separate score.

use std::collections::BTreeMap;

use serde_json::Value;

use super::log::Sample;
use crate::collect::grading::{Grade, GradeKind};
use crate::collect::results::ItemRow;
use crate::collect::results::facts::with_facts;
use crate::import::answers::{grade, row};
use crate::import::keys::KeyRedaction;
use crate::import::run_facts::{clipped, date};
use crate::provider::json;

/// The interpretation of a scorer's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Credit {
    /// A share from 0 to 1.
    Share(f64),
    /// The scorer found no answer.
    NoAnswer,
    /// The value is NaN or missing.
    Unscored,
    /// The value is not a share of correct answers.
    Other,
}

impl Credit {
    /// Reads a value by Inspect's convention: `C`, `I`, `P` and `N` mean correct, incorrect, partial and no
    /// answer.
    pub(super) fn of(value: &Value) -> Self {
        let share =
            |number: f64| if (0.0..=1.0).contains(&number) { Self::Share(number) } else { Self::Other };
        match value {
            Value::Null => Self::Unscored,
            Value::Bool(right) => Self::Share(f64::from(u8::from(*right))),
            Value::Number(number) => number.as_f64().map_or(Self::Other, share),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "c" | "yes" | "true" => Self::Share(1.0),
                "i" | "no" | "false" => Self::Share(0.0),
                "p" => Self::Share(0.5),
                "n" => Self::NoAnswer,
                "nan" => Self::Unscored,
                other => other.parse().map_or(Self::Other, share),
            },
            Value::Array(_) | Value::Object(_) => Self::Other,
        }
    }

    /// The value that Inspect averages. Inspect counts a missing answer as wrong.
    fn averaged(self) -> Option<f64> {
        match self {
            Self::Share(share) => Some(share),
            Self::NoAnswer => Some(0.0),
            Self::Unscored | Self::Other => None,
        }
    }
}

/// The answers as graded by one scorer.
#[derive(Debug, Default)]
pub(super) struct Scorer {
    pub(super) rows: Vec<ItemRow>,
    /// For each row, the value over which Inspect averages in its results; `None` if Inspect leaves the row
    /// out.
    pub(super) averaged: Vec<Option<f64>>,
    /// Number of values that are not shares of correct answers.
    pub(super) n_other: usize,
}

/// All scorers of the samples, sorted by name.
pub(super) fn scorers(samples: &[Sample], keys: &mut KeyRedaction) -> BTreeMap<String, Scorer> {
    let mut scorers: BTreeMap<String, Scorer> = BTreeMap::new();
    for sample in samples {
        for (name, _) in scores_of(sample).into_iter().flat_map(|(name, score)| members(&name, &score)) {
            scorers.entry(name).or_default();
        }
    }
    for sample in samples {
        let scores = scores_of(sample);
        let mut values: BTreeMap<String, (Value, Value)> = BTreeMap::new();
        for (name, score) in scores {
            for (name, value) in members(&name, &score) {
                values.insert(name, (value, score.clone()));
            }
        }
        for (name, scorer) in &mut scorers {
            let stated = values.get(name);
            let (row, averaged, is_other) = graded(sample, stated, keys);
            scorer.rows.push(row);
            scorer.averaged.push(averaged);
            scorer.n_other += usize::from(is_other);
        }
    }
    scorers
}

/// The scores of a sample, with the names of their scorers. Before log version 2, a sample has one score
/// without a name.
fn scores_of(sample: &Sample) -> Vec<(String, Value)> {
    match (&sample.scores, &sample.score) {
        (Value::Object(scores), _) => {
            scores.iter().map(|(name, score)| (name.clone(), score.clone())).collect()
        }
        (_, Value::Object(score)) => vec![("score".into(), Value::Object(score.clone()))],
        _ => vec![],
    }
}

/// The name and value of a score. If the value is an object, returns each member, with the name
/// SCORER/MEMBER.
fn members(name: &str, score: &Value) -> Vec<(String, Value)> {
    match &score["value"] {
        Value::Object(members) => {
            members.iter().map(|(member, value)| (format!("{name}/{member}"), value.clone())).collect()
        }
        value => vec![(name.to_owned(), value.clone())],
    }
}

/// The row of a sample, the value over which Inspect averages in its results, and whether the value is not a
/// share of correct answers.
fn graded(
    sample: &Sample,
    stated: Option<&(Value, Value)>,
    keys: &mut KeyRedaction,
) -> (ItemRow, Option<f64>, bool) {
    let (id, completion) = (sample.name(), sample.completion());
    let stop = sample.output["choices"][0]["stop_reason"].as_str();
    let mut copy = |what: &str, text: &str| keys.copy(|| format!("sample {id}, {what}"), text);
    let error = sample.error["message"].as_str().or(sample.error.as_str());
    let credit = stated.map_or(Credit::Unscored, |(value, _)| Credit::of(value));
    let answer = stated.and_then(|(_, score)| score["answer"].as_str()).unwrap_or(&completion);
    let answer = copy("answer", &clipped(answer));
    let grade = match (credit, error) {
        (Credit::Unscored, Some(error)) => Grade::none(GradeKind::Error, copy("error", &clipped(error))),
        (Credit::Share(share), _) => {
            let text = if sample.has_tools() { "tools" } else { completion.as_str() };
            grade(Some(share), text, &answer, stop == Some("content_filter"))
        }
        (Credit::NoAnswer, _) if completion.trim().is_empty() => Grade::none(GradeKind::Empty, ""),
        _ => Grade::none(GradeKind::Unreadable, answer),
    };
    let grade = with_facts(grade, stated.map_or(&Value::Null, |(_, score)| &score["metadata"]));
    let target = match &sample.target {
        Value::Array(targets) => targets.iter().filter_map(Value::as_str).map(clipped).collect(),
        target => vec![clipped(target.as_str().unwrap_or_default())],
    };
    let gold: Vec<String> = target.iter().map(|target| copy("target", target)).collect();
    let usage = &sample.output["usage"];
    // Inspect counts the prompt tokens that were read from or written to a cache separately, so all counts
    // are added.
    let parts = ["input_tokens", "input_tokens_cache_read", "input_tokens_cache_write"];
    let prompt = parts.iter().filter_map(|part| json::count(&usage[*part])).reduce(u64::saturating_add);
    let safe_id = copy("id", &id);
    // If the sample failed, Inspect also names a model, although the model gave no answer.
    let has_answered = sample.output["choices"].as_array().is_some_and(|choices| !choices.is_empty());
    let model = sample.output["model"].as_str().filter(|model| has_answered && !model.is_empty());
    let model = model.map(|model| copy("model", model));
    let row = ItemRow {
        gold: serde_json::json!(gold).to_string(),
        finish_reason: stop.map(|stop| copy("stop reason", stop)),
        model_snapshot: model,
        prompt_tokens: prompt,
        completion_tokens: json::count(&usage["output_tokens"]),
        collected_at: date(&sample.completed_at),
        ..row(&safe_id, sample.epoch.unwrap_or(1).saturating_sub(1), grade)
    };
    (row, credit.averaged(), credit == Credit::Other)
}
