//! Imports record files of OpenAI's evals (`oaieval`). A file contains one line with the specification of the
//! run, one line per event, and one line with the final report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::answers::{Answers, grade, row};
use super::imported::{ImportOptions, Imported, SourceFile};
use super::importer::Importer;
use super::keys::KeyRedaction;
use super::opened::Opened;
use super::run_facts::{
    check_mean, check_whole, clipped, date, fault, json_lines, model, provider_and_model, share, shots,
    shots_among, task_name,
};
use super::settings::Settings;
use crate::collect::grading::{Grade, GradeKind};
use crate::collect::results::ItemRow;
use crate::error::Result;
use crate::provider::json;

/// The importer for record files of OpenAI's evals.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiEvals;

const NAME: &str = "openai-evals";

/// The type of the events with grades of exact matches. The imported scores use it as the name of the grader.
const MATCH: &str = "match";

impl Importer for OpenAiEvals {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "record files of OpenAI's evals, RUN_MODEL_EVAL.jsonl (versions 1.0 to 3.0)"
    }

    fn sniff(&self, file: &Opened<'_>) -> bool {
        file.has(&["spec"]) || file.has(&["run_id", "event_id", "type"]) || file.has(&["final_report"])
    }

    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported> {
        let path = file.path;
        let record = Record::read(path, file.bytes)?;
        let spec = record.spec.as_ref();
        let spec =
            spec.ok_or_else(|| fault(path, "has no line with the `spec` of the run, so it is incomplete"))?;
        if record.events.is_empty() {
            return Err(fault(
                path,
                "has no events; the run had no samples, or wrote its events to another file",
            ));
        }
        check_whole(path, part(spec, record.report.is_some()), options)?;
        let (mut all, mut keys) = (Imported::empty(), KeyRedaction::new());
        let named: Vec<&str> =
            spec["completion_fns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let first = named.first().copied().or(spec["model_name"].as_str());
        let (provider, named_model) = first.map_or((NAME, None), |name| {
            let (provider, model) = provider_and_model(name, NAME);
            (provider, Some(model))
        });
        let model = model(path, named_model, options)?;
        if named.len() > 1 {
            let others = keys.copy(|| "spec.completion_fns".into(), &named[1..].join(", "));
            all.notes.push(format!(
                "the first completion function is assumed to be the model; the others may be graders: \
                 {others}"
            ));
        }
        let task = spec["eval_name"].as_str().or(spec["base_eval"].as_str());
        let task = task.ok_or_else(|| fault(path, "does not name its eval"))?;
        let shots = shots(path, shots_among(&spec["run_config"]["eval_spec"]["args"]), options, &mut all);
        let graders = record.graders(options, &mut all, &mut keys);
        let n = graders.len();
        for (grader, rows) in graders {
            let answers = Answers {
                provider: provider.into(),
                model: model.clone(),
                task: task_name(task, &grader, n),
                shots,
                grader: grader.clone(),
                rows,
            };
            record.check(path, &answers)?;
            all.add(answers);
        }
        if all.scores.is_empty() {
            return Err(fault(
                path,
                "has neither `match` events nor metrics that are shares of correct answers",
            ));
        }
        record.count(&mut all);
        all.add_source(SourceFile::of(path, file.bytes), settings(spec), &keys);
        Ok(all)
    }
}

/// The reason why the run may have evaluated only a part of its eval; `None` if there is no such reason.
fn part(spec: &Value, has_report: bool) -> Option<String> {
    let most = &spec["run_config"]["max_samples"];
    if !has_report {
        return Some("has no final report: the run did not finish, or the file is truncated".into());
    }
    (!most.is_null())
        .then(|| format!("comes from a run with max_samples {most}, which evaluated only a part of its eval"))
}

/// The lines of a record file.
#[derive(Debug, Default)]
struct Record {
    spec: Option<Value>,
    report: Option<Value>,
    events: Vec<Value>,
}

