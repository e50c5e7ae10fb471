//! Defines the trait [`BatchWire`] for batch APIs, and its data types.

use serde_json::Value;

use crate::provider::json;

/// An HTTP request to a batch API, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCall {
    /// `true` for POST, `false` for GET.
    pub is_post: bool,
    /// The path after the base URL, starting with a slash.
    pub path: String,
    /// Headers other than the key header.
    pub headers: Vec<(&'static str, String)>,
    /// The content type of the body, if there is a body.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl BatchCall {
    /// Creates a GET request.
    pub fn get(path: String) -> Self {
        Self { is_post: false, path, headers: vec![], content_type: None, body: vec![] }
    }

    /// Creates a POST request with a JSON body.
    pub fn post(path: String, body: Vec<u8>) -> Self {
        let content_type = Some("application/json".into());
        Self { is_post: true, path, headers: vec![], content_type, body }
    }
}

/// The limits of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Largest number of requests.
    pub requests: usize,
    /// Largest number of bytes, over all requests.
    pub bytes: usize,
}

/// One request of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchRequest<'a> {
    /// The id, which the result repeats: at most 64 letters and digits.
    pub id: &'a str,
    /// The path of the same request outside a batch.
    pub path: &'a str,
    /// The body of the same request outside a batch, a JSON object.
    pub body: &'a str,
}

/// A batch to create.
#[derive(Debug, Clone, Copy)]
pub struct NewBatch<'a> {
    /// The name, by which surmise finds the batch again if the API stores names.
    pub name: &'a str,
    /// The path of the same requests outside a batch.
    pub path: &'a str,
    /// The id of the uploaded file, for APIs that read requests from a file.
    pub file: Option<&'a str>,
    /// The requests as rendered by [`BatchWire::member`], for APIs whose call contains the requests.
    pub members: &'a [String],
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEnd {
    /// Every request was processed.
    Completed,
    /// The batch was refused as a whole.
    Failed,
    /// The time limit was reached; some requests may have been processed.
    Expired,
    /// The batch was cancelled; some requests may have been processed.
    Cancelled,
}

impl BatchEnd {
    /// The name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The state of a batch, as reported by the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchStatus {
    /// The id that the server gave.
    pub id: String,
    /// The name given at creation, if the API stores names.
    pub name: Option<String>,
    /// How the batch ended; `None` while it is being processed.
    pub end: Option<BatchEnd>,
    /// The reason of a failure.
    pub reason: Option<String>,
    /// Whether the batch failed because it exceeds a size limit, alone or together with other batches.
    pub is_too_large: bool,
    /// Number of requests, if the server reports it.
    pub n_requests: Option<u64>,
    /// Number of processed requests, if the server reports it. Some servers also count requests that expired.
    pub n_done: Option<u64>,
    /// Id of the file with the requests, if the server reports it.
    pub file: Option<String>,
    /// Ids of the files with results.
    pub files: Vec<String>,
}

/// A page of the list of batches, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchPage {
    /// The batches.
    pub batches: Vec<BatchStatus>,
    /// The argument of [`BatchWire::list`] for the next page, if there is one.
    pub next: Option<String>,
}

/// The result of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    /// The id of the request, if the result contains it.
    pub id: Option<String>,
    /// The outcome of the request.
    pub kind: ResultKind,
}

/// The outcome of a request in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultKind {
    /// The request was processed. The status and the body are the same as for a request outside a batch.
    Response {
        /// The HTTP status.
        status: u16,
        /// The JSON of the body.
        body: String,
        /// The request id that the server gave.
        request_id: Option<String>,
    },
    /// The request was not processed or billed, because the batch expired or was cancelled first.
    Unprocessed {
        /// The reason.
        why: String,
    },
    /// The result is unreadable.
    Unreadable,
}

/// A batch API. Its functions use no network and no key.
pub trait BatchWire: Sync {
    /// The limits of a batch.
    fn limits(&self) -> BatchLimits;

    /// The price of a batch request at the provider, as a share of the normal price.
    fn price_factor(&self) -> f64;

    /// Whether the list of batches contains the name given at creation.
    fn is_named(&self) -> bool;

    /// Renders one request as JSON on a single line.
    fn member(&self, request: &BatchRequest) -> String;

    /// The call that uploads the requests; `None` if they are part of [`BatchWire::create`].
    fn upload(&self, name: &str, members: &[String]) -> Option<BatchCall>;

    /// Reads the id of an uploaded file.
    fn read_upload(&self, body: &Value) -> Option<String>;

    /// The call that creates a batch.
    fn create(&self, batch: &NewBatch) -> BatchCall;

    /// The call that reads the state of a batch.
    fn poll(&self, id: &str) -> BatchCall;

    /// The call that cancels a batch.
    fn cancel(&self, id: &str) -> BatchCall;

    /// The call that returns one page of the list of batches; `after` is [`BatchPage::next`] of the previous
    /// page.
    fn list(&self, after: Option<&str>) -> BatchCall;

    /// Reads a batch from the response to [`Self::create`] or [`Self::poll`]; `None` if the body is something
    /// else.
    fn read(&self, body: &Value) -> Option<BatchStatus>;

    /// Reads a page of the list; `None` if the body is something else.
    fn read_list(&self, body: &Value) -> Option<BatchPage>;

    /// The calls that return the results of a finished batch.
    fn results(&self, status: &BatchStatus) -> Vec<BatchCall>;

    /// A function that extracts the results from a single JSON document; `None` if the results are JSON
    /// Lines.
    fn document(&self) -> Option<fn(Value) -> Vec<Value>> {
        None
    }

    /// Reads one result.
    fn read_result(&self, result: &Value) -> BatchResult;
}

/// Reads an id from a server, and checks that it is safe in a path.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    let is_safe = !text.is_empty() && text.len() <= 200 && text.chars().all(is_plain);
    (is_safe && !text.contains("..") && !text.starts_with('/')).then(|| text.to_owned())
}

/// Reads a count: a number or, from Google, a string.
pub(super) fn count(value: &Value) -> Option<u64> {
    json::count(value).or_else(|| value.as_str()?.parse().ok())
}

/// The message of an error object.
pub(super) fn message(error: &Value) -> String {
    let texts = [&error["message"], &error["error"]["message"], error];
    texts.into_iter().find_map(Value::as_str).map_or_else(|| error.to_string(), str::to_owned)
}
