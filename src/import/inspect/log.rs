//! Reads the header and the samples of a log. The events of the samples are skipped.

use serde::Deserialize;
use serde_json::{Value, json};

use super::archive::Archive;
use crate::import::opened::{Form, Opened};
use crate::provider::json;

/// The newest log version that surmise reads.
const NEWEST: u64 = 2;

/// A log of one run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Log {
    pub(super) version: Value,
    pub(super) status: String,
    pub(super) eval: Value,
    pub(super) results: Value,
    pub(super) stats: Value,
    /// The samples. The header of an archive does not contain them; they are separate entries.
    pub(super) samples: Option<Vec<Sample>>,
}

/// One answer of the model, without the events of the sample.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sample {
    pub(super) id: Value,
    pub(super) epoch: Option<usize>,
    pub(super) target: Value,
    pub(super) messages: Option<Vec<Message>>,
    pub(super) output: Value,
    pub(super) scores: Value,
    /// The only score of a sample in logs before version 2.
    pub(super) score: Value,
    pub(super) error: Value,
    pub(super) completed_at: Value,
}

/// A message. Only the role of its author is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    role: String,
}

impl Sample {
    /// The id as a string. In the log, the id may also be a number.
    pub(super) fn name(&self) -> String {
        json::word(&self.id).unwrap_or_default()
    }

    /// Whether the model called tools. The answer may then be in a call instead of the last text.
    pub(super) fn has_tools(&self) -> bool {
        self.messages.iter().flatten().any(|message| message.role == "tool")
    }

    /// The last text of the model.
    pub(super) fn completion(&self) -> String {
        let content = &self.output["choices"][0]["message"]["content"];
        let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
        let whole = self.output["completion"].as_str().or(content.as_str());
        whole.map_or_else(|| parts.collect::<Vec<_>>().join("\n"), Into::into)
    }
}

impl Log {
    /// Reads a log. If it cannot be read, returns the reason.
    pub(super) fn read(file: &Opened<'_>) -> Result<Self, String> {
        let mut log = match file.form {
            Form::Archive => Self::of_archive(file.bytes)?,
            _ => json::read_as(file.bytes).map_err(|why| format!("{why}; the file may be truncated"))?,
        };
        // The oldest logs have no version number.
        let version = json::count(&log.version).filter(|version| (1..=NEWEST).contains(version));
        if version.is_none() && !log.version.is_null() {
            return Err(format!(
                "is a log of version {}, but surmise reads versions 1 to {NEWEST}; `inspect log convert` of \
                 another version of Inspect may convert it",
                log.version
            ));
        }
        log.name_score();
        Ok(log)
    }

    /// Converts results and samples from the oldest layout to the later layout. In the oldest layout, a log
    /// has one scorer, which only the results name.
    fn name_score(&mut self) {
        let Some(name) = self.results["scorer"]["name"].as_str().map(str::to_owned) else { return };
        if self.results["scores"].is_null() {
            let metrics = self.results["metrics"].take();
            self.results["scores"] = json!([{"name": name, "metrics": metrics}]);
        }
        for sample in self.samples.iter_mut().flatten().filter(|sample| sample.scores.is_null()) {
            let score = sample.score.take();
            if score.is_object() {
                sample.scores = json!({&name: score});
            }
        }
    }

    fn of_archive(bytes: &[u8]) -> Result<Self, String> {
        let mut archive = Archive::open(bytes)?;
        let names = archive.names();
        if !names.iter().any(|name| name == "header.json") {
            let is_log = names.iter().any(|name| name == "_journal/start.json");
            return Err(if is_log {
                "has no header.json, because the run has not ended; `inspect log recover` may repair the file"
                    .into()
            } else {
                "is an archive without header.json, so it is not a log of Inspect".into()
            });
        }
        let mut log: Self =
            json::read_as(&archive.read("header.json")?).map_err(|why| format!("header.json {why}"))?;
        let mut samples = vec![];
        for name in names.iter().filter(|name| name.starts_with("samples/") && name.ends_with(".json")) {
            let sample = json::read_as(&archive.read(name)?).map_err(|why| format!("{name} {why}"))?;
            samples.push(sample);
        }
        log.samples = Some(samples).filter(|samples| !samples.is_empty());
        Ok(log)
    }
}
