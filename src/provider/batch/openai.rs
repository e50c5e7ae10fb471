//! The batch API of OpenAI and compatible servers, `POST {base}/files` and `POST {base}/batches`. The
//! requests are uploaded as a JSON Lines file. Answers and errors are in two separate files, in any order.

use serde_json::{Value, json};

use super::wire::{
    BatchCall, BatchEnd, BatchLimits, BatchPage, BatchRequest, BatchResult, BatchStatus, BatchWire, NewBatch,
    ResultKind, count, id, message,
};

/// OpenAI's Batch API.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiBatches;

/// The metadata member in which surmise stores the name of a batch.
const NAME: &str = "surmise";

/// The path of a request as the batch API expects it. It always starts with `/v1`, whatever the base URL is.
fn endpoint(path: &str) -> String {
    format!("/v1{path}")
}

impl BatchWire for OpenAiBatches {
    /// OpenAI allows 50,000 requests and 200 MB. Surmise uses half of this size, because it builds a batch in
    /// memory.
    fn limits(&self) -> BatchLimits {
        BatchLimits { requests: 50_000, bytes: 100_000_000 }
    }

    fn price_factor(&self) -> f64 {
        0.5
    }

    fn is_named(&self) -> bool {
        true
    }

    fn member(&self, request: &BatchRequest) -> String {
        let BatchRequest { id, path, body } = request;
        let url = Value::from(endpoint(path));
        format!("{{\"custom_id\":\"{id}\",\"method\":\"POST\",\"url\":{url},\"body\":{body}}}")
    }

    fn upload(&self, name: &str, members: &[String]) -> Option<BatchCall> {
        let boundary = format!("surmise-form-{name}");
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
             --{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{name}.jsonl\"\r\n\
             Content-Type: application/jsonl\r\n\r\n"
        );
        for member in members {
            body.push_str(member);
            body.push('\n');
        }
        body.push_str(&format!("\r\n--{boundary}--\r\n"));
        let content_type = Some(format!("multipart/form-data; boundary={boundary}"));
        Some(BatchCall { content_type, ..BatchCall::post("/files".into(), body.into_bytes()) })
    }

    fn read_upload(&self, body: &Value) -> Option<String> {
        id(&body["id"])
    }

    fn create(&self, batch: &NewBatch) -> BatchCall {
        let body = json!({
            "input_file_id": batch.file,
            "endpoint": endpoint(batch.path),
            "completion_window": "24h",
            "metadata": {NAME: batch.name},
        });
        BatchCall::post("/batches".into(), body.to_string().into_bytes())
    }

    fn poll(&self, id: &str) -> BatchCall {
        BatchCall::get(format!("/batches/{id}"))
    }

    fn cancel(&self, id: &str) -> BatchCall {
        BatchCall::post(format!("/batches/{id}/cancel"), b"{}".to_vec())
    }

    fn list(&self, after: Option<&str>) -> BatchCall {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        BatchCall::get(format!("/batches?limit=100{after}"))
    }

    fn read(&self, body: &Value) -> Option<BatchStatus> {
        let end = match body["status"].as_str()? {
            "completed" => Some(BatchEnd::Completed),
            "failed" => Some(BatchEnd::Failed),
            "expired" => Some(BatchEnd::Expired),
            "cancelled" => Some(BatchEnd::Cancelled),
            _ => None,
        };
        let errors: Vec<&Value> = body["errors"]["data"].as_array().into_iter().flatten().collect();
        let is_size = |error: &&Value| {
            let code = error["code"].as_str().unwrap_or_default();
            ["limit_exceeded", "too_large", "too_many"].iter().any(|word| code.contains(word))
        };
        let counts = &body["request_counts"];
        let done = count(&counts["completed"]).zip(count(&counts["failed"]));
        let done = done.map(|(completed, failed)| completed.saturating_add(failed));
        let total = count(&counts["total"]).filter(|total| *total > 0);
        let files: Vec<String> =
            [&body["output_file_id"], &body["error_file_id"]].into_iter().filter_map(id).collect();
        // Some servers do not fill in the counts, so zero is accepted as a count only if the batch may have
        // processed nothing. A completed batch has processed all its requests, and a batch with result files
        // has processed some. If a batch was cancelled before it ran, `in_progress_at` is null.
        let is_counted = match end {
            Some(BatchEnd::Completed) => false,
            Some(BatchEnd::Cancelled) => {
                total.is_some() || (files.is_empty() && body.get("in_progress_at") == Some(&Value::Null))
            }
            Some(BatchEnd::Expired) => total.is_some(),
            Some(BatchEnd::Failed) | None => total.is_some() || files.is_empty(),
        };
        Some(BatchStatus {
            id: id(&body["id"])?,
            name: body["metadata"][NAME].as_str().map(Into::into),
            end,
            reason: errors.first().map(|error| message(error)),
            is_too_large: errors.iter().any(is_size),
            n_requests: total,
            n_done: done.filter(|n| is_counted || *n > 0),
            file: id(&body["input_file_id"]),
            files,
        })
    }

