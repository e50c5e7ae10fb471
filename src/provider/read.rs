//! The meaning of a response. Errors, redirects, unreadable bodies and rate limits are read here, for all
//! providers alike; a provider reads the JSON of a success.

use serde_json::Value;

use super::answer::{Answer, Failure, FailureClass, Outcome};
use super::failure::{ErrorClassifier, inner_error};
use super::headers::Headers;
use super::json;
use super::rate_limit::RateLimitInfo;
use super::registry::conventions;
use super::text::clip;
use super::wire_format::Provider;

/// Reads a response. Total: it neither fails nor panics, whatever a server sends, and what cannot be read is
/// [`Outcome::Unreadable`].
pub fn read(provider: &dyn Provider, status: u16, headers: &Headers, body: &[u8]) -> Answer {
    let errors = ErrorClassifier::new(conventions());
    let (value, opened) = open(status, headers, body, &errors);
    let mut answer = match (&value, opened) {
        (Some(value), Ok(())) => provider.read_success(value, &errors),
        (_, Err(outcome)) => Answer::of(outcome),
        (None, Ok(())) => Answer::of(Outcome::Unreadable { reason: "the body holds nothing".into() }),
    };
    answer.rate_limit = RateLimitInfo::read(headers, value.as_ref(), conventions());
    answer
}

/// The JSON of a body, and the outcome if it is not that of a success.
fn open(
    status: u16,
    headers: &Headers,
    body: &[u8],
    errors: &ErrorClassifier,
) -> (Option<Value>, Result<(), Outcome>) {
    if (300..400).contains(&status) {
        return (None, Err(redirect(status, headers)));
    }
    let success = (200..300).contains(&status);
    match json::parse(body) {
        Ok(value) => {
            let outcome = match inner_error(&value) {
                Some(error) => Err(errors.classify(status, error)),
                None if !success => Err(errors.classify(status, &value)),
                None if !value.is_object() => Err(unreadable("is JSON, but no object", body)),
                None => Ok(()),
            };
            (Some(value), outcome)
        }
        Err(why) if success => (None, Err(unreadable(&why, body))),
        // Proxies answer in HTML: the status is all there is.
        Err(_) => (
            None,
            Err(errors.classify(
                status,
                &Value::String(String::from_utf8_lossy(&body[..body.len().min(4096)]).into()),
            )),
        ),
    }
}

fn redirect(status: u16, headers: &Headers) -> Outcome {
    let location = headers.get("location").unwrap_or_default();
    let host = host(location).unwrap_or_else(|| "another path of the same host".into());
    let message = format!(
        "the endpoint answered {status} and points to {host}; set --base-url to where the API is, if you \
         trust it"
    );
    Outcome::Failed(Failure { class: FailureClass::Redirect { host }, message, code: None, param: None })
}

/// The host of an absolute URL, alone: user, path and query may hold a key.
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
