//! Decodes a record of the journal into an answer. The result is the same during the run and afterwards.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::collect::journal::{NOT_ASKED, OutcomeRecord};
use crate::provider::{self, Answer, Failure, FailureClass, Headers, Outcome, Provider};

/// The answer in a record. A complete response is read from its bytes. If reading panics, the response stays
/// stored and counts as unreadable, because it is billed.
pub fn answer(provider: &dyn Provider, arrival: &OutcomeRecord) -> Answer {
    if let (Some(status), false) = (arrival.status, arrival.incomplete) {
        let headers = Headers::new(arrival.headers.iter().map(|(name, value)| (name, value.as_str())));
        let read = || provider::read(provider, status, &headers, &arrival.bytes());
        return catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
            let reason = "surmise panicked while reading the response (please report this bug); the journal \
                          contains its bytes"
                .into();
            Answer::of(Outcome::Unreadable { reason })
        });
    }
    let message = arrival.error.clone().unwrap_or_else(|| "no answer arrived".into());
    Answer::of(match (arrival.outcome.as_str(), arrival.class.as_deref()) {
        ("unreadable", _) => Outcome::Unreadable { reason: message },
        (_, Some("not_sent" | NOT_ASKED)) => failed(FailureClass::NotSent, message),
        _ => failed(FailureClass::Unknown, message),
    })
}

/// The answer to a question that was not asked.
pub fn not_asked() -> Answer {
    Answer::of(failed(FailureClass::NotSent, "not asked yet".into()))
}

fn failed(class: FailureClass, message: String) -> Outcome {
    Outcome::Failed(Failure { class, message, code: None, param: None, names: vec![] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::journal::QuestionKey;
    use crate::error::Result;
    use crate::provider::{Capabilities, ErrorClassifier, KeyHeader, OpenAiChat, Request, WireRequest};

    /// A reader that panics.
    struct Panicking;

    impl Provider for Panicking {
        fn name(&self) -> &'static str {
            "panicking"
        }
        fn default_base_url(&self) -> &'static str {
            ""
        }
        fn key_variable(&self) -> &'static str {
            ""
        }
        fn key_header(&self) -> KeyHeader {
            KeyHeader::Bearer
        }
        fn capabilities(&self) -> Capabilities {
            OpenAiChat.capabilities()
        }
        fn render(&self, request: &Request) -> Result<WireRequest> {
            OpenAiChat.render(request)
        }
        fn read_success(&self, body: &serde_json::Value, _: &ErrorClassifier) -> Answer {
            panic!("cannot read {body:?}")
        }
    }

    #[test]
    fn a_reader_that_panics_loses_no_answer() {
        let mut arrival = OutcomeRecord::crashed(QuestionKey::NONE, 1, false, None);
        (arrival.status, arrival.incomplete) = (Some(200), false);
        arrival.set_body(b"{}".to_vec());
        let outcome = answer(&Panicking, &arrival).outcome;
        assert!(
            matches!(&outcome, Outcome::Unreadable { reason } if reason.contains("report")),
            "{outcome:?}"
        );
    }
}
