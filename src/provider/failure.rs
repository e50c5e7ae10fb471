//! What an error means. Compatible servers and gateways mix each other's bodies, so that one reader serves
//! all wire formats: first the exact codes, which say more than a status, then the status.

use serde_json::Value;

use super::{Class, Failure, Headers, Outcome, Where, json};

/// Credit or a long quota is used up.
const QUOTA: [&str; 8] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "enforced_spend_limit_reached",
    "insufficient_balance",
    "insufficient_credits",
];

/// Failures without a code of their own: how their messages begin.
const MESSAGES: [(&str, Class); 3] = [
    ("Your credit balance is too low", Class::Quota),
    ("You have reached your specified API usage limits", Class::Quota),
    ("API key not valid", Class::Credentials),
];

/// What messages that name an unsupported parameter have before and after its name, where no code tells.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("", ": Extra inputs are not permitted"),
    ("Unrecognized request argument supplied: ", ""),
    ("Invalid JSON payload received. Unknown name \"", "\""),
];

/// A filter refused the prompt.
const FILTERED: [&str; 4] =
    ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "moderation_blocked"];

/// How the messages of filters without a code begin, and which side they stand on.
const FILTERED_MESSAGES: [(&str, Where); 2] = [
    ("Invalid prompt: your prompt was flagged", Where::Prompt),
    ("Output blocked by content filtering policy", Where::Answer),
];

/// Codes and types that say what to do, whatever the status.
const CODES: [(&str, Class); 22] = [
    ("invalid_api_key", Class::Credentials),
    ("API_KEY_INVALID", Class::Credentials),
    ("authentication_error", Class::Credentials),
    ("UNAUTHENTICATED", Class::Credentials),
    ("permission_error", Class::Credentials),
    ("PERMISSION_DENIED", Class::Credentials),
    ("unsupported_country_region_territory", Class::Credentials),
    ("model_not_found", Class::NoModel),
    ("not_found_error", Class::NoModel),
    ("NOT_FOUND", Class::NoModel),
    ("NotFoundError", Class::NoModel),
    ("context_length_exceeded", Class::Invalid),
    ("request_too_large", Class::Invalid),
    ("rate_limit_exceeded", Class::Rejected),
    ("rate_limit_error", Class::Rejected),
    ("RESOURCE_EXHAUSTED", Class::Rejected),
    ("overloaded_error", Class::Overloaded),
    ("server_is_overloaded", Class::Overloaded),
    ("slow_down", Class::Overloaded),
    ("UNAVAILABLE", Class::Overloaded),
    ("unavailable_error", Class::Overloaded),
    ("service_unavailable_error", Class::Overloaded),
];

/// The JSON of a success, or what came instead of one.
pub fn open(status: u16, headers: &Headers, body: &[u8]) -> (Option<Value>, Result<(), Outcome>) {
    if (300..400).contains(&status) {
        return (None, Err(redirect(status, headers)));
    }
    let success = (200..300).contains(&status);
    match json::parse(body) {
        Ok(value) => {
            let outcome = match inner_error(&value) {
                Some(error) => Err(classify(status, error)),
                None if !success => Err(classify(status, &value)),
                None if !value.is_object() => Err(unreadable("is JSON, but no object", body)),
                None => Ok(()),
            };
            (Some(value), outcome)
        }
        Err(why) if success => (None, Err(unreadable(&why, body))),
        // Proxies answer in HTML: the status is all there is.
        Err(_) => (
            None,
            Err(classify(
                status,
                &Value::String(String::from_utf8_lossy(&body[..body.len().min(4096)]).into()),
            )),
        ),
    }
}

/// An answer cut short by the server, as its finish reason says.
pub fn interrupted(reason: &str) -> Outcome {
    let message = format!("the server broke the answer off ({})", clip(reason));
    Outcome::Failed(Failure { class: Class::Unknown, message, code: Some(clip(reason)), param: None })
}

/// What stands for an error in this body; a success may hold one too.
pub fn inner_error(body: &Value) -> Option<&Value> {
    let body = if body.is_array() { &body[0] } else { body };
    let error = &body["error"];
    let present = match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    if present {
        return Some(error);
    }
    (body["object"] == "error" || body["type"] == "error").then_some(body)
}

/// What an error object means, or a text in its place.
pub fn classify(status: u16, error: &Value) -> Outcome {
    let message = message(status, error);
    let code = json::word(&error["code"])
        .or_else(|| json::word(&error["type"]))
        .or_else(|| json::word(&error["status"]));
    let words: Vec<&str> = words(error);
    let named = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let (text, param) = (said(error).unwrap_or_default(), param(error));
    if named(&FILTERED) || error["metadata"]["reasons"].is_array() {
        return Outcome::Filtered { at: Where::Prompt, category: category(error).or(code), text: None };
    }
    if let Some((_, at)) = FILTERED_MESSAGES.iter().find(|(begins, _)| text.starts_with(begins)) {
        return Outcome::Filtered { at: *at, category: code, text: None };
    }
    // Behind a 200, an error's own code is the status.
    let inner = json::count(&error["code"]).and_then(|code| u16::try_from(code).ok());
    let status = match inner {
        Some(inner @ 300..=599) if (200..300).contains(&status) => inner,
        _ => status,
    };
    let unsupported = || unsupported(error, &words).map(|param| Class::Unsupported { param });
    let coded = || CODES.iter().find(|(word, _)| words.contains(word)).map(|(_, class)| class.clone());
    let worded =
        || MESSAGES.iter().find(|(begins, _)| text.starts_with(begins)).map(|(_, class)| class.clone());
    let class = if named(&QUOTA) || status == 402 || per_day(error) {
        Class::Quota
    } else {
        unsupported().or_else(coded).or_else(worded).unwrap_or(match status {
            401 | 403 => Class::Credentials,
            404 | 405 => Class::NoModel,
            409 | 425 | 429 => Class::Rejected,
            503 | 529 => Class::Overloaded,
            408 | 499 => Class::Unknown,
            400..500 => Class::Invalid,
            // Whatever else went wrong may have happened after the answer was made.
            _ => Class::Unknown,
        })
    };
    Outcome::Failed(Failure { class, message, code, param })
}

