//! Builds the journal's record of a response, with all secrets redacted.

use std::borrow::Cow;
use std::time::Duration;

use super::http::{DeliveryStatus, Reply};
use crate::collect::journal::{self, OutcomeRecord, QuestionKey};
use crate::collect::secrets::Secrets;
use crate::provider::FailureClass;

/// The record of a response. If the response is complete, the outcome stays empty until the answer is read.
pub(crate) fn response_record(
    secrets: &Secrets,
    key: QuestionKey,
    attempt: u32,
    reply: Reply,
    elapsed: Duration,
) -> OutcomeRecord {
    let Reply { status, headers, body, transport_error } = reply;
    let mut redacted = false;
    let mut clean = |text: &str| {
        let clean = secrets.redact_text(text);
        redacted |= clean != text;
        clean.into_owned()
    };
    let headers = headers.iter().map(|(name, value)| (name.to_owned(), clean(value))).collect();
    let error = transport_error.as_ref().map(|error| clean(&error.message));
    let body = match secrets.redact(&body) {
        Cow::Borrowed(_) => body,
        Cow::Owned(clean) => {
            redacted = true;
            clean
        }
    };
    let (outcome, class) = match transport_error.as_ref().map(|error| error.delivery) {
        None => ("", None),
        Some(DeliveryStatus::TooLarge) => ("unreadable", None),
        Some(DeliveryStatus::Unknown) => ("failed", Some(FailureClass::Unknown)),
        Some(DeliveryStatus::NotSent | DeliveryStatus::Insecure) => ("failed", Some(FailureClass::NotSent)),
    };
    let mut record = OutcomeRecord {
        key,
        attempt,
        probe: false,
        at: journal::now(),
        elapsed_s: (elapsed.as_secs_f64() * 1e4).round() / 1e4,
        outcome: outcome.into(),
        class: class.map(|class| class.name().into()),
        error,
        status,
        headers,
        body: None,
        body_base64: None,
        redacted,
        cost_usd: None,
        possibly_paid: false,
        implausible_usage: false,
        incomplete: transport_error.is_some(),
        crashed: false,
        batch: None,
    };
    if status.is_some() {
        record.set_body(body);
    }
    record
}
