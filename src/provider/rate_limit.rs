//! Reads the rate limit from a response. Values that are not numbers, are negative or lie in the past are
//! ignored. The limiter decides how long a wait may be.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::conventions::{Conventions, WindowHeaders};
use super::headers::Headers;

/// The rate-limit information of one response. Each value may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RateLimitInfo {
    /// Wait before the next request, in seconds.
    pub retry_after_s: Option<f64>,
    /// Whether the server recommends a retry.
    pub should_retry: Option<bool>,
    /// Remaining requests in the window.
    pub remaining_requests: Option<f64>,
    /// End of the window of requests, in seconds from now.
    pub reset_requests_s: Option<f64>,
    /// Remaining tokens in the window.
    pub remaining_tokens: Option<f64>,
    /// End of the window of tokens, in seconds from now.
    pub reset_tokens_s: Option<f64>,
}

impl RateLimitInfo {
    /// Reads the rate limit from the headers, by the conventions of several providers. If the headers contain
    /// no wait, it is read from the body.
    pub fn read(
        headers: &Headers,
        body: Option<&Value>,
        known: &(impl Iterator<Item = &'static Conventions> + Clone),
    ) -> Self {
        let now = headers.get("date").and_then(http_date);
        let (remaining_requests, reset_requests_s) =
            scarcest(headers, known.clone().flat_map(|known| known.request_windows), now);
        let (remaining_tokens, reset_tokens_s) =
            scarcest(headers, known.clone().flat_map(|known| known.token_windows), now);
        let declared = |find: fn(&Conventions) -> Option<&'static str>| {
            known.clone().filter_map(find).find_map(|name| headers.get(name))
        };
        let milliseconds = declared(|known| known.retry_after_ms_header).and_then(number).map(|ms| ms / 1e3);
        let should_retry = declared(|known| known.should_retry_header).and_then(|value| value.parse().ok());
        let after = || {
            let value = headers.get("retry-after")?;
            if let Some(date) = http_date(value) {
                return seconds_until(date, now);
            }
            // Proxies may append their own wait; the longest wait satisfies every server.
            value.split(',').filter_map(|wait| until(wait.trim(), now)).reduce(f64::max)
        };
        let in_body = || {
            // Some gateways wrap the error in a list.
            let body = body?;
            let error = if body.is_array() { &body[0]["error"] } else { &body["error"] };
            known.clone().filter_map(|known| known.retry_after_s).find_map(|find| find(error))
        };
        Self {
            retry_after_s: milliseconds.or_else(after).or_else(in_body),
            should_retry,
            remaining_requests,
            reset_requests_s,
            remaining_tokens,
            reset_tokens_s,
        }
    }
}

/// The remaining amount and the end of the window with the least remaining amount.
fn scarcest(
    headers: &Headers,
    windows: impl Iterator<Item = &'static WindowHeaders>,
    now: Option<Timestamp>,
) -> (Option<f64>, Option<f64>) {
    let windows = windows.filter_map(|window| {
        let remaining = headers.get(window.remaining).and_then(number)?;
        Some((remaining, headers.get(window.reset).and_then(|reset| until(reset, now))))
    });
    match windows.min_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((remaining, reset)) => (Some(remaining), reset),
        None => (None, None),
    }
}

/// Parses a finite number that is not negative.
fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0)
}

/// Seconds until a window ends, in any format that providers use: `6m0s`, `120ms`, seconds, an RFC 3339 time,
/// or seconds or milliseconds since 1970.
fn until(text: &str, now: Option<Timestamp>) -> Option<f64> {
    /// A number this large is a time in seconds since 1970, not a duration.
    const EPOCH_S: f64 = 1e9;
    /// A number this large is a time in milliseconds since 1970.
    const EPOCH_MS: f64 = 1e11;
    if let Some(value) = number(text) {
        if value < EPOCH_S {
            return Some(value);
        }
        let milliseconds = if value < EPOCH_MS { value * 1e3 } else { value };
        return seconds_until(Timestamp::from_millisecond(milliseconds as i64).ok()?, now);
    }
    duration(text).or_else(|| seconds_until(text.parse().ok()?, now))
}

