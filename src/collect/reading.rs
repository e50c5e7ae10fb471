//! From a record of the journal back to an answer: the same reading when it has just come and years later.

use super::journal::{Arrival, NOT_ASKED};
use crate::provider::{Answer, Class, Failure, Headers, Outcome, Provider};

/// What a record means. The bytes decide, where they are whole.
pub fn answer(provider: &dyn Provider, arrival: &Arrival) -> Answer {
    if let (Some(status), false) = (arrival.status, arrival.incomplete) {
        let headers = Headers::new(arrival.headers.iter().map(|(name, value)| (name, value.as_str())));
        return provider.read(status, &headers, &arrival.bytes());
    }
    let message = arrival.error.clone().unwrap_or_else(|| "no answer came".into());
    Answer::of(match (arrival.outcome.as_str(), arrival.class.as_deref()) {
        ("unreadable", _) => Outcome::Unreadable { reason: message },
        (_, Some("not_sent" | NOT_ASKED)) => failed(Class::NotSent, message),
        _ => failed(Class::Unknown, message),
    })
}

/// What stands for a question that was not asked.
pub fn not_asked() -> Answer {
    Answer::of(failed(Class::NotSent, "not asked yet".into()))
}

fn failed(class: Class, message: String) -> Outcome {
    Outcome::Failed(Failure { class, message, code: None, param: None })
}
