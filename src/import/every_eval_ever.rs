//! Imports records of Every Eval Ever (EvalEval Coalition), schemas 0.1 to 0.3. A record contains the results
//! of one run of one model. A JSONL file in the same folder contains the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::answers::{Answers, grade, graded_by, row};
use super::imported::{ImportOptions, Imported, SourceFile};
use super::importer::Importer;
use super::keys::{KeyRedaction, is_suspect};
use super::opened::{Form, Opened};
use super::run_facts::{
    check_mean, check_whole, clipped, date, fault, is_wanted, json_lines, model, share as credit_of, shots,
    shots_among, task_name,
};
use super::settings::Settings;
use crate::collect::grading::{Grade, GradeKind};
use crate::collect::results::ItemRow;
use crate::collect::results::facts::with_facts;
use crate::collect::results::scores::Score;
use crate::disk;
use crate::error::{Error, Result};
use crate::provider::json;
use crate::seed;

/// The importer for records of Every Eval Ever.
#[derive(Debug, Clone, Copy)]
pub struct EveryEvalEver;

const NAME: &str = "every-eval-ever";

impl Importer for EveryEvalEver {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "records of Every Eval Ever: UUID.json with UUID_samples.jsonl next to it, or several records in a \
         .jsonl (schemas 0.1 to 0.3)"
    }

    fn sniff(&self, file: &Opened<'_>) -> bool {
        file.has(&["evaluation_id", "evaluation_results"])
            || file.has(&["evaluation_id", "sample_id", "evaluation"])
    }

    fn reads_beside(&self, path: &Path) -> bool {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.strip_suffix("_samples.jsonl")
            .is_some_and(|stem| path.with_file_name(format!("{stem}.json")).is_file())
    }

    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported> {
        let path = file.path;
        if !file.has(&["evaluation_results"]) {
            return Err(fault(
                path,
                "contains answers without their record; give the .json file with the record",
            ));
        }
        let records = match file.form {
            Form::Lines(_) => json_lines(path, file.bytes)?,
            _ => vec![json::read(file.bytes).map_err(|why| fault(path, why))?],
        };
        let models: BTreeSet<&str> =
            records.iter().filter_map(|record| record["model_info"]["id"].as_str()).collect();
        if models.len() > 1 && options.model.is_some() {
            let n = models.len();
            return Err(fault(
                path,
                format!("contains {n} models, which --model would give the same name; leave out --model"),
            ));
        }
        let (mut all, mut keys) = (Imported::empty(), KeyRedaction::new());
        let mut source = SourceFile::of(path, file.bytes);
        let mut settings = Settings::default();
        for record in &records {
            version(path, record)?;
            let open = record["eval_library"]["additional_details"]["n_without_answer_yet"].as_str();
            let part = open.map(|n| format!("{} questions have no answer yet", clipped(n)));
            check_whole(path, part, options)?;
            let answers = match answers_file(path, record) {
                Some(beside) => {
                    let bytes =
                        disk::read(&beside).map_err(|source| Error::Read { path: beside.clone(), source })?;
                    let sha256 = seed::sha256_hex(&bytes);
                    check_sum(&beside, record, &sha256)?;
                    let name = beside.file_name().map(|name| name.to_string_lossy().into_owned());
                    source.samples_sha256.insert(name.unwrap_or_default(), sha256);
                    json_lines(&beside, &bytes)?
                }
                None => vec![],
            };
            let record = Record { path, record, answers: &answers };
            record.add(options, &mut all, &mut keys)?;
            record.settings(&mut settings);
        }
        if all.scores.is_empty() {
            let first = all.notes.iter().find(|note| note.contains("not imported"));
            let first = first.map_or_else(String::new, |note| format!("; {note}"));
            return Err(fault(path, format!("contains no score that can be imported{first}")));
        }
        all.add_source(source, settings, &keys);
        Ok(all)
    }
}

fn version(path: &Path, record: &Value) -> Result<()> {
    let version = record["schema_version"].as_str().unwrap_or_default();
    let minor = version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    if !["0.1", "0.2", "0.3"].contains(&minor.as_str()) {
        let reason = format!("has the schema version `{}`; surmise reads 0.1 to 0.3", clipped(version));
        return Err(fault(path, reason));
    }
    Ok(())
}

/// The path of the file with the answers, in the folder of the record. If the record does not state the name
/// of this file, the name is derived from the file name of the record.
fn answers_file(path: &Path, record: &Value) -> Option<PathBuf> {
    let stated = record["detailed_evaluation_results"]["file_path"].as_str();
    let stated = stated.and_then(|text| Path::new(text).file_name()).map(|name| path.with_file_name(name));
    let own = path.with_file_name(format!("{}_samples.jsonl", disk::file_stem(path)));
    stated.into_iter().chain([own]).find(|beside| beside.is_file())
}

