//! Exports to Inspect: one log (version 2) per task and number of shots.

use serde_json::{Value, json};

use super::collected::{Collected, CollectedAnswer, CollectedItem, CollectedTask};
use super::exporter::{ExportFile, Exporter};
use crate::collect::grading::GradeKind;
use crate::collect::results::facts::facts;
use crate::disk;
use crate::error::Result;
use crate::seed;

/// Exporter for Inspect.
#[derive(Debug, Clone, Copy)]
pub struct InspectJson;

impl Exporter for InspectJson {
    fn name(&self) -> &'static str {
        "inspect-json"
    }

    fn summary(&self) -> &'static str {
        "logs of Inspect (.json, version 2), one for each task and number of shots"
    }

    fn export(&self, collected: &Collected) -> Result<Vec<ExportFile>> {
        collected.tasks.iter().map(|task| log(collected, task)).collect()
    }
}

/// An id with 22 characters, the length that Inspect uses.
fn id(collected: &Collected, of: &str) -> String {
    seed::sha256_hex(format!("{}/{of}", collected.identity()).as_bytes())[..22].into()
}

fn log(collected: &Collected, task: &CollectedTask) -> Result<ExportFile> {
    let at = task.score.collected_at.clone().unwrap_or_else(|| collected.last().to_string());
    let place = format!("{}/{}", task.name, task.shots);
    let model = format!("{}/{}", collected.provider, collected.model);
    let (epochs, n) = (task.n_replicates(), task.items.len());
    let answers = || task.items.iter().flat_map(|item| &item.answers);
    let completed = answers().filter(|answer| answer.row.kind != GradeKind::Error).count();
    let ids: Vec<&str> = task.items.iter().map(|item| item.id.as_str()).collect();
    let grader = &collected.grader;
    let metrics =
        json!([{"name": "inspect_ai/accuracy", "options": {}}, {"name": "inspect_ai/stderr", "options": {}}]);
    let samples: Vec<Value> = task
        .items
        .iter()
        .flat_map(|item| item.answers.iter().map(|answer| sample(collected, &place, item, answer)))
        .collect();
    let value = json!({
        "version": 2,
        // `started` is the status of an unfinished run.
        "status": if task.is_whole() { "success" } else { "started" },
        "eval": {
            "eval_id": id(collected, &format!("eval/{place}")),
            "run_id": id(collected, "run"),
            "created": at,
            "task": task.name,
            "task_id": id(collected, &format!("task/{place}")),
            "task_version": 0,
            "task_args": {"fewshot": task.shots},
            "task_args_passed": {"fewshot": task.shots},
            "dataset": {"name": task.name, "samples": n, "sample_ids": ids, "shuffled": false},
            "model": model,
            "model_args": {},
            "config": {"epochs": epochs},
            "packages": {"surmise": env!("CARGO_PKG_VERSION")},
            "metadata": {
                "task_sha256": task.score.task_sha256,
                "settings_sha256": task.score.settings_sha256,
            },
            "scorers": [{"name": grader, "options": {}, "metrics": metrics, "metadata": {}}],
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": n * epochs,
            "completed_samples": completed,
            "scores": [results(task, grader)],
        },
        "stats": {"started_at": at, "completed_at": at, "model_usage": {}},
        "samples": samples,
    });
    let name =
        disk::id_in_file_names(&format!("{}_{}-shot_{}", task.name, task.shots, id(collected, &place)));
    ExportFile::json(format!("{name}.json"), &value)
}

/// The accuracy as Inspect defines it: missing answers count as wrong, failed requests are excluded.
fn results(task: &CollectedTask, grader: &str) -> Value {
    let (mean, n) = task.mean(true);
    let stderr = mean.and_then(|mean| CollectedTask::standard_error(mean, n));
    let metric =
        |name: &str, value: Option<f64>| json!({"name": name, "value": value.unwrap_or(0.0), "params": {}});
    json!({
        "name": grader,
        "scorer": grader,
        "scored_samples": n,
        "unscored_samples": 0,
        "params": {},
        "metrics": {"accuracy": metric("accuracy", mean), "stderr": metric("stderr", stderr)},
    })
}

fn sample(collected: &Collected, place: &str, item: &CollectedItem, answer: &CollectedAnswer) -> Value {
    let row = &answer.row;
    let message = |role: &str, content: &str, source: &str, number: usize| {
        let of = format!("{place}/{}/{}/{number}", item.id, row.replicate);
        json!({"id": id(collected, &of), "role": role, "content": content, "source": source})
    };
    let asked = item.prompt.iter().zip(0..);
    let mut messages: Vec<Value> =
        asked.map(|(one, number)| message(&role(one.role), &one.content, "input", number)).collect();
    let input = match messages.as_slice() {
        [_] => Value::String(item.question().into()),
        several => json!(several),
    };
    let is_failed = row.kind == GradeKind::Error;
    // Inspect requires this member. It is empty if the request failed, or if the answer does not name a
    // model.
    let model = row.model_snapshot.clone().unwrap_or_default();
    let mut reply = message("assistant", &answer.text, "generate", messages.len());
    reply["model"] = json!(model);
    let stop = match row.kind {
        GradeKind::Filtered => "content_filter",
        GradeKind::Truncated => "max_tokens",
        _ => match row.finish_reason.as_deref() {
            Some("length" | "max_tokens" | "MAX_TOKENS") => "max_tokens",
            Some("content_filter") => "content_filter",
            Some(_) => "stop",
            None => "unknown",
        },
    };
    let mut output = json!({"model": model, "choices": [], "completion": ""});
    if !is_failed {
        messages.push(reply.clone());
        output["choices"] = json!([{"message": reply, "stop_reason": stop}]);
        output["completion"] = json!(answer.text);
    }
    if let (Some(prompt), Some(completion)) = (row.prompt_tokens, row.completion_tokens) {
        let total = prompt.saturating_add(completion);
        output["usage"] = json!({"input_tokens": prompt, "output_tokens": completion, "total_tokens": total});
    }
    let value = match row.credit {
        Some(1.0) => json!("C"),
        Some(0.0) => json!("I"),
        Some(credit) => json!(credit),
        None => json!("N"),
    };
    let score = json!({"value": value, "answer": row.answer, "metadata": facts(&answer.row)});
    let mut sample = json!({
        "id": item.id,
        "epoch": row.replicate + 1,
        "input": input,
        "target": item.gold,
        "messages": messages,
        "output": output,
        "scores": {},
        "metadata": {"question": row.question},
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
    });
    if !item.choices.is_empty() {
        sample["choices"] = json!(item.choices);
    }
    if let Some(at) = &row.collected_at {
        sample["completed_at"] = json!(at);
    }
    if is_failed {
        sample["error"] = json!({"message": row.answer, "traceback": "", "traceback_ansi": ""});
    } else {
        sample["scores"][&collected.grader] = score;
    }
    sample
}

fn role(role: crate::provider::Role) -> String {
    json!(role).as_str().unwrap_or("user").into()
}
