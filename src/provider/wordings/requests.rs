//! Text fragments of messages about requests that are too large, unknown models, and truncated answers.

/// Fragments of messages about a request that is too large.
pub(super) static TOO_LARGE: &[&str] = &[
    "request too large",
    "request is too large",
    "request_too_large",
    "maximum context length",
    "context_length_exceeded",
    "context length",
    "context window",
    "context size",
    "exceed_context_size",
    "too long",
    "too many tokens",
    "token count",
    "maximum number of tokens",
    "token limit",
    "tokens must be reduced",
    "reduce your message size",
    "reduce the length",
    "max_new_tokens",
    "payload too large",
    "entity too large",
    "length limit exceeded",
    "longer than the",
    "requested tokens",
    "maximum input length",
    "maximum prompt length",
    "inputs must have less than",
    "prompt exceeds",
    "tokens in the prompt cannot exceed",
    "input is longer",
    "输入长度超过",
    "超过模型最大",
    "超出最大长度",
    "输入过长",
];

/// Fragments about the total size of prompt and answer, in messages that may also name the token limit of the
/// answer.
pub(super) static TOO_LARGE_IN_ALL: &[&str] =
    &["maximum context length", "context limit", "context_length_exceeded", "input length and"];

/// Fragments of rate-limit errors (429) for a request that is too large to succeed after any wait.
pub(super) static TOO_LARGE_FOR_RATE: &[&str] =
    &["request too large", "request is too large", "tokens must be reduced", "reduce your message size"];

/// Fragments of messages about an unknown model.
pub(super) static NO_MODEL: &[&str] = &[
    "model not found",
    "model_not_found",
    "model not exist",
    "model does not exist",
    "model doesn't exist",
    "model is not available",
    "model_not_available",
    "not a valid model",
    "not a valid large language model",
    "invalid model",
    "unknown model",
    "no such model",
    "unsupported model",
    "no endpoints found for",
    "unable to access model",
    "model is not supported",
    "model was not found",
    "no model named",
    "could not find model",
    "try pulling it first",
    "deployment for this resource does not exist",
    "decommissioned",
    "模型不存在",
    "模型未找到",
];

/// Fragments that mean an unknown model if they follow the word `model` and a name.
pub(super) static NO_SUCH: &[&str] = &[
    "does not exist",
    "doesn't exist",
    "not found",
    "is not loaded",
    "is not available",
    "is not a valid",
    "was retired",
    "been retired",
    "been deprecated",
];

/// Fragments of errors that report an answer truncated inside its reasoning.
pub(super) static CUT: &[&str] =
    &["could not finish the message because max_tokens", "model output limit was reached"];
