//! What an answer says of the provider's rate limit. Hints are advice: absurd values are dropped here, so that the limiter can take what is
//! left at its word.

use super::Headers;

/// What is known of the rate limit from one answer; all of it may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Hint {
    /// How long to wait before the next request, seconds.
    pub retry_after_s: Option<f64>,
    /// Whether the server says that asking again has a point.
    pub should_retry: Option<bool>,
    /// Requests left in the window.
    pub remaining_requests: Option<f64>,
    /// When that window ends, seconds from now.
    pub reset_requests_s: Option<f64>,
    /// Tokens left in the window.
    pub remaining_tokens: Option<f64>,
    /// When that window ends, seconds from now.
    pub reset_tokens_s: Option<f64>,
}

impl Hint {
    /// Reads the headers of all providers.
    pub fn read(headers: &Headers) -> Self {
        let number =
            |name: &str| headers.get(name)?.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
        Self { retry_after_s: number("retry-after"), ..Self::default() }
    }
}