/// Parses a duration such as `1s`, `6m0s`, `1h2m3.5s` or `120ms`, in seconds.
pub(super) fn duration(text: &str) -> Option<f64> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += value
            * match &rest[..end] {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[end..];
    }
    (!text.is_empty() && total.is_finite()).then_some(total)
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Seconds until a time, measured by the server's clock. `None` if that clock is unknown or the time has
/// passed.
fn seconds_until(end: Timestamp, now: Option<Timestamp>) -> Option<f64> {
    let wait: SignedDuration = end.duration_since(now?);
    (!wait.is_negative()).then(|| wait.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::registry::conventions;

    fn info(pairs: &[(&str, &str)]) -> RateLimitInfo {
        RateLimitInfo::read(
            &Headers::new(pairs.iter().map(|(name, value)| (*name, *value))),
            None,
            &conventions(),
        )
    }

    #[test]
    fn waits_are_read_in_every_form() {
        let date = ("Date", "Fri, 06 Dec 2024 03:25:02 GMT");
        let after = |value| info(&[date, ("Retry-After", value)]).retry_after_s;
        assert_eq!(after("7"), Some(7.0));
        assert_eq!(after(" 1.5 "), Some(1.5));
        assert_eq!(after("Fri, 06 Dec 2024 03:25:32 GMT"), Some(30.0));
        assert_eq!(after("86400"), Some(86400.0));
        assert_eq!((after("2s"), after("250ms"), after("2, 3")), (Some(2.0), Some(0.25), Some(3.0)));
        // Seconds and milliseconds since 1970.
        assert_eq!((after("1733455505"), after("1733455505000")), (Some(3.0), Some(3.0)));
        assert_eq!(after("1733455401"), None, "in the past");
        for absurd in ["-1", "soon", "", "NaN", "inf", "1e999", "Fri, 06 Dec 2023 03:25:32 GMT"] {
            assert_eq!(after(absurd), None, "{absurd}");
        }
        // Without the server's clock, a date gives no wait, because the local clock may be wrong.
        assert_eq!(info(&[("retry-after", "Fri, 06 Dec 2024 03:25:32 GMT")]).retry_after_s, None);
        assert_eq!(info(&[("retry-after-ms", "250"), ("retry-after", "9")]).retry_after_s, Some(0.25));
        assert_eq!(info(&[("x-should-retry", "false")]).should_retry, Some(false));
    }

    #[test]
    fn windows_of_each_provider_are_read() {
        let openai = info(&[
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        assert_eq!((openai.remaining_requests, openai.reset_requests_s), (Some(59.0), Some(1.0)));
        assert_eq!((openai.remaining_tokens, openai.reset_tokens_s), (Some(149_984.0), Some(360.0)));
        let anthropic = info(&[
            ("date", "Fri, 06 Dec 2024 03:25:02 GMT"),
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2024-12-06T03:25:32Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "80000"),
            ("anthropic-ratelimit-output-tokens-remaining", "100"),
            ("anthropic-ratelimit-output-tokens-reset", "2024-12-06T03:26:02Z"),
        ]);
        assert_eq!((anthropic.remaining_requests, anthropic.reset_requests_s), (Some(0.0), Some(30.0)));
        assert_eq!((anthropic.remaining_tokens, anthropic.reset_tokens_s), (Some(100.0), Some(60.0)));
        let openrouter = info(&[
            ("date", "Fri, 06 Dec 2024 03:25:02 GMT"),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", "1733455517000"),
        ]);
        assert_eq!((openrouter.remaining_requests, openrouter.reset_requests_s), (Some(0.0), Some(15.0)));
        let gateway = info(&[
            ("date", "Fri, 06 Dec 2024 03:25:02 GMT"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1733455509"),
        ]);
        assert_eq!((gateway.remaining_requests, gateway.reset_requests_s), (Some(0.0), Some(7.0)));
        let past = info(&[
            ("date", "Fri, 06 Dec 2024 03:25:02 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1733455402"),
        ]);
        assert_eq!((past.remaining_requests, past.reset_requests_s), (Some(0.0), None));
        let worded =
            serde_json::json!({"error": {"message": "Limit 30000. Please try again in 1.5s. Visit x"}});
        assert_eq!(
            RateLimitInfo::read(&Headers::default(), Some(&worded), &conventions()).retry_after_s,
            Some(1.5)
        );
        let gemini = serde_json::json!({"error": {"details": [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22s"}
        ]}});
        assert_eq!(
            RateLimitInfo::read(&Headers::default(), Some(&gemini), &conventions()).retry_after_s,
            Some(22.0)
        );
    }

    #[test]
    fn durations_of_go_are_read() {
        assert_eq!(duration("1h2m3.5s"), Some(3723.5));
        assert_eq!(duration("120ms"), Some(0.12));
        for wrong in ["", "5", "s", "5x", "1.2.3s", "-1s", "é"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
