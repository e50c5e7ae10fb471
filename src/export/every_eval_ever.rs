//! Exports to Every Eval Ever, schema 0.3.0: a record, and a file with one line for each answer.

use serde_json::{Map, Value, json};

use super::collected::{Collected, CollectedAnswer, CollectedItem, CollectedTask};
use super::exporter::{ExportFile, Exporter};
use crate::collect::grading::GradeKind;
use crate::collect::results::facts::facts;
use crate::disk;
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::seed;

/// Exporter for Every Eval Ever.
#[derive(Debug, Clone, Copy)]
pub struct EveryEvalEver;

const SCHEMA: &str = "0.3.0";
/// The member that counts the questions without an answer. Only an incomplete collection has it.
const OPEN: &str = "n_without_answer_yet";

impl Exporter for EveryEvalEver {
    fn name(&self) -> &'static str {
        "every-eval-ever"
    }

    fn summary(&self) -> &'static str {
        "a record of Every Eval Ever (schema 0.3.0) and its answers: UUID.json and UUID_samples.jsonl"
    }

    fn export(&self, collected: &Collected) -> Result<Vec<ExportFile>> {
        if collected.tasks.iter().all(|task| task.score.accuracy.is_none()) {
            let reason = "contains no answer with a grade, and a record needs a score".into();
            return Err(Error::Parameter { name: "DIR", reason });
        }
        let uuid = uuid(&collected.identity());
        let folder = folder(&collected.provider, &model_id(collected));
        let record = Record { collected, model: model_id(collected), id: evaluation_id(collected) };
        let answers: Vec<Value> = collected.tasks.iter().flat_map(|task| record.answers(task)).collect();
        let samples = ExportFile::lines(format!("{folder}/{uuid}_samples.jsonl"), &answers);
        let details = json!({
            "format": "jsonl",
            "file_path": samples.path,
            "hash_algorithm": "sha256",
            "checksum": seed::sha256_hex(&samples.bytes),
            "total_rows": answers.len(),
        });
        let whole = ExportFile::json(format!("{folder}/{uuid}.json"), &record.whole(&details))?;
        Ok(vec![whole, samples])
    }

    fn notes(&self, collected: &Collected) -> Vec<String> {
        let without = collected.tasks.iter().filter(|task| task.score.accuracy.is_none());
        let note = |task: &CollectedTask| {
            let shots = count(task.shots, "shot");
            format!(
                "{} with {shots} has no result in the record, because none of its answers has a grade",
                task.name
            )
        };
        without.map(note).collect()
    }
}

/// The folder of a model, `data/surmise/DEVELOPER/MODEL`.
fn folder(provider: &str, model_id: &str) -> String {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    let parts = model_id.split_once('/').filter(|(developer, model)| is_name(developer) && is_name(model));
    let (developer, model) = parts.unwrap_or((provider, model_id));
    let part = |text: &str| disk::id_in_file_names(text);
    format!("data/surmise/{}/{}", part(developer), part(model))
}

/// Formats a hash as a UUID of version 4.
fn uuid(hash: &str) -> String {
    let (a, b, c, d, e) = (&hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32]);
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

/// `DEVELOPER/MODEL`. If the model name has no developer, the name of the provider takes its place.
fn model_id(collected: &Collected) -> String {
    let (provider, model) = (&collected.provider, &collected.model);
    if model.contains('/') { model.clone() } else { format!("{provider}/{model}") }
}

fn evaluation_id(collected: &Collected) -> String {
    let model = disk::id_in_file_names(&model_id(collected));
    format!("surmise/{model}/{}", collected.last().as_second())
}

/// A record, and the values that the lines of its answers repeat.
struct Record<'a> {
    collected: &'a Collected,
    model: String,
    id: String,
}

/// The result id of a task with one number of shots.
fn result_id(task: &CollectedTask) -> String {
    format!("{}/{}-shot", task.name, task.shots)
}

