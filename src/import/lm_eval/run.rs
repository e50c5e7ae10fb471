//! Reads the model, provider and date of a run of the harness, and creates score rows if there are no
//! samples.

use std::path::Path;

use serde_json::Value;

use crate::collect::results::scores::Score;
use crate::error::Result;
use crate::import::imported::ImportOptions;
use crate::import::keys::is_suspect;
use crate::import::run_facts::{date, model};

/// The model, provider and date of a run.
#[derive(Debug, Clone)]
pub(super) struct RunInfo {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) collected_at: Option<String>,
}

/// Reads the model, provider and date of a run from its results.
pub(super) fn run(path: &Path, value: &Value, options: &ImportOptions) -> Result<RunInfo> {
    let config = &value["config"];
    let named = [&value["model_name"], &config["model_args"]["model"], &config["model_args"]["pretrained"]];
    let argument = |name: &str| {
        let arguments = config["model_args"].as_str()?;
        arguments
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_owned())
    };
    let named = named.into_iter().find_map(|name| name.as_str().filter(|name| !name.is_empty()));
    let named = named
        .map(str::to_owned)
        .or_else(|| argument("model"))
        .or_else(|| argument("pretrained"))
        .or_else(|| config["model"].as_str().map(Into::into));
    let model = model(path, named.as_deref(), options)?;
    let provider =
        value["model_source"].as_str().or(config["model"].as_str()).filter(|name| !is_suspect(name));
    let provider = provider.unwrap_or("lm-evaluation-harness").to_owned();
    // The date is in seconds since 1970.
    let collected_at = date(&value["date"]);
    Ok(RunInfo { provider, model, collected_at })
}

/// Creates a score row that contains only the accuracy. The harness counts refused, filtered, truncated and
/// failed answers as wrong, so their numbers are unknown.
pub(super) fn score(of: &RunInfo, task: &str, shots: usize, n: usize, correct: f64) -> Score {
    Score {
        collected_at: of.collected_at.clone(),
        ..Score::of_accuracy(&of.provider, &of.model, task, shots, n, correct)
    }
}
