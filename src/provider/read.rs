//! Reads responses. Errors, redirects, unreadable bodies and rate limits are handled here for all providers;
//! a provider reads the JSON of a successful response.

use serde_json::Value;

use super::answer::{Answer, Outcome};
use super::failure::ErrorClassifier;
use super::failure_class::{Failure, FailureClass};
use super::headers::Headers;
use super::json;
use super::rate_limit::RateLimitInfo;
use super::registry::conventions;
use super::stream;
use super::text::clip;
use super::wire_format::Provider;

/// Reads a response. This never fails or panics, whatever a server sends: an unreadable body gives
/// [`Outcome::Unreadable`].
pub fn read(provider: &dyn Provider, status: u16, headers: &Headers, body: &[u8]) -> Answer {
    let errors = ErrorClassifier::new(conventions());
    let (value, opened) = open(status, headers, body, &errors);
    let mut answer = match (&value, opened) {
        (Some(value), Ok(())) => provider.read_success(value, &errors),
        (_, Err(outcome)) => Answer::of(outcome),
        (None, Ok(())) => Answer::of(Outcome::Unreadable { reason: "the body is empty".into() }),
    };
    answer.rate_limit = RateLimitInfo::read(headers, value.as_ref(), &conventions());
    let has_text = answer.outcome.has_text();
    answer.usage = answer.usage.and_then(|usage| usage.without_zeros(has_text));
    // litellm and other gateways report the cost in a header.
    let in_header = || headers.get("x-litellm-response-cost")?.parse().ok().filter(|usd: &f64| *usd >= 0.0);
    answer.billing.cost_usd = answer.billing.cost_usd.or_else(in_header);
    answer
}

/// The JSON of a body, and the outcome if the response is not successful.
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
    let parsed = json::parse(body);
    let parsed = match (parsed, success) {
        // Some gateways send a list with one answer.
        (Ok(Value::Array(mut list)), true) if list.len() == 1 && list[0].is_object() => Ok(list.remove(0)),
        (Err(why), true) => stream::joined(body).ok_or(why),
        (parsed, _) => parsed,
    };
    match parsed {
        Ok(value) => {
            let outcome = match errors.error_in(&value) {
                Some(error) => Err(errors.classify(status, error)),
                None if !success => Err(errors.classify(status, &value)),
                None if !value.is_object() => Err(unreadable("is JSON, but not an object", body)),
                None => Ok(()),
            };
            (Some(value), outcome)
        }
        Err(why) if success => (None, Err(unreadable(&why, body))),
        // Proxies answer in HTML, so only the status is known.
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
        "the endpoint answered {status} and redirects to {host}; if you trust this address, set \
         --base-url to the address of the API"
    );
    Outcome::Failed(Failure {
        class: FailureClass::Redirect { host },
        message,
        code: None,
        param: None,
        names: vec![],
    })
}

/// The host of an absolute URL, without user, path and query, which may contain a key.
fn host(location: &str) -> Option<String> {
    let rest = location.split_once("//")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    Some(clip(host))
}

fn unreadable(why: &str, body: &[u8]) -> Outcome {
    /// Number of bytes of the body to show.
    const SHOWN: usize = 200;
    let begins = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    Outcome::Unreadable { reason: format!("the body {why}; it starts with {:?}", clip(&begins)) }
}
