//! From a record of the journal back to an answer: the same reading when it has just come and years later.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::collect::journal::{NOT_ASKED, OutcomeRecord};
use crate::provider::{self, Answer, Failure, FailureClass, Headers, Outcome, Provider};

/// What a record means. The bytes decide, where they are whole. An answer that a reader cannot even fail to
/// read is kept like any other: it is paid.
pub fn answer(provider: &dyn Provider, arrival: &OutcomeRecord) -> Answer {
    if let (Some(status), false) = (arrival.status, arrival.incomplete) {
        let headers = Headers::new(arrival.headers.iter().map(|(name, value)| (name, value.as_str())));
        let read = || provider::read(provider, status, &headers, &arrival.bytes());
        return catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
            let reason = "surmise made a mistake in reading it (please report it); the bytes are in the \
                          journal"
                .into();
            Answer::of(Outcome::Unreadable { reason })
        });
    }
    let message = arrival.error.clone().unwrap_or_else(|| "no answer came".into());
    Answer::of(match (arrival.outcome.as_str(), arrival.class.as_deref()) {
        ("unreadable", _) => Outcome::Unreadable { reason: message },
        (_, Some("not_sent" | NOT_ASKED)) => failed(FailureClass::NotSent, message),
        _ => failed(FailureClass::Unknown, message),
    })
}

/// What stands for a question that was not asked.
pub fn not_asked() -> Answer {
    Answer::of(failed(FailureClass::NotSent, "not asked yet".into()))
}

fn failed(class: FailureClass, message: String) -> Outcome {
    Outcome::Failed(Failure { class, message, code: None, param: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::journal::QuestionKey;
    use crate::error::Result;
    use crate::provider::{Capabilities, ErrorClassifier, KeyHeader, OpenAiChat, Request, WireRequest};

    /// A reader with a mistake in it.
    struct Mistaken;

    impl Provider for Mistaken {
        fn name(&self) -> &'static str {
            "mistaken"
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
            panic!("no place for {body:?}")
        }
    }

    #[test]
    fn a_reader_that_panics_loses_no_answer() {
        let mut arrival = OutcomeRecord::crashed(QuestionKey::NONE, 1, false, None);
        (arrival.status, arrival.incomplete) = (Some(200), false);
        arrival.set_body(b"{}".to_vec());
        let outcome = answer(&Mistaken, &arrival).outcome;
        assert!(
            matches!(&outcome, Outcome::Unreadable { reason } if reason.contains("report")),
            "{outcome:?}"
        );
    }
}
