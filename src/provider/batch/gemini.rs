//! The batch API of Gemini, `POST {base}/v1beta/models/{model}:batchGenerateContent`. The call that creates a
//! batch contains the requests, and the finished batch contains the results. Results are in the order of the
//! requests, so a result without an id is identified by its position.

use serde_json::{Value, json};

use super::wire::{
    BatchCall, BatchEnd, BatchLimits, BatchPage, BatchRequest, BatchResult, BatchStatus, BatchWire, NewBatch,
    ResultKind, count, id, message,
};

/// Gemini's Batch API.
#[derive(Debug, Clone, Copy)]
pub struct GeminiBatches;

/// The ends of the paths for a single request and for a batch.
const ALONE: &str = ":generateContent";
const TOGETHER: &str = ":batchGenerateContent";

/// Codes of `google.rpc.Code` with their HTTP statuses. Code 1, a cancelled request, is handled separately.
const STATUSES: [(u64, u16); 9] =
    [(3, 400), (9, 400), (16, 401), (7, 403), (5, 404), (8, 429), (14, 503), (4, 504), (13, 500)];

/// The list of results, in any of the places where Gemini puts it.
fn responses(body: &Value) -> Option<&Vec<Value>> {
    let places = [&body["response"], &body["metadata"]["output"], &body["output"]];
    places.into_iter().find_map(|place| {
        let outer = &place["inlinedResponses"];
        outer["inlinedResponses"].as_array().or_else(|| outer.as_array())
    })
}

impl BatchWire for GeminiBatches {
    /// Gemini allows 20 MB for a call that contains the requests.
    fn limits(&self) -> BatchLimits {
        BatchLimits { requests: 50_000, bytes: 19_000_000 }
    }

    fn price_factor(&self) -> f64 {
        0.5
    }

    fn is_named(&self) -> bool {
        true
    }

    fn member(&self, request: &BatchRequest) -> String {
        format!("{{\"request\":{},\"metadata\":{{\"key\":\"{}\"}}}}", request.body, request.id)
    }

    fn upload(&self, _: &str, _: &[String]) -> Option<BatchCall> {
        None
    }

    fn read_upload(&self, _: &Value) -> Option<String> {
        None
    }

    fn create(&self, batch: &NewBatch) -> BatchCall {
        let path = batch.path.strip_suffix(ALONE).unwrap_or(batch.path);
        let name = Value::from(batch.name);
        let body = format!(
            "{{\"batch\":{{\"displayName\":{name},\"inputConfig\":{{\"requests\":{{\"requests\":[{}]}}}}}}}}",
            batch.members.join(",")
        );
        BatchCall::post(format!("{path}{TOGETHER}"), body.into_bytes())
    }

    fn poll(&self, id: &str) -> BatchCall {
        BatchCall::get(format!("/v1beta/{id}"))
    }

    fn cancel(&self, id: &str) -> BatchCall {
        BatchCall::post(format!("/v1beta/{id}:cancel"), b"{}".to_vec())
    }

    fn list(&self, after: Option<&str>) -> BatchCall {
        let after = after.map(|after| format!("&pageToken={after}")).unwrap_or_default();
        BatchCall::get(format!("/v1beta/batches?pageSize=100{after}"))
    }

    fn read(&self, body: &Value) -> Option<BatchStatus> {
        let about = if body["metadata"].is_object() { &body["metadata"] } else { body };
        let state = about["state"].as_str().unwrap_or_default();
        let has_error = body["error"].is_object();
        let end = match state.rsplit("STATE_").next().unwrap_or_default() {
            "SUCCEEDED" => Some(BatchEnd::Completed),
            "FAILED" => Some(BatchEnd::Failed),
            "CANCELLED" => Some(BatchEnd::Cancelled),
            "EXPIRED" => Some(BatchEnd::Expired),
            _ if body["done"] == true && has_error => Some(BatchEnd::Failed),
            _ if body["done"] == true => Some(BatchEnd::Completed),
            _ => None,
        };
        let stats = &about["batchStats"];
        let n = |name: &str| count(&stats[name]).unwrap_or(0);
        Some(BatchStatus {
            id: id(&body["name"]).filter(|name| name.starts_with("batches/"))?,
            name: about["displayName"].as_str().map(Into::into),
            end,
            reason: has_error.then(|| message(&body["error"])),
            n_requests: count(&stats["requestCount"]),
            n_done: stats
                .is_object()
                .then(|| n("successfulRequestCount").saturating_add(n("failedRequestCount"))),
            ..BatchStatus::default()
        })
    }

