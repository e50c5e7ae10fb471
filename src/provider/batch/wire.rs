//! The seam of this folder: what a batch API is.

use serde_json::Value;

use crate::provider::json;

/// A call of a batch API, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCall {
    /// Whether it is a POST; else it is a GET.
    pub is_post: bool,
    /// The path after the base URL, beginning with a slash.
    pub path: String,
    /// Headers in addition to the key's.
    pub headers: Vec<(&'static str, String)>,
    /// The type of the body, if there is one.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl BatchCall {
    /// A GET.
    pub fn get(path: String) -> Self {
        Self { is_post: false, path, headers: vec![], content_type: None, body: vec![] }
    }

    /// A POST of JSON.
    pub fn post(path: String, body: Vec<u8>) -> Self {
        let content_type = Some("application/json".into());
        Self { is_post: true, path, headers: vec![], content_type, body }
    }
}

/// The largest batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most requests.
    pub requests: usize,
    /// Most bytes of all requests together.
    pub bytes: usize,
}

/// One request of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchRequest<'a> {
    /// Its id, which its result has, too: letters and digits, at most 64.
    pub id: &'a str,
    /// The path of the same request when it is sent alone.
    pub path: &'a str,
    /// The body of the same request, a JSON object.
    pub body: &'a str,
}

/// A batch that is to be created.
#[derive(Debug, Clone, Copy)]
pub struct NewBatch<'a> {
    /// Its name, by which it is found again where the API keeps names.
    pub name: &'a str,
    /// The path of its requests when they are sent alone.
    pub path: &'a str,
    /// The uploaded file, where the requests are in one.
    pub file: Option<&'a str>,
    /// The requests as [`BatchWire::member`] renders them, where they are in the call.
    pub members: &'a [String],
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEnd {
    /// Every request was processed.
    Completed,
    /// It was refused as a whole.
    Failed,
    /// The time was over; some requests may have been processed.
    Expired,
    /// It was cancelled; some requests may have been processed.
    Cancelled,
}

impl BatchEnd {
    /// Its name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A batch as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchStatus {
    /// The server's id.
    pub id: String,
    /// The name it was created with, where the API keeps names.
    pub name: Option<String>,
    /// How it ended; `None` while it is processed.
    pub end: Option<BatchEnd>,
    /// Why it failed.
    pub reason: Option<String>,
    /// Whether it failed because it, or all batches together, are too large.
    pub is_too_large: bool,
    /// Number of its requests, where the server counts them.
    pub n_requests: Option<u64>,
    /// Of these, those that are processed.
    pub n_done: Option<u64>,
    /// Files with results.
    pub files: Vec<String>,
}

/// A page of the list of batches, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchPage {
    /// The batches.
    pub batches: Vec<BatchStatus>,
    /// What [`BatchWire::list`] takes for the next page, if there is one.
    pub next: Option<String>,
}

/// The result of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    /// The id of the request, if the result has it.
    pub id: Option<String>,
    /// What became of it.
    pub kind: ResultKind,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultKind {
    /// It was processed: the status and body that the request alone would have been answered with.
    Response {
        /// The HTTP status.
        status: u16,
        /// The JSON of the body.
        body: String,
        /// The server's id of the request.
        request_id: Option<String>,
    },
    /// It was not processed and is not billed: the batch expired or was cancelled before.
    Unprocessed {
        /// Why.
        why: String,
    },
    /// It cannot be read.
    Unreadable,
}

/// A batch API. Nothing here uses a network or a key.
pub trait BatchWire: Sync {
    /// The largest batch.
    fn limits(&self) -> BatchLimits;

    /// What a request costs at the provider's own service, as a share of its usual price.
    fn price_factor(&self) -> f64;

    /// Whether the list of batches shows the name that each was created with.
    fn is_named(&self) -> bool;

    /// One request as JSON on one line.
    fn member(&self, request: &BatchRequest) -> String;

    /// The upload of the requests; `None` if they are part of [`BatchWire::create`].
    fn upload(&self, name: &str, members: &[String]) -> Option<BatchCall>;

    /// The id of an uploaded file.
    fn read_upload(&self, body: &Value) -> Option<String>;

    /// The call that creates a batch.
    fn create(&self, batch: &NewBatch) -> BatchCall;

    /// The call that reads the state of a batch.
    fn poll(&self, id: &str) -> BatchCall;

    /// The call that cancels a batch.
    fn cancel(&self, id: &str) -> BatchCall;

    /// A page of the list of batches.
    fn list(&self, after: Option<&str>) -> BatchCall;

    /// A batch, as create and poll return it; `None` for anything else.
    fn read(&self, body: &Value) -> Option<BatchStatus>;

    /// A page of the list; `None` for anything else.
    fn read_list(&self, body: &Value) -> Option<BatchPage>;

    /// The calls that return the results of a batch that ended.
    fn results(&self, status: &BatchStatus) -> Vec<BatchCall>;

    /// The results in a body that is one JSON document; `None` if results are JSON Lines.
    fn document(&self) -> Option<fn(Value) -> Vec<Value>> {
        None
    }

    /// One result.
    fn read_result(&self, result: &Value) -> BatchResult;
}

/// An id of the server that may become part of a path.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    let is_safe = !text.is_empty() && text.len() <= 200 && text.chars().all(is_plain);
    (is_safe && !text.contains("..") && !text.starts_with('/')).then(|| text.to_owned())
}

/// A count as a number or, as Google sends it, as text.
pub(super) fn count(value: &Value) -> Option<u64> {
    json::count(value).or_else(|| value.as_str()?.parse().ok())
}

/// The text of an error object.
pub(super) fn message(error: &Value) -> String {
    let texts = [&error["message"], &error["error"]["message"], error];
    texts.into_iter().find_map(Value::as_str).map_or_else(|| error.to_string(), str::to_owned)
}
