//! Recognises messages of content filters, and messages about an account, which use similar words.

use super::fragments::contains;

/// Fragments of messages of content filters.
static FILTERED: &[&str] = &[
    "content exists risk",
    "inappropriate content",
    "data_inspection_failed",
    "敏感内容",
    "不安全",
    "内容安全",
    "for safety reasons",
    "was flagged",
    "been flagged",
    "flagged for",
    "flagged as",
    "flagged by",
    "content management policy",
    "usage guidelines",
    "usage policies",
    "usage policy",
    "content policy",
    "content_policy",
    "content policies",
    "safety_check",
    "safety check",
    "safety system",
    "safety filter",
    "safety policy",
    "safety guidelines",
    "blocked due to safety",
    "content filter",
    "content_filter",
    "content-filter",
    "harmful content",
    "harmful or",
    "prohibited content",
    "prohibited_content",
    "considered high risk",
    "high risk",
    "sensitive content",
    "sensitive information",
    "sensitive words",
    "content security",
    "content moderation",
    "moderation",
    "unsafe content",
    "responsible ai",
    "responsible_ai",
    "guardrail",
    "high-risk cyber",
    "涉嫌违规",
    "违规内容",
    "内容违规",
];

/// Pairs of verdicts and subjects. A message of a filter contains a verdict and a subject of the same pair,
/// in any order.
static PAIRS: &[(&[&str], &[&str])] = &[
    (&["blocked", "rejected"], &["prompt", "content", "policy", "safety"]),
    (
        &["violat", "unsafe", "harmful", "flagged"],
        &["prompt", "input", "content", "request", "policy", "policies", "safety"],
    ),
];

/// Fragments of errors about the format of a request. Such errors are excluded because they share words with
/// messages of filters.
static FORM: &[&str] = &["schema", "validation", "parameter", "must be", "required", "constraint"];

/// Fragments of errors about the origin of a request, which is blocked regardless of its content.
static ORIGIN: &[&str] = &[
    "ip address",
    "your ip",
    "region",
    "country",
    "location",
    "network",
    "cloudflare",
    "firewall",
    "cors policy",
    "cross-origin",
    "proxy",
    "vpn",
    "user agent",
    "user-agent",
    "captcha",
    "rate limit",
    "too many",
    "billing",
    "payment",
    "credit",
    "quota",
];
/// What a filter blocks, in messages without further details.
static BLOCKED: &[&str] = &["request", "message", "input", "output", "response", "question", "query"];

/// Fragments that occur in messages about an account, but not in messages of content filters.
static ACCOUNT: &[&str] =
    &["deactivated", "suspended", "terminated", "disabled", "banned", "access to the api"];

/// Subjects of messages about a refused account.
static HOLDERS: &[&str] = &["account", "api key", "organization", "organisation", "project", "team"];
/// Verdicts of messages about a refused account.
static VERDICTS: &[&str] = &[
    "has been flagged",
    "was flagged",
    "is flagged",
    "has been blocked",
    "was blocked",
    "is blocked",
    "must be verified",
];

/// Whether a content filter refused the request.
pub(super) fn is_filtered(text: &str) -> bool {
    // The HTML page of a firewall concerns the client's address, not the prompt.
    let is_page = text.trim_start().starts_with('<');
    let is_form = contains(text, FORM);
    let is_blocked = || text.contains("blocked") && contains(text, BLOCKED) && !contains(text, ORIGIN);
    let has_pair = || PAIRS.iter().any(|(verdicts, about)| contains(text, verdicts) && contains(text, about));
    contains(text, FILTERED) || (!is_page && !is_form && (has_pair() || is_blocked()))
}

/// Whether the text is about an account, which rules out a content filter.
pub(super) fn is_about_account(text: &str) -> bool {
    contains(text, ACCOUNT) || is_account_refused(text)
}

/// Whether the account, key or organisation is refused, so that every request fails.
pub(super) fn is_account_refused(text: &str) -> bool {
    // The verdict follows its subject: "Your account has been flagged".
    let follows = |holder: &&str, verdict: &str| text.contains(&format!("{holder} {verdict}"));
    HOLDERS.iter().any(|holder| VERDICTS.iter().any(|verdict| follows(holder, verdict)))
}