fn check_sum(path: &Path, record: &Value, sha256: &str) -> Result<()> {
    let details = &record["detailed_evaluation_results"];
    let stated = details["checksum"].as_str().filter(|_| details["hash_algorithm"] == "sha256");
    match stated {
        Some(stated) if !stated.eq_ignore_ascii_case(sha256) => {
            Err(fault(path, "does not match the checksum in its record; the file was changed or truncated"))
        }
        _ => Ok(()),
    }
}

/// A record with its answers.
struct Record<'a> {
    path: &'a Path,
    record: &'a Value,
    answers: &'a [Value],
}

impl Record<'_> {
    fn add(&self, options: &ImportOptions, all: &mut Imported, keys: &mut KeyRedaction) -> Result<()> {
        let info = &self.record["model_info"];
        // The name that the API uses is preferred, because the id may add the developer to the name.
        let named = [&info["additional_details"]["api_model"], &info["id"], &info["name"]];
        let model = model(self.path, named.into_iter().find_map(Value::as_str), options)?;
        let places = [&info["inference_platform"], &info["inference_engine"]["name"], &info["developer"]];
        let is_known = |name: &&str| *name != "unknown" && !is_suspect(name);
        let provider = places.into_iter().filter_map(Value::as_str).find(is_known).unwrap_or(NAME);
        let results = self.record["evaluation_results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut by_task: BTreeMap<(&str, Option<usize>), Vec<&Value>> = BTreeMap::new();
        for result in results {
            let task = result["evaluation_name"].as_str().unwrap_or_default();
            match reason_against(result, options) {
                Some(reason) => all.notes.push(format!("{task}: not imported: {reason}")),
                None => by_task.entry((task, shots_of(self.record, result))).or_default().push(result),
            }
        }
        for ((task, stated), results) in by_task {
            for result in &results {
                let metric = metric(result);
                let answers = Answers {
                    provider: provider.into(),
                    model: model.clone(),
                    task: task_name(task, metric, results.len()),
                    shots: shots(self.path, stated, options, all),
                    grader: metric.into(),
                    rows: self.rows(result, results.len(), keys),
                };
                self.add_result(result, answers, options, all)?;
            }
        }
        Ok(())
    }

    /// Adds the score of one result, and its answers if there are any.
    fn add_result(
        &self,
        result: &Value,
        answers: Answers,
        options: &ImportOptions,
        all: &mut Imported,
    ) -> Result<()> {
        let unanswered = result["score_details"]["details"]["n_without_answer_yet"].as_str();
        let part =
            unanswered.map(|n| format!("{}: {} questions have no answer yet", answers.task, clipped(n)));
        check_whole(self.path, part, options)?;
        let score = share(result).unwrap_or_default();
        if !answers.rows.is_empty() {
            // Some tools count missing answers as wrong, and others leave them out, so the score may equal
            // the mean over all answers or the mean over the scored answers.
            let scored = answers.mean(|row| row.credit);
            let all_as_wrong = answers.mean(|row| Some(row.credit.unwrap_or(0.0)));
            if all_as_wrong.is_none_or(|mean| (mean - score).abs() > 1e-6) {
                check_mean(self.path, &answers.task, scored.or(all_as_wrong), Some(score))?;
            }
            all.add(answers);
            return Ok(());
        }
        let task = of_name(result).unwrap_or_default();
        let Some(n) = n_items(result).or_else(|| all.given_items(options, task)) else {
            all.notes.push(format!(
                "{task}: not imported: the file contains neither answers nor the number of items; give the \
                 number with --n-items '{task}=N'"
            ));
            return Ok(());
        };
        let (provider, model, task) = (&answers.provider, &answers.model, &answers.task);
        let row = Score::of_accuracy(provider, model, task, answers.shots, n, score * n as f64);
        let at = [&result["evaluation_timestamp"], &self.record["evaluation_timestamp"]];
        let row = Score { collected_at: at.into_iter().find_map(date), ..row };
        all.scores.push(graded_by(row, &answers.grader));
        Ok(())
    }

    /// The rows of the answers that belong to a result. An answer belongs to a result with the same result
    /// id. If one of them has no id, both must name the same evaluation, and the task must have only one
    /// result.
    fn rows(&self, result: &Value, of: usize, keys: &mut KeyRedaction) -> Vec<ItemRow> {
        let id = &result["evaluation_result_id"];
        let is_own = |answer: &&Value| match (&answer["evaluation_result_id"], id) {
            (Value::String(of), Value::String(id)) => of == id,
            _ => of_name(answer) == of_name(result) && of == 1,
        };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        self.answers
            .iter()
            .filter(is_own)
            .map(|answer| {
                let id = answer["sample_id"].as_str().unwrap_or_default();
                let replicate = seen.entry(id.into()).or_default();
                *replicate += 1;
                answer_row(answer, id, *replicate - 1, keys)
            })
            .collect()
    }

    fn settings(&self, settings: &mut Settings) {
        for name in ["evaluation_id", "schema_version"] {
            settings.add(name, &self.record[name]);
        }
        for name in ["name", "version"] {
            settings.add(&format!("eval_library.{name}"), &self.record["eval_library"][name]);
        }
        for name in ["source_name", "source_type", "source_organization_name", "evaluator_relationship"] {
            settings.add(&format!("source_metadata.{name}"), &self.record["source_metadata"][name]);
        }
    }
}

