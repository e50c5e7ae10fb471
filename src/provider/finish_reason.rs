//! Maps the finish reasons of all providers and gateways to their meaning for the text.
//!
//! Names are compared in lower case. A gateway may forward the name of another provider, add the cause after
//! a colon (`content_filter: RECITATION`), or send an object (`{"type": "length"}`). A text with an unknown
//! finish reason counts as truncated, never as complete.

use serde_json::Value;

/// The meaning of a finish reason for the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finish {
    /// The text is the complete answer.
    Complete,
    /// A token limit or a time limit truncated the text.
    Truncated,
    /// A content filter withheld the answer or a part of it.
    Filtered,
    /// The model refused to answer.
    Refused,
    /// The server aborted the answer.
    Aborted,
    /// The model called a tool instead of answering.
    ToolCall,
    /// The response is not an answer: an unreadable tool call, or a summary of the conversation.
    NoAnswer,
    /// The server gave no reason or an unknown reason.
    #[default]
    Unknown,
}

use Finish::{Aborted, Complete, Filtered, NoAnswer, Refused, ToolCall, Truncated};

/// Known finish reasons in lower case.
static TABLE: &[(&str, Finish)] = &[
    // From OpenAI and compatible servers, Anthropic, Gemini, Ollama, Cohere and Bedrock.
    ("stop", Complete),
    ("end_turn", Complete),
    ("stop_sequence", Complete),
    ("completed", Complete),
    ("complete", Complete),
    ("finished", Complete),
    ("finish", Complete),
    ("done", Complete),
    ("end", Complete),
    ("eos", Complete),
    ("eos_token", Complete),
    ("eos_found", Complete),
    ("end_of_text", Complete),
    ("finish_reason_stop", Complete),
    // Some compatible servers send an empty reason for a complete answer.
    ("", Complete),
    ("length", Truncated),
    ("max_tokens", Truncated),
    ("max_output_tokens", Truncated),
    ("max_completion_tokens", Truncated),
    ("max_length", Truncated),
    ("model_length", Truncated),
    ("token_limit", Truncated),
    ("length_capped", Truncated),
    ("finish_reason_max_tokens", Truncated),
    ("finish_reason_length", Truncated),
    ("model_context_window_exceeded", Truncated),
    ("context_length_exceeded", Truncated),
    ("context_window_exceeded", Truncated),
    ("pause_turn", Truncated),
    ("incomplete", Truncated),
    ("in_progress", Truncated),
    ("queued", Truncated),
    ("repetition_truncation", Truncated),
    ("repetition", Truncated),
    ("time_limit", Truncated),
    ("content_filter", Filtered),
    ("content_filtered", Filtered),
    ("content_filter_error", Filtered),
    ("guardrail", Filtered),
    ("guardrails", Filtered),
    ("guardrail_intervened", Filtered),
    ("moderation", Filtered),
    ("policy_violation", Filtered),
    ("content_policy", Filtered),
    ("content_policy_violation", Filtered),
    ("safety", Filtered),
    ("recitation", Filtered),
    ("language", Filtered),
    ("blocklist", Filtered),
    ("prohibited_content", Filtered),
    ("spii", Filtered),
    ("image_safety", Filtered),
    ("image_prohibited_content", Filtered),
    ("image_recitation", Filtered),
    ("model_armor", Filtered),
    ("error_toxic", Filtered),
    // From Zhipu.
    ("sensitive", Filtered),
    ("refusal", Refused),
    ("refused", Refused),
    ("abort", Aborted),
    ("aborted", Aborted),
    ("cancelled", Aborted),
    ("canceled", Aborted),
    ("error", Aborted),
    ("failed", Aborted),
    ("network_error", Aborted),
    ("engine_error", Aborted),
    ("server_error", Aborted),
    ("internal_error", Aborted),
    ("timeout", Aborted),
    ("insufficient_system_resource", Aborted),
    ("malformed_response", Aborted),
    // Ollama only loaded or unloaded the model.
    ("load", Aborted),
    ("unload", Aborted),
    ("tool_calls", ToolCall),
    ("tool_call", ToolCall),
    ("tool_use", ToolCall),
    ("function_call", ToolCall),
    ("unexpected_tool_call", NoAnswer),
    ("too_many_tool_calls", NoAnswer),
    ("malformed_function_call", NoAnswer),
    ("function_call_filter", NoAnswer),
    ("missing_thought_signature", NoAnswer),
    ("compaction", NoAnswer),
];

impl Finish {
    /// The meaning of a finish reason in a response body.
    pub fn of(reason: &Value) -> Self {
        name(reason).map_or(Self::Unknown, |name| Self::of_name(&name))
    }

    /// The meaning of a finish reason, given its name.
    pub fn of_name(name: &str) -> Self {
        let name = name.trim().to_lowercase();
        let find = |name: &str| TABLE.iter().find(|(known, _)| *known == name).map(|(_, finish)| *finish);
        let cause = || find(name.split_once(':')?.0.trim());
        find(&name).or_else(cause).unwrap_or(Self::Unknown)
    }
}

/// The name of a finish reason: a string, or the member `type` of an object.
pub(super) fn name(reason: &Value) -> Option<String> {
    reason.as_str().or_else(|| reason["type"].as_str()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reason_is_read_in_every_form_and_an_unknown_one_says_nothing() {
        for (reason, finish) in [
            (json!("stop"), Complete),
            (json!("STOP"), Complete),
            (json!(""), Complete),
            (json!({"type": "length", "length": 64}), Truncated),
            (json!({"type": "abort"}), Aborted),
            (json!("content_filter: RECITATION"), Filtered),
            (json!("function_call_filter: MALFORMED_FUNCTION_CALL"), NoAnswer),
            (json!("MAX_TOKENS"), Truncated),
            (json!(" End_Turn "), Complete),
            (json!(null), Finish::Unknown),
            (json!(3), Finish::Unknown),
            (json!("brand_new"), Finish::Unknown),
        ] {
            assert_eq!(Finish::of(&reason), finish, "{reason}");
        }
        for (i, (name, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[..i].iter().all(|(other, _)| other != name), "{name} is listed twice");
            assert_eq!(*name, name.to_lowercase());
        }
    }
}