impl Record<'_> {
    fn whole(&self, details: &Value) -> Value {
        let at = self.collected.last();
        let results = self.collected.tasks.iter().filter_map(|task| self.result(task));
        let mut library = json!({"name": "surmise", "version": env!("CARGO_PKG_VERSION")});
        // Tasks without a score have no result, so the record itself states the number of unanswered
        // questions of all tasks.
        if self.collected.n_open > 0 {
            library["additional_details"] = json!({OPEN: self.collected.n_open.to_string()});
        }
        json!({
            "schema_version": SCHEMA,
            "evaluation_id": self.id,
            "evaluation_timestamp": at.to_string(),
            "retrieved_timestamp": at.as_second().to_string(),
            "source_metadata": {
                "source_name": "surmise collect",
                "source_type": "evaluation_run",
                "source_organization_name": "unknown",
                "evaluator_relationship": "third_party",
            },
            "eval_library": library,
            "model_info": {
                "name": self.collected.model,
                "id": self.model,
                "inference_platform": self.collected.provider,
                "additional_details": {
                    "deployment_type": "unknown",
                    "model_availability": "unknown",
                    "api_model": self.collected.model,
                },
            },
            "evaluation_results": results.collect::<Vec<_>>(),
            "detailed_evaluation_results": details,
        })
    }

    /// The result of a task. `None` if no answer was scored, because the schema requires a score.
    fn result(&self, task: &CollectedTask) -> Option<Value> {
        let score = &task.score;
        let accuracy = score.accuracy?;
        let mut settings = Map::new();
        for (name, value) in score.settings() {
            settings.extend(value.map(|value| (name.to_owned(), Value::String(value))));
        }
        let counts = [
            ("n_items", score.n_items),
            ("n_scored", score.n_scored),
            ("n_refused", score.n_refused),
            ("n_filtered", score.n_filtered),
            ("n_truncated", score.n_truncated),
            ("n_empty", score.n_empty),
            ("n_unreadable", score.n_unreadable),
            ("n_error", score.n_error),
        ];
        let n_asked: usize = task.items.iter().map(|item| item.n_asked).sum();
        let n_open = n_asked - task.items.iter().map(|item| item.answers.len()).sum::<usize>();
        let open = (OPEN, n_open);
        let counts = counts.into_iter().chain((n_open > 0).then_some(open));
        let counts = counts.map(|(name, n)| (name.to_owned(), Value::String(n.to_string())));
        Some(json!({
            "evaluation_result_id": result_id(task),
            "evaluation_name": task.name,
            "source_data": {
                "dataset_name": task.name,
                "source_type": "other",
                "additional_details": {"sha256": score.task_sha256.clone().unwrap_or_default()},
            },
            "metric_config": {
                "evaluation_description": "Share of correct answers among those that could be graded",
                "metric_id": "accuracy",
                "metric_name": "accuracy",
                "metric_kind": "accuracy",
                "metric_unit": "proportion",
                "lower_is_better": false,
                "score_type": "continuous",
                "min_score": 0.0,
                "max_score": 1.0,
                "additional_details": settings,
            },
            "score_details": {
                "score": accuracy,
                "details": counts.collect::<Map<_, _>>(),
                "uncertainty": {
                    "confidence_interval": {
                        "lower": score.accuracy_low.unwrap_or(0.0),
                        "upper": score.accuracy_high.unwrap_or(1.0),
                        "confidence_level": 0.95,
                        "method": "wilson",
                    },
                    "num_samples": score.n_scored,
                },
            },
            "generation_config": {"additional_details": {"num_fewshot": task.shots.to_string()}},
        }))
    }

    fn answers(&self, task: &CollectedTask) -> Vec<Value> {
        let lines = task.items.iter().flat_map(|item| item.answers.iter().map(move |answer| (item, answer)));
        lines.map(|(item, answer)| self.line(task, item, answer)).collect()
    }

    fn line(&self, task: &CollectedTask, item: &CollectedItem, answer: &CollectedAnswer) -> Value {
        let row = &answer.row;
        let raw = match item.prompt.as_slice() {
            [one] => one.content.clone(),
            several => json!(several).to_string(),
        };
        let credit = row.credit.unwrap_or(0.0);
        let mut metadata = facts(&answer.row);
        for (name, value) in [("model_snapshot", &row.model_snapshot), ("collected_at", &row.collected_at)] {
            metadata.extend(value.clone().map(|value| (name.to_owned(), Value::String(value))));
        }
        metadata.insert("replicate".into(), row.replicate.to_string().into());
        let mut line = json!({
            "schema_version": SCHEMA,
            "evaluation_id": self.id,
            "model_id": self.model,
            "evaluation_name": task.name,
            "evaluation_result_id": result_id(task),
            "sample_id": item.id,
            "interaction_type": "single_turn",
            "input": {"raw": raw, "reference": item.gold},
            "output": {"raw": [answer.text]},
            "answer_attribution": [{
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": row.answer,
                "extraction_method": self.collected.grader,
                "is_terminal": true,
            }],
            "evaluation": {"score": credit, "is_correct": credit == 1.0},
            "metadata": metadata,
        });
        if !item.choices.is_empty() {
            line["input"]["choices"] = json!(item.choices);
        }
        if let (Some(input), Some(output)) = (row.prompt_tokens, row.completion_tokens) {
            let total = input.saturating_add(output);
            line["token_usage"] =
                json!({"input_tokens": input, "output_tokens": output, "total_tokens": total});
        }
        if row.kind == GradeKind::Error {
            line["error"] = json!(row.answer);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_model_is_that_of_its_developer() {
        assert_eq!(folder("openai-chat", "org/m"), "data/surmise/org/m");
        assert_eq!(folder("openai-chat", "openai-chat/m"), "data/surmise/openai-chat/m");
        assert_eq!(folder("openai-chat", "org/a/b:1"), "data/surmise/org/a--b--1");
        // A model name cannot lead out of the folder.
        assert_eq!(folder("p", "../m"), "data/surmise/p/..--m");
        assert_eq!(folder("p", "org/.."), "data/surmise/p/org--..");
    }
}