fn of_name(value: &Value) -> Option<&str> {
    value["evaluation_name"].as_str()
}

fn answer_row(answer: &Value, id: &str, replicate: usize, keys: &mut KeyRedaction) -> ItemRow {
    let mut copy = |what: &str, text: &str| keys.copy(|| format!("sample {id}, {what}"), &clipped(text));
    let raw = answer["output"]["raw"][0].as_str();
    let last = answer["messages"].as_array().and_then(|messages| messages.last()?["content"].as_str());
    let text = raw.or(last).unwrap_or_default();
    let terminal = answer["answer_attribution"].as_array().into_iter().flatten().last();
    let extracted = terminal.and_then(|one| one["extracted_value"].as_str()).unwrap_or(text);
    let evaluation = &answer["evaluation"];
    let credit = credit_of(&evaluation["score"]).or_else(|| credit_of(&evaluation["is_correct"]));
    let (facts, error) = (&answer["metadata"], answer["error"].as_str());
    let grade = match error {
        Some(error) => Grade::none(GradeKind::Error, copy("error", error)),
        None => with_facts(grade(credit, text, &copy("answer", extracted), false), facts),
    };
    let references = answer["input"]["reference"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let gold: Vec<String> = references.map(|text| copy("reference", text)).collect();
    ItemRow {
        gold: serde_json::json!(gold).to_string(),
        prompt_tokens: json::count(&answer["token_usage"]["input_tokens"]),
        completion_tokens: json::count(&answer["token_usage"]["output_tokens"]),
        model_snapshot: facts["model_snapshot"].as_str().map(|model| copy("model", model)),
        collected_at: date(&facts["collected_at"]),
        ..row(&copy("id", id), replicate, grade)
    }
}

fn metric(result: &Value) -> &str {
    let config = &result["metric_config"];
    let places = [&config["metric_name"], &config["metric_id"], &config["metric_kind"]];
    let described = config["evaluation_description"].as_str().unwrap_or_default();
    places.into_iter().find_map(Value::as_str).unwrap_or(described)
}

/// The reason why a result is not imported as a share of correct answers; `None` if it is imported.
fn reason_against(result: &Value, options: &ImportOptions) -> Option<String> {
    let config = &result["metric_config"];
    let names = ["metric_name", "metric_id", "metric_kind"].map(|name| config[name].as_str());
    // Before schema 0.3, only a description contains the name of the metric, such as `Accuracy on BBH` or
    // `exact_match (filter: x)`.
    let described = config["evaluation_description"].as_str().unwrap_or_default();
    let described = described.split(" on ").next().unwrap_or_default().split(" (").next().unwrap_or_default();
    let mut names: Vec<&str> = names.into_iter().flatten().collect();
    if names.is_empty() {
        names.push(described);
    }
    if !names.iter().any(|name| is_wanted(name, options)) {
        return Some(format!("its metric `{}` is not a share of correct answers", clipped(metric(result))));
    }
    if config["lower_is_better"] == true {
        return Some("lower values are better".into());
    }
    share(result).is_none().then(|| {
        "its score is not from 0 to 1, and the record does not state that it is a percentage from 0 to 100"
            .into()
    })
}

/// The score as a share from 0 to 1. A score is divided by 100 if its stated unit is percent or its stated
/// maximum is 100.
fn share(result: &Value) -> Option<f64> {
    let (score, config) = (result["score_details"]["score"].as_f64()?, &result["metric_config"]);
    let is_percent = config["metric_unit"] == "percent" || config["max_score"].as_f64() == Some(100.0);
    let share = if is_percent { score / 100.0 } else { score };
    (0.0..=1.0).contains(&share).then_some(share)
}

fn n_items(result: &Value) -> Option<usize> {
    let uncertainty = &result["score_details"]["uncertainty"];
    let places = [&uncertainty["num_samples"], &result["source_data"]["samples_number"]];
    let stated = places.into_iter().find_map(json::count).and_then(|n| usize::try_from(n).ok());
    stated.filter(|n| *n > 0)
}

fn shots_of(record: &Value, result: &Value) -> Option<usize> {
    let places = [
        &result["generation_config"]["additional_details"],
        &result["metric_config"]["additional_details"],
        &result["source_data"]["additional_details"],
        &record["eval_library"]["additional_details"],
    ];
    places.into_iter().find_map(shots_among)
}
