//! Parses requests in the completions and chat formats, field by field. An unsupported field that would
//! change the answer is an error that names the field, as in OpenAI's API. Other unknown fields are ignored.

use serde_json::{Map, Value, json};

use super::sampling::SamplingParams;
use crate::model::ChatMessage;

/// An error in the format of OpenAI's API.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    pub status: u16,
    pub kind: &'static str,
    pub code: Option<&'static str>,
    pub param: Option<String>,
    pub message: String,
}

impl ApiError {
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        let param = (!param.is_empty()).then(|| param.to_owned());
        Self { status: 400, kind: "invalid_request_error", code: None, param, message: message.into() }
    }

    /// The error for a server without free capacity.
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self { status: 503, kind: "overloaded_error", ..Self::invalid("", message) }
    }

    /// The error for a fault of the server.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { status: 500, kind: "server_error", ..Self::invalid("", message) }
    }

    pub fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }
}

pub(super) type ApiResult<T> = Result<T, ApiError>;

/// Maximum number of prompts in a request.
const MOST_PROMPTS: usize = 256;
const MOST_CHOICES: u64 = 16;
const MOST_LOGPROBS: u64 = 20;
const MOST_STOPS: usize = 16;
const LONGEST_STOP: usize = 1024;
/// Number of characters of an invalid value that an error shows.
const SHOWN: usize = 80;
/// Temperatures and top-p thresholds below this count as 0.
const NEARLY_GREEDY: f64 = 1e-6;

/// A prompt: text, or token ids.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Prompt {
    Text(String),
    Ids(Vec<u32>),
}

/// The parameters that completion requests and chat requests share.
#[derive(Debug, Clone)]
pub(super) struct CommonParams {
    pub model: String,
    pub n: usize,
    pub stream: bool,
    pub include_usage: bool,
    pub sampling: SamplingParams,
    /// Whether the request has a token limit; otherwise `sampling.max_tokens` is a default.
    pub has_max_tokens: bool,
}

/// The fields of a request.
pub(super) struct RequestFields(Map<String, Value>);

impl RequestFields {
    pub fn parse(body: &[u8]) -> ApiResult<Self> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(ApiError::invalid("", "the body is not a JSON object")),
            Err(error) => Err(ApiError::invalid("", format!("the body is not JSON ({error})"))),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn wrong<T>(&self, key: &str, wanted: &str) -> ApiResult<T> {
        let given = self.get(key).map(ToString::to_string).unwrap_or_default();
        let given: String = given.chars().take(SHOWN).collect();
        Err(ApiError::invalid(key, format!("`{key}` must be {wanted}; it is {given}")))
    }

    pub fn flag(&self, key: &str) -> ApiResult<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(on)) => Ok(*on),
            Some(_) => self.wrong(key, "true or false"),
        }
    }

    pub fn count(&self, key: &str, least: u64, most: u64) -> ApiResult<Option<u64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_u64().filter(|count| (least..=most).contains(count)) {
            Some(count) => Ok(Some(count)),
            None => self.wrong(key, &format!("a whole number from {least} to {most}")),
        }
    }

    fn number(&self, key: &str, default: f64, fits: impl Fn(f64) -> bool, wanted: &str) -> ApiResult<f64> {
        let Some(value) = self.get(key) else { return Ok(default) };
        match value.as_f64().filter(|number| fits(*number)) {
            Some(number) => Ok(number),
            None => self.wrong(key, wanted),
        }
    }

    fn stops(&self) -> ApiResult<Vec<String>> {
        let stops: Option<Vec<String>> = match self.get("stop") {
            None => Some(vec![]),
            Some(Value::String(stop)) => Some(vec![stop.clone()]),
            Some(Value::Array(stops)) => stops.iter().map(|stop| stop.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        match stops {
            Some(stops)
                if stops.len() <= MOST_STOPS
                    && stops.iter().all(|stop| (1..=LONGEST_STOP).contains(&stop.len())) =>
            {
                Ok(stops)
            }
            _ => {
                let wanted =
                    format!("a string or up to {MOST_STOPS} strings, each of 1 to {LONGEST_STOP} bytes");
                self.wrong("stop", &wanted)
            }
        }
    }

    /// Refuses unsupported fields that would change the answer.
    fn refuse(&self, keys: &[&str]) -> ApiResult<()> {
        let off = |value: &Value| match value {
            Value::Bool(on) => !on,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => {
                entries.is_empty() || (entries.len() == 1 && entries.get("type") == Some(&json!("text")))
            }
            Value::String(text) => text.is_empty() || text == "none" || text == "auto",
            Value::Null => true,
        };
        match keys.iter().find(|key| self.get(key).is_some_and(|value| !off(value))) {
            None => Ok(()),
            Some(key) => Err(ApiError {
                code: Some("unsupported_parameter"),
                ..ApiError::invalid(key, format!("unsupported parameter: `{key}`"))
            }),
        }
    }

    fn common(&self, seed: u64, max_tokens_keys: &[&str], default_tokens: u64) -> ApiResult<CommonParams> {
        self.refuse(&[
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
            "tools",
            "functions",
            "response_format",
        ])?;
        let Some(model) = self.get("model").and_then(Value::as_str) else {
            return Err(ApiError::invalid(
                "model",
                "`model` is missing; GET /v1/models lists the served models",
            ));
        };
        let mut max_tokens = None;
        for key in max_tokens_keys {
            max_tokens = max_tokens.or(self.count(key, 0, u64::from(u32::MAX))?);
        }
        let n = self.count("n", 1, MOST_CHOICES)?.unwrap_or(1) as usize;
        let top_p = self.number("top_p", 1.0, |p| p > 0.0 && p <= 1.0, "a number above 0 and at most 1")?;
        let temperature =
            self.number("temperature", 1.0, |t| (0.0..=2.0).contains(&t), "a number from 0 to 2")?;
        // Values so close to 0 select only the most likely token, and dividing the logits by such a
        // temperature would overflow.
        let greedy = temperature < NEARLY_GREEDY || top_p < NEARLY_GREEDY;
        let options = self.get("stream_options").and_then(|options| options.get("include_usage"));
        Ok(CommonParams {
            model: model.to_owned(),
            n,
            stream: self.flag("stream")?,
            include_usage: options.and_then(Value::as_bool).unwrap_or(false),
            has_max_tokens: max_tokens.is_some(),
            sampling: SamplingParams {
                temperature: if greedy { 0.0 } else { temperature },
                top_p: (top_p < 1.0).then_some(top_p),
                top_k: self.count("top_k", 1, u64::from(u32::MAX))?.map(|k| k as usize),
                seed: match self.get("seed") {
                    None => seed,
                    // Negative seeds are accepted.
                    Some(value) => match value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned)) {
                        Some(seed) => seed,
                        None => return self.wrong("seed", "a whole number"),
                    },
                },
                max_tokens: max_tokens.unwrap_or(default_tokens) as usize,
                stop: self.stops()?,
                logprobs: None,
                score_prompt: false,
            },
        })
    }
}

