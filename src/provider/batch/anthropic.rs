//! The batch API of Anthropic, `POST {base}/v1/messages/batches`. The call that creates a batch contains the
//! requests. The results are JSON Lines in any order. Batches have no name, so surmise recognises its own
//! batches by the ids in their results.

use serde_json::{Value, json};

use super::wire::{
    BatchCall, BatchEnd, BatchLimits, BatchPage, BatchRequest, BatchResult, BatchStatus, BatchWire, NewBatch,
    ResultKind, count, id, message,
};

/// Anthropic's Message Batches API.
#[derive(Debug, Clone, Copy)]
pub struct AnthropicBatches;

/// The version of the wire format.
pub const VERSION: &str = "2023-06-01";

/// The HTTP status of each error type, because results contain only the type.
const STATUSES: [(&str, u16); 9] = [
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

fn with_version(call: BatchCall) -> BatchCall {
    BatchCall { headers: vec![("anthropic-version", VERSION.into())], ..call }
}

impl BatchWire for AnthropicBatches {
    /// Anthropic allows 100,000 requests and 256 MB. Surmise uses a smaller size, because it builds a batch
    /// in memory.
    fn limits(&self) -> BatchLimits {
        BatchLimits { requests: 100_000, bytes: 100_000_000 }
    }

    fn price_factor(&self) -> f64 {
        0.5
    }

    fn is_named(&self) -> bool {
        false
    }

    fn member(&self, request: &BatchRequest) -> String {
        format!("{{\"custom_id\":\"{}\",\"params\":{}}}", request.id, request.body)
    }

    fn upload(&self, _: &str, _: &[String]) -> Option<BatchCall> {
        None
    }

    fn read_upload(&self, _: &Value) -> Option<String> {
        None
    }

    fn create(&self, batch: &NewBatch) -> BatchCall {
        let body = format!("{{\"requests\":[{}]}}", batch.members.join(","));
        with_version(BatchCall::post("/v1/messages/batches".into(), body.into_bytes()))
    }

    fn poll(&self, id: &str) -> BatchCall {
        with_version(BatchCall::get(format!("/v1/messages/batches/{id}")))
    }

    fn cancel(&self, id: &str) -> BatchCall {
        with_version(BatchCall::post(format!("/v1/messages/batches/{id}/cancel"), b"{}".to_vec()))
    }

    fn list(&self, after: Option<&str>) -> BatchCall {
        let after = after.map(|after| format!("&after_id={after}")).unwrap_or_default();
        with_version(BatchCall::get(format!("/v1/messages/batches?limit=100{after}")))
    }

    fn read(&self, body: &Value) -> Option<BatchStatus> {
        let counts = &body["request_counts"];
        let n = |name: &str| count(&counts[name]).unwrap_or(0);
        let sum = |names: &[&str]| names.iter().map(|name| n(name)).fold(0, u64::saturating_add);
        let all = sum(&["processing", "succeeded", "errored", "canceled", "expired"]);
        let end =
            (body["processing_status"].as_str()? == "ended").then(|| match (n("canceled"), n("expired")) {
                (0, 0) => BatchEnd::Completed,
                (0, _) => BatchEnd::Expired,
                _ => BatchEnd::Cancelled,
            });
        Some(BatchStatus {
            id: id(&body["id"])?,
            end,
            n_requests: Some(all).filter(|n| *n > 0),
            n_done: Some(sum(&["succeeded", "errored"])),
            ..BatchStatus::default()
        })
    }

    fn read_list(&self, body: &Value) -> Option<BatchPage> {
        let batches = body["data"].as_array()?.iter().filter_map(|batch| self.read(batch)).collect();
        Some(BatchPage { batches, next: id(&body["last_id"]).filter(|_| body["has_more"] == true) })
    }

    /// The response also contains a URL of the results. Surmise ignores this URL, because it could point to
    /// another host.
    fn results(&self, status: &BatchStatus) -> Vec<BatchCall> {
        vec![with_version(BatchCall::get(format!("/v1/messages/batches/{}/results", status.id)))]
    }

    fn read_result(&self, result: &Value) -> BatchResult {
        let inner = &result["result"];
        let kind = match inner["type"].as_str() {
            Some("succeeded") if inner["message"].is_object() => ResultKind::Response {
                status: 200,
                body: inner["message"].to_string(),
                request_id: inner["message"]["id"].as_str().map(Into::into),
            },
            Some("errored") => {
                // The member `error` is either an error object or a response that contains an error object.
                let error = if inner["error"]["error"].is_object() {
                    &inner["error"]["error"]
                } else {
                    &inner["error"]
                };
                let of_type = |(name, _): &&(&str, u16)| error["type"] == *name;
                let status = STATUSES.iter().find(of_type).map_or(500, |(_, status)| *status);
                let body = json!({"type": "error", "error": error}).to_string();
                ResultKind::Response { status, body, request_id: None }
            }
            Some(why @ ("canceled" | "expired")) => ResultKind::Unprocessed {
                why: format!("the request was {why}: {}", message(&inner["error"])),
            },
            _ => ResultKind::Unreadable,
        };
        BatchResult { id: result["custom_id"].as_str().map(Into::into), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_tell_how_a_batch_ended_and_errors_get_their_status() {
        let body = |canceled: u64, expired: u64| {
            json!({"id": "msgbatch_1", "processing_status": "ended", "request_counts":
                {"processing": 0, "succeeded": 2, "errored": 1, "canceled": canceled, "expired": expired}})
        };
        let end = |canceled, expired| AnthropicBatches.read(&body(canceled, expired)).unwrap().end;
        assert_eq!(end(0, 0), Some(BatchEnd::Completed));
        assert_eq!(end(0, 1), Some(BatchEnd::Expired));
        assert_eq!(end(3, 1), Some(BatchEnd::Cancelled));
        let status = AnthropicBatches.read(&body(1, 1)).unwrap();
        assert_eq!((status.n_requests, status.n_done), (Some(5), Some(3)));
        let error = json!({"custom_id": "a", "result": {"type": "errored", "error": {"type": "error",
            "error": {"type": "overloaded_error", "message": "busy"}}}});
        let ResultKind::Response { status, body, .. } = AnthropicBatches.read_result(&error).kind else {
            panic!("no response")
        };
        assert!(status == 529 && body.contains("busy"), "{status} {body}");
        let call = AnthropicBatches.create(&NewBatch {
            name: "n",
            path: "/v1/messages",
            file: None,
            members: &["{\"a\":1}".into(), "{\"a\":2}".into()],
        });
        assert_eq!(String::from_utf8(call.body).unwrap(), "{\"requests\":[{\"a\":1},{\"a\":2}]}");
        assert_eq!(call.headers, [("anthropic-version", VERSION.to_owned())]);
    }
}