impl Record {
    fn read(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut record = Self::default();
        for mut value in json_lines(path, bytes)? {
            if !value["spec"].is_null() {
                if record.spec.is_some() {
                    return Err(fault(path, "contains the `spec` of a second run; give one file per run"));
                }
                record.spec = Some(value["spec"].take());
            } else if !value["final_report"].is_null() {
                record.report = Some(value["final_report"].take());
            } else {
                record.events.push(value);
            }
        }
        Ok(record)
    }

    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["type"] == *kind)
    }

    /// Creates the rows of items.csv, grouped by grader.
    fn graders(
        &self,
        options: &ImportOptions,
        all: &mut Imported,
        keys: &mut KeyRedaction,
    ) -> BTreeMap<String, Vec<ItemRow>> {
        let sampled = self.sampled();
        let mut graders: BTreeMap<String, Vec<ItemRow>> = BTreeMap::new();
        let mut refused = BTreeSet::new();
        let mut seen: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event["type"] == MATCH || event["type"] == "metrics") {
            for (name, value) in credits(event, options) {
                let id = event["sample_id"].as_str().unwrap_or_default();
                let replicate = seen.entry((name.clone(), id)).or_default();
                let Some(credit) = credit(&event["data"], value) else {
                    refused.insert(name);
                    continue;
                };
                let row = answer(event, (id, *replicate), credit, sampled.get(id), keys);
                graders.entry(name).or_default().push(row);
                *replicate += 1;
            }
        }
        for name in &refused {
            graders.remove(name);
            all.notes.push(format!("{name} is not a share of correct answers: not imported"));
        }
        // Samples that failed before they were graded get a row with the error.
        for event in self.of_type("error") {
            let id = event["sample_id"].as_str().unwrap_or_default();
            let message = event["data"]["message"].as_str().unwrap_or_default();
            let message = keys.copy(|| format!("sample {id}, error"), &clipped(message));
            for rows in graders.values_mut().filter(|rows| rows.iter().all(|row| row.id != id)) {
                rows.push(row(id, 0, Grade::none(GradeKind::Error, message.clone())));
            }
        }
        graders
    }

    /// The first sampling event of each sample. Later sampling events may come from a grading model.
    fn sampled(&self) -> BTreeMap<&str, &Value> {
        let mut sampled = BTreeMap::new();
        for event in self.of_type("sampling") {
            if let Some(id) = event["sample_id"].as_str() {
                sampled.entry(id).or_insert(&event["data"]);
            }
        }
        sampled
    }

    /// Checks that the mean of the answers agrees with the final report.
    fn check(&self, path: &Path, answers: &Answers) -> Result<()> {
        let report = self.report.as_ref().unwrap_or(&Value::Null);
        let is_match = answers.grader == MATCH;
        let stated = report[if is_match { "accuracy" } else { answers.grader.as_str() }].as_f64();
        let events: Vec<f64> = answers
            .rows
            .iter()
            .filter(|row| row.kind != GradeKind::Error)
            .map(|row| row.credit.unwrap_or(0.0))
            .collect();
        // The report averages over events. In scores.csv, the answers to an item are averaged first.
        let mean = (!events.is_empty()).then(|| events.iter().sum::<f64>() / events.len() as f64);
        let scored: Vec<f64> = answers.rows.iter().filter_map(|row| row.credit).collect();
        let of_scored = scored.iter().sum::<f64>() / scored.len().max(1) as f64;
        if stated.is_some_and(|stated| (stated - of_scored).abs() <= 1e-6) {
            return Ok(());
        }
        check_mean(path, &answers.task, mean, stated)
    }

    /// Adds notes on events for which items.csv has no column.
    fn count(&self, all: &mut Imported) {
        for (kind, what) in [
            ("cond_logp", "log-probabilities of given completions"),
            ("pick_option", "picked options"),
            ("embedding", "embeddings"),
            ("function_call", "function calls"),
            ("raw_sample", "raw samples"),
            ("extra", "events of other kinds"),
        ] {
            all.count(
                self.of_type(kind).count(),
                &format!("{what} have no column in items.csv and are not kept"),
            );
        }
    }
}

/// The names and values of the grades in an event. A `match` event has one grade, `correct`. A `metrics`
/// event has shares of correct answers, and a score if a grading model chose the score from given grades.
fn credits<'a>(event: &'a Value, options: &ImportOptions) -> Vec<(String, &'a Value)> {
    let data = &event["data"];
    let wanted =
        |name: &str, by_default: bool| options.metric.as_ref().map_or(by_default, |metric| metric == name);
    if event["type"] == MATCH {
        return if wanted(MATCH, true) { vec![(MATCH.into(), &data["correct"])] } else { vec![] };
    }
    let is_graded = data.get("choice").is_some();
    let members = data.as_object().into_iter().flatten();
    let is_share = |name: &str| {
        matches!(name, "accuracy" | "acc" | "exact_match" | "correct") || is_graded && name == "score"
    };
    members
        .filter(|(name, _)| wanted(name, is_share(name)))
        .map(|(name, value)| (name.clone(), value))
        .collect()
}

/// The credit of a value; `Some(None)` if the grader gave no valid grade, and `None` if the value is not from
/// 0 to 1.
fn credit(data: &Value, value: &Value) -> Option<Option<f64>> {
    if data["choice"] == "__invalid__" || value.is_null() {
        return Some(None);
    }
    share(value).map(Some)
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

fn answer(
    event: &Value,
    (id, replicate): (&str, usize),
    credit: Option<f64>,
    sampled: Option<&&Value>,
    keys: &mut KeyRedaction,
) -> ItemRow {
    let (data, nothing) = (&event["data"], &Value::Null);
    let sampled = sampled.copied().unwrap_or(nothing);
    let mut copy = |what: &str, text: &str| keys.copy(|| format!("sample {id}, {what}"), &clipped(text));
    let text = texts(&data["sampled"]).first().copied().or(texts(&sampled["sampled"]).first().copied());
    let picked = data["picked"].as_str().or(text).unwrap_or_default();
    // If the text of the answer is missing, a placeholder prevents it from counting as empty.
    let grade = grade(credit, text.unwrap_or("unknown"), &copy("answer", picked), false);
    let gold: Vec<String> = texts(&data["expected"]).iter().map(|text| copy("expected", text)).collect();
    ItemRow {
        gold: serde_json::json!(gold).to_string(),
        model_snapshot: sampled["model"].as_str().map(|model| copy("model", model)),
        prompt_tokens: json::count(&sampled["usage"]["prompt_tokens"]),
        completion_tokens: json::count(&sampled["usage"]["completion_tokens"]),
        collected_at: date(&event["created_at"]),
        ..row(&copy("id", id), replicate, grade)
    }
}

fn settings(spec: &Value) -> Settings {
    let mut settings = Settings::default();
    for name in ["run_id", "created_at", "created_by", "eval_name", "base_eval", "split"] {
        settings.add(name, &spec[name]);
    }
    let run = &spec["run_config"];
    for name in ["seed", "max_samples", "command"] {
        settings.add(&format!("run_config.{name}"), &run[name]);
    }
    settings.add("run_config.eval_spec.cls", &run["eval_spec"]["cls"]);
    settings.add_all("run_config.eval_spec.args", &run["eval_spec"]["args"]);
    settings
}