/// Every word of an error that may be a code: members `code`, `type`, `status`, `reason`, here and one level
/// further in.
fn words(error: &Value) -> Vec<&str> {
    const MEMBERS: [&str; 4] = ["code", "type", "status", "reason"];
    let inner = [error, &error["innererror"], &error["details"], &error["error"]];
    let listed = error["details"].as_array().into_iter().flatten();
    let mut words: Vec<&str> = inner
        .into_iter()
        .chain(listed)
        .flat_map(|object| MEMBERS.iter().filter_map(|name| object[*name].as_str()))
        .collect();
    words.extend(error["details"]["error_code"].as_str());
    words
}

/// The parameter the server does not take, if that is its complaint.
fn unsupported(error: &Value, words: &[&str]) -> Option<String> {
    if words.contains(&"unsupported_parameter") || words.contains(&"unsupported_value") {
        return Some(param(error).unwrap_or_else(|| "unknown".into()));
    }
    if let Some(name) = said(error).and_then(named_in) {
        return Some(name);
    }
    let details = [&error["detail"], &error["message"]["detail"]];
    let detail = details.into_iter().find_map(|list| list.as_array()?.first())?;
    (detail["type"] == "extra_forbidden").then(|| detail["loc"].as_array()?.last()?.as_str().map(clip))?
}

/// The parameter that a message says is unsupported.
fn named_in(message: &str) -> Option<String> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
    };
    UNSUPPORTED.iter().find_map(|(before, after)| {
        let rest = message.strip_prefix(before)?;
        let name = if after.is_empty() { rest.trim() } else { &rest[..rest.find(after)?] };
        // The last part of a path is the parameter's own name.
        Some(name).filter(is_name).and_then(|name| name.rsplit('.').next()).map(clip)
    })
}

fn param(error: &Value) -> Option<String> {
    error["param"].as_str().map(clip)
}

/// Which of Azure's categories was filtered, or a gateway's reason.
fn category(error: &Value) -> Option<String> {
    filtered_category(&error["innererror"]["content_filter_result"])
        .or_else(|| error["metadata"]["reasons"][0].as_str().map(clip))
}

/// The first category of `{"hate": {"filtered": true, ...}, ...}` that is filtered.
pub fn filtered_category(results: &Value) -> Option<String> {
    results.as_object()?.iter().find(|(_, result)| result["filtered"] == true).map(|(name, _)| clip(name))
}

/// A quota of Gemini's that is not over in a minute.
fn per_day(error: &Value) -> bool {
    let details = error["details"].as_array().into_iter().flatten();
    let violations = details.flat_map(|detail| detail["violations"].as_array().into_iter().flatten());
    violations.filter_map(|violation| violation["quotaId"].as_str()).any(|id| id.contains("PerDay"))
}

/// The server's words, wherever it puts them.
fn said(error: &Value) -> Option<&str> {
    let nested = [
        &error["message"],
        &error["message"]["detail"][0]["msg"],
        &error["detail"][0]["msg"],
        &error["detail"],
        error,
    ];
    nested.into_iter().find_map(Value::as_str)
}

fn message(status: u16, error: &Value) -> String {
    match said(error) {
        Some(text) if !text.trim().is_empty() => format!("status {status}: {}", clip(text)),
        _ => format!("status {status}"),
    }
}

fn redirect(status: u16, headers: &Headers) -> Outcome {
    let location = headers.get("location").unwrap_or_default();
    let host = host(location).unwrap_or_else(|| "another path of the same host".into());
    let message = format!(
        "the endpoint answered {status} and points to {host}; set --base-url to where the API is, if you \
         trust it"
    );
    Outcome::Failed(Failure { class: Class::Redirect { host }, message, code: None, param: None })
}

/// The host of an absolute URL, without what may stand before and after it: a query may hold a key.
fn host(location: &str) -> Option<String> {
    let rest = location.split_once("//")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    Some(clip(host))
}

fn unreadable(why: &str, body: &[u8]) -> Outcome {
    /// As much of the body as tells a reader what it is.
    const SHOWN: usize = 200;
    let begins = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    Outcome::Unreadable { reason: format!("the body {why}; it begins {:?}", clip(&begins)) }
}

/// At most 300 characters, none of which moves a terminal's cursor.
pub fn clip(text: &str) -> String {
    const MOST: usize = 300;
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut clipped: String = text.trim().chars().take(MOST).map(clean).collect();
    if clipped.len() < text.trim().len() {
        clipped.push('…');
    }
    clipped
}