/// `POST /v1/completions`.
pub(super) struct CompletionRequest {
    pub common: CommonParams,
    pub prompts: Vec<Prompt>,
    pub echo: bool,
}

impl CompletionRequest {
    pub fn of(fields: &RequestFields, seed: u64) -> ApiResult<Self> {
        fields.refuse(&["suffix"])?;
        let mut common = fields.common(seed, &["max_tokens"], 16)?;
        if fields.count("best_of", 1, MOST_CHOICES)?.is_some_and(|best| best as usize != common.n) {
            return fields.wrong("best_of", "the same as `n`");
        }
        let echo = fields.flag("echo")?;
        common.sampling.logprobs = fields.count("logprobs", 0, MOST_LOGPROBS)?.map(|n| n as usize);
        common.sampling.score_prompt = echo && common.sampling.logprobs.is_some();
        Ok(Self { prompts: prompts(fields)?, common, echo })
    }
}

fn prompts(fields: &RequestFields) -> ApiResult<Vec<Prompt>> {
    let ids = |items: &[Value]| -> Option<Vec<u32>> {
        items.iter().map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok())).collect()
    };
    let wanted = "a string, a list of strings, a list of token ids, or a list of such lists";
    let Some(prompt) = fields.get("prompt") else {
        return Err(ApiError::invalid("prompt", "`prompt` is missing"));
    };
    let prompts: Option<Vec<Prompt>> = match prompt {
        Value::String(text) => Some(vec![Prompt::Text(text.clone())]),
        Value::Array(items) if items.first().is_some_and(Value::is_u64) => {
            ids(items).map(|ids| vec![Prompt::Ids(ids)])
        }
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::String(text) => Some(Prompt::Text(text.clone())),
                Value::Array(items) => ids(items).map(Prompt::Ids),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    match prompts {
        Some(prompts) if (1..=MOST_PROMPTS).contains(&prompts.len()) => Ok(prompts),
        Some(_) => {
            Err(ApiError::invalid("prompt", format!("`prompt` must contain 1 to {MOST_PROMPTS} prompts")))
        }
        None => fields.wrong("prompt", wanted),
    }
}

/// `POST /v1/chat/completions`.
pub(super) struct ChatRequest {
    pub common: CommonParams,
    pub messages: Vec<ChatMessage>,
}

impl ChatRequest {
    pub fn of(fields: &RequestFields, seed: u64) -> ApiResult<Self> {
        fields.refuse(&["tool_choice", "function_call", "audio"])?;
        let mut common = fields.common(seed, &["max_completion_tokens", "max_tokens"], u64::MAX)?;
        let top = fields.count("top_logprobs", 0, MOST_LOGPROBS)?;
        let wanted = fields.flag("logprobs")?;
        if top.is_some_and(|top| top > 0) && !wanted {
            return Err(ApiError::invalid("top_logprobs", "`top_logprobs` needs `logprobs` to be true"));
        }
        common.sampling.logprobs = wanted.then(|| top.unwrap_or(0) as usize);
        let Some(Value::Array(messages)) = fields.get("messages") else {
            return Err(ApiError::invalid("messages", "`messages` must be a list of messages"));
        };
        let messages: Option<Vec<ChatMessage>> = messages.iter().map(message).collect();
        match messages {
            Some(messages) if !messages.is_empty() => Ok(Self { common, messages }),
            Some(_) => Err(ApiError::invalid("messages", "`messages` is empty")),
            None => Err(ApiError::invalid(
                "messages",
                "each message needs a `role`, and a `content` that is a string or a list of text parts",
            )),
        }
    }
}

fn message(value: &Value) -> Option<ChatMessage> {
    let text =
        |part: &Value| (part["type"] == "text").then(|| part["text"].as_str().map(str::to_owned)).flatten();
    let content = match &value["content"] {
        Value::String(content) => content.clone(),
        Value::Array(parts) => parts.iter().map(text).collect::<Option<Vec<_>>>()?.concat(),
        _ => return None,
    };
    Some(ChatMessage { role: value["role"].as_str()?.to_owned(), content })
}
