//! Creates the responses of a batch server in three wire formats: the state of a batch, and its results.

use serde_json::{Value, json};

use super::batch_server::{Batch, Script, State};
use super::fault_server::chat;

/// The right answer to a request of any wire format: the last word of the prompt.
pub(super) fn word(body: &Value) -> String {
    let last = body["messages"].as_array().and_then(|list| list.last()).map(|m| m["content"].clone());
    let texts = [last.unwrap_or_default(), body["contents"][0]["parts"][0]["text"].clone()];
    let text = texts.iter().find_map(|text| text.as_str()).unwrap_or_default();
    text.split_whitespace().last().unwrap_or_default().trim_end_matches('.').to_owned()
}

pub(super) fn message(word: &str) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1",
        "content": [{"type": "text", "text": word}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 1, "service_tier": "batch"}})
}

pub(super) fn candidate(word: &str) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": [{"text": word}]},
        "finishReason": "STOP"}], "modelVersion": "m-1", "responseId": "r",
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1, "totalTokenCount": 6}})
}

impl State {
    pub(super) fn n_processed(&self, batch: &Batch, script: &Script) -> usize {
        let is_first = self.batches.iter().find(|other| !other.is_foreign).is_some_and(|b| b.id == batch.id);
        match script.expires_after {
            Some(n) if is_first => n.min(batch.requests.len()),
            _ if batch.is_cancelled => batch.requests.len() / 2,
            _ => batch.requests.len(),
        }
    }

    pub(super) fn describe(&self, batch: &Batch, wire: &str, script: &Script) -> Value {
        let n = batch.requests.len();
        let processed = self.n_processed(batch, script);
        let is_ended = batch.is_cancelled || (!script.is_endless && batch.polls > script.polls);
        let is_expired = !batch.is_cancelled && processed < n;
        let (id, name) = (&batch.id, &batch.name);
        let state = match (is_ended, batch.is_cancelled, is_expired) {
            (false, ..) => ["in_progress", "RUNNING"],
            (_, true, _) => ["cancelled", "CANCELLED"],
            (_, _, true) => ["expired", "EXPIRED"],
            _ => ["completed", "SUCCEEDED"],
        };
        let done = if is_ended { processed } else { 0 };
        let is_first = self.batches.first().is_some_and(|first| first.id == batch.id);
        let has_output = !is_first || batch.polls > script.polls + script.late_output;
        let failed = if script.counts_expired && is_ended { n - processed } else { 0 };
        let counts = match script.has_zero_counts {
            true => json!({"total": 0, "completed": 0, "failed": 0}),
            false => json!({"total": n, "completed": done, "failed": failed}),
        };
        let has_files = is_ended && batch.polls > script.polls + script.late_files;
        match wire {
            "openai" if script.most_polled.is_some_and(|most| n > most) => {
                json!({"id": id, "object": "batch", "status": "failed", "metadata": {"surmise": name},
                "errors": {"data": [{"code": "token_limit_exceeded", "message": "too many tokens"}]},
                "request_counts": {"total": 0, "completed": 0, "failed": 0}})
            }
            "openai" => {
                let metadata = (!script.has_no_names).then(|| json!({"surmise": name}));
                let file = (!script.has_no_files).then_some(&batch.file);
                json!({"id": id, "object": "batch", "status": state[0], "metadata": metadata,
                "input_file_id": file, "in_progress_at": 1,
                "request_counts": (!script.has_no_counts).then_some(counts),
                "output_file_id": (has_files && has_output).then(|| format!("{id}.results")),
                "error_file_id": has_files.then(|| format!("{id}.errors"))})
            }
            "anthropic" => {
                let left = if is_ended { n - processed } else { 0 };
                let (canceled, expired) = if batch.is_cancelled { (left, 0) } else { (0, left) };
                json!({"id": id, "type": "message_batch",
                    "processing_status": if is_ended { "ended" } else { "in_progress" },
                    "request_counts": {"processing": if is_ended { 0 } else { n }, "succeeded": done,
                        "errored": 0, "canceled": canceled, "expired": expired},
                    "results_url": "http://127.0.0.1:9/elsewhere"})
            }
            _ => json!({"name": format!("batches/{id}"), "done": is_ended,
                "metadata": {"displayName": name, "state": format!("BATCH_STATE_{}", state[1]),
                    "batchStats": (!script.has_no_counts).then(|| json!({"requestCount": n.to_string(),
                        "successfulRequestCount": done.to_string(),
                        "failedRequestCount": failed.to_string()}))}}),
        }
    }

    /// The results of a batch, as the script specifies them.
    pub(super) fn results(&mut self, id: &str, wire: &str, script: &Script) -> Vec<Value> {
        let Some(batch) = self.batches.iter().find(|batch| batch.id == id).cloned() else { return vec![] };
        let processed = self.n_processed(&batch, script);
        let mut results = vec![];
        for (n, (id, word)) in batch.requests.iter().enumerate() {
            let strange = format!("{n:064x}");
            let is_error = script.error_every.is_some_and(|every| n % every == 0);
            let first = self.errors.entry(id.clone()).or_insert(self.asked.get(id).copied().unwrap_or(0));
            let is_error = is_error && *first == 1 && self.asked.get(id) == Some(&1);
            let is_late = n >= processed;
            let id = if script.has_strange_ids { &strange } else { id };
            results.push(match wire {
                "openai" if is_late => json!({"id": "r", "custom_id": id, "response": null,
                    "error": {"code": "batch_expired", "message": "the batch was too slow"}}),
                "openai" if is_error => json!({"id": "r", "custom_id": id, "response": {"status_code": 500,
                    "body": {"error": {"message": "broken", "type": "server_error"}}}, "error": null}),
                "openai" => json!({"id": "r", "custom_id": id, "error": null, "response":
                    {"status_code": 200, "request_id": "req", "body": chat(word, "stop")}}),
                "anthropic" if is_late => json!({"custom_id": id, "result": {"type": "expired"}}),
                "anthropic" if is_error => json!({"custom_id": id, "result": {"type": "errored", "error":
                    {"type": "error", "error": {"type": "api_error", "message": "broken"}}}}),
                "anthropic" => json!({"custom_id": id, "result": {"type": "succeeded",
                    "message": message(word)}}),
                _ if is_late => continue,
                _ if is_error => json!({"metadata": {"key": id}, "error":
                    {"code": 13, "message": "broken", "status": "INTERNAL"}}),
                _ => json!({"metadata": {"key": id}, "response": candidate(word)}),
            });
        }
        if script.lacks_last {
            results.pop();
        }
        if script.is_doubled {
            results.extend(results.clone());
        }
        if script.has_stranger
            && let Some(first) = results.first()
        {
            let (mut stranger, other) = (first.clone(), "f".repeat(64));
            let place =
                if wire == "gemini" { &mut stranger["metadata"]["key"] } else { &mut stranger["custom_id"] };
            *place = other.into();
            results.push(stranger);
        }
        if script.is_reversed {
            results.reverse();
        }
        results
    }
}
