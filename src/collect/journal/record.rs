//! Defines the records of the journal and their encoding: one JSON object per line, whose last member is a
//! checksum of the preceding bytes. The line feed is part of the record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batch_record::BatchRecord;
use super::question_key::QuestionKey;
use crate::disk::Schema;
use crate::finite;

/// The name of the journal's schema.
pub const NAME: &str = "surmise-journal";
/// The version of the journal's schema.
pub const VERSION: u32 = 1;

/// The failure class of a request that was not processed: its question counts as not asked.
pub const NOT_ASKED: &str = "not_asked";

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The configuration that applies to all following records.
    Configuration {
        /// Schema and version.
        schema: Schema,
        /// Time in UTC.
        at: String,
        /// Provider, endpoint, model, settings, tasks.
        configuration: Value,
    },
    /// A request that is about to be sent. The record is durable before the request is sent.
    Intent(Intent),
    /// The outcome of a request. The record is durable before the outcome counts.
    Outcome(Box<OutcomeRecord>),
    /// The stage of a batch. The record is durable before the next stage begins.
    Batch(BatchRecord),
}

/// A request that is about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The question.
    pub key: QuestionKey,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Whether the request is a probe, which belongs to no item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
    /// Time in UTC.
    pub at: String,
    /// The task of the first item with this question.
    pub task: String,
    /// The id of the first item with this question.
    pub item: String,
    /// Index of the answer among the replicates of this question.
    pub replicate: u32,
    /// Maximum cost of the request, if prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_usd: Option<f64>,
    /// Name of the batch that contains the request; `None` if it is sent individually.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The path after the base URL.
    pub path: String,
    /// The body exactly as sent.
    pub body: String,
}

/// The outcome of a request: the bytes of the response, and how surmise interpreted them when they arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The question.
    pub key: QuestionKey,
    /// Number of the attempt, as in the intent.
    pub attempt: u32,
    /// Whether the request is a probe, as in the intent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
    /// Time in UTC.
    pub at: String,
    /// Seconds since the request was sent.
    pub elapsed_s: f64,
    /// The kind of outcome.
    pub outcome: String,
    /// The failure class, if the request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The error, if no answer arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers that surmise keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, if it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Whether a secret was redacted from the bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// Cost of the request, if prices are known. For a request that may have been billed, this is the
    /// reserved cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether it is unknown if the request was billed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub possibly_paid: bool,
    /// Whether a token count of the server is implausible: far higher than the request can have, or more
    /// cached, cache-write or audio tokens than prompt tokens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implausible_usage: bool,
    /// Whether the body is incomplete or missing. Its bytes are then kept for inspection only, and do not
    /// determine the outcome.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// Whether the process ended before the response arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crashed: bool,
    /// Name of the batch that contained the request, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
}

impl OutcomeRecord {
    /// The record of a request whose response did not arrive before the process ended.
    pub fn crashed(key: QuestionKey, attempt: u32, probe: bool, reserve_usd: Option<f64>) -> Self {
        Self {
            key,
            attempt,
            probe,
            at: now(),
            elapsed_s: 0.0,
            outcome: "failed".into(),
            class: Some("unknown".into()),
            error: Some("the process ended before the answer arrived".into()),
            status: None,
            headers: vec![],
            body: None,
            body_base64: None,
            redacted: false,
            cost_usd: reserve_usd,
            possibly_paid: true,
            implausible_usage: false,
            incomplete: true,
            crashed: true,
            batch: None,
        }
    }

    /// The record of a request that was not processed and is not billed: its question counts as not asked.
    pub fn not_asked(key: QuestionKey, attempt: u32, why: &str) -> Self {
        Self {
            class: Some(NOT_ASKED.into()),
            error: Some(why.into()),
            cost_usd: None,
            possibly_paid: false,
            crashed: false,
            ..Self::crashed(key, attempt, false, None)
        }
    }

    /// Removes the bytes of an answer that must not be stored. An answer without an outcome counts as
    /// unreadable.
    pub fn hide(&mut self, why: &str) {
        (self.body, self.body_base64, self.incomplete, self.redacted) = (None, None, true, true);
        self.error = Some(why.into());
        if self.outcome.is_empty() {
            self.outcome = "unreadable".into();
        }
    }