    fn read_list(&self, body: &Value) -> Option<BatchPage> {
        let batches: Vec<_> = body["data"].as_array()?.iter().filter_map(|batch| self.read(batch)).collect();
        let last = id(&body["last_id"]).or_else(|| batches.last().map(|batch| batch.id.clone()));
        Some(BatchPage { batches, next: last.filter(|_| body["has_more"] == true) })
    }

    fn results(&self, status: &BatchStatus) -> Vec<BatchCall> {
        status.files.iter().map(|file| BatchCall::get(format!("/files/{file}/content"))).collect()
    }

    fn read_result(&self, result: &Value) -> BatchResult {
        let (response, error) = (&result["response"], &result["error"]);
        let kind = if response["body"].is_object() {
            ResultKind::Response {
                status: count(&response["status_code"]).and_then(|n| u16::try_from(n).ok()).unwrap_or(200),
                body: response["body"].to_string(),
                request_id: response["request_id"].as_str().map(Into::into),
            }
        } else if matches!(error["code"].as_str(), Some("batch_expired" | "batch_cancelled")) {
            ResultKind::Unprocessed { why: message(error) }
        } else if error.is_object() {
            let body = json!({"error": error}).to_string();
            ResultKind::Response { status: 500, body, request_id: None }
        } else {
            ResultKind::Unreadable
        };
        BatchResult { id: result["custom_id"].as_str().map(Into::into), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_rendered_as_a_form_with_lines_and_read_by_its_metadata() {
        let request = BatchRequest { id: "ab", path: "/chat/completions", body: "{\"model\":\"m\"}" };
        let member = OpenAiBatches.member(&request);
        let line: Value = serde_json::from_str(&member).unwrap();
        assert_eq!(line["url"], "/v1/chat/completions");
        assert_eq!((&line["custom_id"], &line["body"]["model"]), (&json!("ab"), &json!("m")));
        let call = OpenAiBatches.upload("n", &[member.clone(), member]).unwrap();
        let text = String::from_utf8(call.body).unwrap();
        assert!(text.starts_with("--surmise-form-n\r\n") && text.ends_with("\r\n--surmise-form-n--\r\n"));
        assert_eq!(text.matches("custom_id").count(), 2);
        let body = json!({"id": "batch_1", "status": "expired", "metadata": {"surmise": "n"},
            "input_file_id": "file-0",
            "request_counts": {"total": 3, "completed": 1, "failed": 1},
            "output_file_id": "file-1", "error_file_id": "../../files"});
        let status = OpenAiBatches.read(&body).unwrap();
        assert_eq!((status.end, status.n_done), (Some(BatchEnd::Expired), Some(2)));
        // An id that would change the path is ignored.
        assert_eq!((status.name.as_deref(), status.files.len()), (Some("n"), 1));
        assert_eq!(status.file.as_deref(), Some("file-0"));
        assert_eq!(OpenAiBatches.read(&json!({"id": "x"})), None);
        // Zero is accepted as a count only if the batch may have processed nothing.
        for (end, total, file, began, n_done) in [
            ("expired", 0, Value::Null, json!(1), None),
            ("completed", 0, Value::Null, json!(1), None),
            ("completed", 3, Value::Null, json!(1), None),
            ("cancelled", 0, json!("file-1"), json!(1), None),
            ("cancelled", 0, Value::Null, json!(1), None),
            ("cancelled", 3, Value::Null, json!(1), Some(0)),
            ("cancelled", 0, Value::Null, Value::Null, Some(0)),
            ("failed", 0, Value::Null, Value::Null, Some(0)),
        ] {
            let body = json!({"id": "batch_1", "status": end, "error_file_id": file, "in_progress_at": began,
                "request_counts": {"total": total, "completed": 0, "failed": 0}});
            assert_eq!(OpenAiBatches.read(&body).unwrap().n_done, n_done, "{body}");
        }
        let body = json!({"id": "batch_1", "status": "cancelled",
            "request_counts": {"total": 0, "completed": 0, "failed": 0}});
        assert_eq!(OpenAiBatches.read(&body).unwrap().n_done, None);
        let expired = json!({"custom_id": "ab", "response": null,
            "error": {"code": "batch_expired", "message": "late"}});
        let kind = OpenAiBatches.read_result(&expired).kind;
        assert_eq!(kind, ResultKind::Unprocessed { why: "late".into() });
        let odd = OpenAiBatches.read_result(&json!({"custom_id": "ab"}));
        assert_eq!((odd.id.as_deref(), odd.kind), (Some("ab"), ResultKind::Unreadable));
    }
}