    fn read_list(&self, body: &Value) -> Option<BatchPage> {
        // Gemini sends an empty object for an empty list.
        let list = body["operations"].as_array().or_else(|| body["batches"].as_array());
        let batches = list.into_iter().flatten().filter_map(|batch| self.read(batch)).collect();
        let next = body["nextPageToken"].as_str().filter(|token| !token.is_empty());
        let is_token = |token: &&str| token.chars().all(|c| c.is_ascii_alphanumeric() || "-_=.".contains(c));
        body.is_object().then(|| BatchPage { batches, next: next.filter(is_token).map(Into::into) })
    }

    fn results(&self, status: &BatchStatus) -> Vec<BatchCall> {
        vec![self.poll(&status.id)]
    }

    fn document(&self) -> Option<fn(Value) -> Vec<Value>> {
        Some(|body| responses(&body).cloned().unwrap_or_default())
    }

    fn read_result(&self, result: &Value) -> BatchResult {
        let error = &result["error"];
        let kind = if result["response"].is_object() {
            let request_id = result["response"]["responseId"].as_str().map(Into::into);
            ResultKind::Response { status: 200, body: result["response"].to_string(), request_id }
        } else if count(&error["code"]) == Some(1) {
            ResultKind::Unprocessed { why: message(error) }
        } else if error.is_object() {
            let code = count(&error["code"]).unwrap_or(0);
            let known = STATUSES.iter().find(|(known, _)| *known == code).map(|(_, status)| *status);
            let http = u16::try_from(code).ok().filter(|code| (400..600).contains(code));
            let status = known.or(http).unwrap_or(500);
            // The classifier expects an HTTP status as the code.
            let body = json!({"error": {"code": status, "message": error["message"],
                "status": error["status"], "details": error["details"]}});
            ResultKind::Response { status, body: body.to_string(), request_id: None }
        } else {
            ResultKind::Unreadable
        };
        let key = result["metadata"]["key"].as_str().or_else(|| result["key"].as_str());
        BatchResult { id: key.map(Into::into), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_named_and_its_results_are_found_where_they_stand() {
        let members = [GeminiBatches.member(&BatchRequest { id: "k", path: "", body: "{\"contents\":[]}" })];
        let batch =
            NewBatch { name: "n", path: "/v1beta/models/g:generateContent", file: None, members: &members };
        let call = GeminiBatches.create(&batch);
        assert_eq!(call.path, "/v1beta/models/g:batchGenerateContent");
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(body["batch"]["inputConfig"]["requests"]["requests"][0]["metadata"]["key"], "k");
        let operation = json!({"name": "batches/b1", "done": true,
            "metadata": {"state": "BATCH_STATE_SUCCEEDED", "displayName": "n",
                "batchStats": {"requestCount": "2", "successfulRequestCount": "1",
                    "failedRequestCount": "1"}},
            "response": {"inlinedResponses": {"inlinedResponses": [
                {"response": {"candidates": []}, "metadata": {"key": "k"}},
                {"error": {"code": 8, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}]}}});
        let status = GeminiBatches.read(&operation).unwrap();
        assert_eq!(
            (status.end, status.n_requests, status.n_done),
            (Some(BatchEnd::Completed), Some(2), Some(2))
        );
        let results = GeminiBatches.document().unwrap()(operation);
        assert_eq!(GeminiBatches.read_result(&results[0]).id.as_deref(), Some("k"));
        let BatchResult { id, kind: ResultKind::Response { status, .. } } =
            GeminiBatches.read_result(&results[1])
        else {
            panic!("no response")
        };
        assert_eq!((id, status), (None, 429));
        assert_eq!(GeminiBatches.read(&json!({"name": "models/x"})), None);
        assert_eq!(GeminiBatches.read_list(&json!({})), Some(BatchPage::default()));
    }
}