    /// Sets `body`, or `body_base64` if the bytes are not UTF-8.
    pub fn set_body(&mut self, body: Vec<u8>) {
        match String::from_utf8(body) {
            Ok(text) => self.body = Some(text),
            Err(bytes) => self.body_base64 = Some(BASE64.encode(bytes.as_bytes())),
        }
    }

    /// The bytes of the body; empty if the base64 is damaged.
    pub fn bytes(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(text)) => BASE64.decode(text).unwrap_or_default(),
            (None, None) => vec![],
        }
    }
}

/// Length in bytes of the end of a line: `,"crc":"`, 8 digits and `"}`.
const FRAME_BYTES: usize = 18;

/// Encodes a record as a line with checksum and line feed.
///
/// # Errors
/// Returns an error if serde cannot encode the record, or if the record contains NaN or infinity, which JSON
/// cannot represent.
pub fn line(record: &Record) -> serde_json::Result<Vec<u8>> {
    finite::check(record).map_err(serde::ser::Error::custom)?;
    let mut bytes = serde_json::to_vec(record)?;
    bytes.pop(); // the closing brace, which follows the checksum
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
    Ok(bytes)
}

/// The bytes of a line up to the checksum, if the checksum matches. `line` must not include the line feed.
/// The result lacks the closing brace of the object.
pub fn checked(line: &[u8]) -> Option<&[u8]> {
    let (object, frame) = line.split_at_checked(line.len().checked_sub(FRAME_BYTES)?)?;
    let digits = frame.strip_prefix(b",\"crc\":\"")?.strip_suffix(b"\"}")?;
    (format!("{:08x}", crc32fast::hash(object)).as_bytes() == digits).then_some(object)
}

/// The current time as text. It always has three decimals, so that the alphabetical order is the order in
/// time.
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_everything_that_determines_the_answer() {
        let key = |p, e, m, b: &str, r| QuestionKey::new(p, e, m, b.as_bytes(), r);
        let first = key("openai-chat", "https://a/v1/chat", "m", "{}", 0);
        // This digest must never change: otherwise all questions of existing journals would be asked again.
        assert_eq!(first.to_string(), "b18eb8eaacdcfab6fd47a7b9e817ee006e86a577f975226198264aa6ee53c2a8");
        for other in [
            key("anthropic", "https://a/v1/chat", "m", "{}", 0),
            key("openai-chat", "https://b/v1/chat", "m", "{}", 0),
            key("openai-chat", "https://a/v1/chat", "n", "{}", 0),
            key("openai-chat", "https://a/v1/chat", "m", "{ }", 0),
            key("openai-chat", "https://a/v1/chat", "m", "{}", 1),
            key("openai-chat", "https://a/v1/chatm", "", "{}", 0),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(QuestionKey::parse(&first.to_string()), Some(first));
        assert_eq!(QuestionKey::parse("xyz"), None);
    }

    #[test]
    fn the_checksum_covers_every_bit_of_a_line() {
        let mut arrival = OutcomeRecord {
            key: QuestionKey::new("p", "e", "m", b"", 0),
            attempt: 1,
            probe: false,
            at: "2026-01-01T00:00:00Z".into(),
            elapsed_s: 0.25,
            outcome: "answered".into(),
            class: None,
            error: None,
            status: Some(200),
            headers: vec![("date".into(), "x".into())],
            body: None,
            body_base64: None,
            redacted: false,
            cost_usd: Some(1e-7),
            possibly_paid: false,
            implausible_usage: false,
            incomplete: false,
            crashed: false,
            batch: None,
        };
        let text = "\u{2028}\0\r\n\t\u{202e}\u{1f600} \"\\";
        arrival.set_body(text.into());
        assert_eq!(arrival.bytes(), text.as_bytes());
        let bytes = line(&Record::Outcome(Box::new(arrival.clone()))).unwrap();
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        let whole = bytes.strip_suffix(b"\n").unwrap();
        let back: Record = serde_json::from_slice(whole).unwrap();
        assert_eq!(back, Record::Outcome(Box::new(arrival.clone())));
        assert!(checked(whole).is_some());
        for i in 0..whole.len() * 8 {
            let mut bad = whole.to_vec();
            bad[i / 8] ^= 1 << (i % 8);
            assert!(checked(&bad).is_none(), "bit {i}");
        }
        arrival.body = None;
        arrival.set_body(vec![0xff, 0xfe]);
        assert_eq!((arrival.body.as_deref(), arrival.bytes()), (None, vec![0xff, 0xfe]));
    }
}
