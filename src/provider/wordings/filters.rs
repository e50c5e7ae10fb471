//! What content filters say, and what is said about an account in nearly the same words.

use super::fragments::contains;

/// Fragments of content filters.
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

/// Pairs of a verdict and of what it is about, which filters write in any order.
static PAIRS: &[(&[&str], &[&str])] = &[
    (&["blocked", "rejected"], &["prompt", "content", "policy", "safety"]),
    (
        &["violat", "unsafe", "harmful", "flagged"],
        &["prompt", "input", "content", "request", "policy", "policies", "safety"],
    ),
];

/// Fragments of errors about the form of a request, which use the words of filters.
static FORM: &[&str] = &["schema", "validation", "parameter", "must be", "required", "constraint"];

/// Fragments of errors about where a request comes from, which block it whatever it says.
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
/// What is blocked, where a filter says no more.
static BLOCKED: &[&str] = &["request", "message", "input", "output", "response", "question", "query"];

/// Fragments about an account, which no filter of content sends.
static ACCOUNT: &[&str] =
    &["deactivated", "suspended", "terminated", "disabled", "banned", "access to the api"];

/// Whose account a refusal is about.
static HOLDERS: &[&str] = &["account", "api key", "organization", "organisation", "project", "team"];
/// What a refusal says of it.
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
    // A page of a firewall is about the client's address, and says nothing of the prompt.
    let is_page = text.trim_start().starts_with('<');
    let is_form = contains(text, FORM);
    let is_blocked = || text.contains("blocked") && contains(text, BLOCKED) && !contains(text, ORIGIN);
    let has_pair = || PAIRS.iter().any(|(verdicts, about)| contains(text, verdicts) && contains(text, about));
    contains(text, FILTERED) || (!is_page && !is_form && (has_pair() || is_blocked()))
}

/// Whether the text is about an account, which a filter never is.
pub(super) fn is_about_account(text: &str) -> bool {
    contains(text, ACCOUNT) || is_account_refused(text)
}

/// Whether the account, the key or the organisation itself is refused, so that every request is.
pub(super) fn is_account_refused(text: &str) -> bool {
    // The verdict follows its subject: "Your account has been flagged".
    let follows = |holder: &&str, verdict: &str| text.contains(&format!("{holder} {verdict}"));
    HOLDERS.iter().any(|holder| VERDICTS.iter().any(|verdict| follows(holder, verdict)))
}
