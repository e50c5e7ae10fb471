//! Prints what a collection would send and cost, as lines, CSV or JSON.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::{TableBytes, TableFlags};
use crate::collect::budget::estimate::Estimate;
use crate::collect::configuration::Configuration;
use crate::collect::secrets::Secrets;
use crate::error::Result;

/// An estimate as one row. Unknown numbers are empty.
#[derive(Debug, Serialize)]
struct EstimateRow {
    calls: usize,
    cached: usize,
    prompt_tokens_low: u64,
    prompt_tokens_high: u64,
    completion_tokens_low: u64,
    completion_tokens_high: u64,
    cost_usd_low: Option<f64>,
    cost_usd_high: Option<f64>,
    time_s: Option<f64>,
    /// Cost, savings and time if the requests are sent in batches; empty if the provider has no batch API.
    batch_cost_usd_low: Option<f64>,
    batch_cost_usd_high: Option<f64>,
    batch_saves_usd_low: Option<f64>,
    batch_saves_usd_high: Option<f64>,
    batch_time_s: Option<f64>,
    in_batches: usize,
    spent_usd: Option<f64>,
    /// Empty for a semantic collection, whose prompts follow `--form`.
    rendering: Option<String>,
    grader: Option<String>,
    normalisation: u32,
    stop: String,
    first_request: Option<String>,
}

/// Prints an estimate. The API key is redacted if a request contains it.
pub(super) fn print(
    estimate: &Estimate,
    configuration: &Configuration,
    table: &TableFlags,
    secrets: Option<&Secrets>,
) -> Result<()> {
    let redacted =
        |text: &str| secrets.map_or(text.to_owned(), |secrets| secrets.redact_text(text).into_owned());
    let mut row = EstimateRow::new(estimate, configuration);
    row.first_request = row.first_request.as_deref().map(redacted);
    let sources: Vec<PathBuf> = configuration.sources.iter().map(PathBuf::from).collect();
    table.check(None, &sources)?;
    let bytes = TableBytes::of_rows("estimate", std::slice::from_ref(&row))?;
    table.write(&bytes, redacted(&row.lines()).as_bytes())
}

impl EstimateRow {
    fn new(estimate: &Estimate, configuration: &Configuration) -> Self {
        let is_semantic = configuration.semantic.is_some();
        let grading = &configuration.grading;
        // Rounding removes the spurious digits of a floating-point difference.
        let saved = |direct: f64, batch: f64| ((direct - batch) * 1e12).round() / 1e12;
        let saves = (estimate.cost_usd.zip(estimate.batch_cost_usd))
            .map(|(direct, batch)| (saved(direct.0, batch.0), saved(direct.1, batch.1)));
        Self {
            calls: estimate.n_calls,
            cached: estimate.n_cached,
            prompt_tokens_low: estimate.prompt_tokens.0,
            prompt_tokens_high: estimate.prompt_tokens.1,
            completion_tokens_low: estimate.completion_tokens.0,
            completion_tokens_high: estimate.completion_tokens.1,
            cost_usd_low: estimate.cost_usd.map(|(low, _)| low),
            cost_usd_high: estimate.cost_usd.map(|(_, high)| high),
            time_s: estimate.time_s,
            batch_cost_usd_low: estimate.batch_cost_usd.map(|(low, _)| low),
            batch_cost_usd_high: estimate.batch_cost_usd.map(|(_, high)| high),
            batch_saves_usd_low: saves.map(|(low, _)| low),
            batch_saves_usd_high: saves.map(|(_, high)| high),
            batch_time_s: estimate.batch_time_s,
            in_batches: estimate.n_in_batches,
            spent_usd: estimate.spent_usd,
            rendering: (!is_semantic).then(|| configuration.rendering.name().to_owned()),
            grader: (!is_semantic).then(|| grading.grader.to_string()),
            normalisation: grading.normalisation.version,
            stop: stops(configuration),
            first_request: estimate.first.clone(),
        }
    }

    /// The estimate as tab-separated lines, then the first request.
    fn lines(&self) -> String {
        let mut text = format!(
            "calls\t{}\ncached\t{}\nprompt_tokens\t{}\t{}\ncompletion_tokens\t{}\t{}\n",
            self.calls,
            self.cached,
            self.prompt_tokens_low,
            self.prompt_tokens_high,
            self.completion_tokens_low,
            self.completion_tokens_high
        );
        if let Some((low, high)) = self.cost_usd_low.zip(self.cost_usd_high) {
            text.push_str(&format!("cost_usd\t{low:.6}\t{high:.6}\n"));
        }
        match self.time_s {
            Some(time_s) => text.push_str(&format!("time_s\t{time_s:.1}\n")),
            None => text.push_str("time_s\tunknown\n"),
        }
        for (name, low, high) in [
            ("batch_cost_usd", self.batch_cost_usd_low, self.batch_cost_usd_high),
            ("batch_saves_usd", self.batch_saves_usd_low, self.batch_saves_usd_high),
        ] {
            if let Some((low, high)) = low.zip(high) {
                text.push_str(&format!("{name}\t{low:.6}\t{high:.6}\n"));
            }
        }
        if let Some(time_s) = self.batch_time_s {
            text.push_str(&format!("batch_time_s\t{time_s:.1}\n"));
        }
        if self.in_batches > 0 {
            text.push_str(&format!("in_batches\t{}\n", self.in_batches));
        }
        if let Some(spent) = self.spent_usd {
            text.push_str(&format!("spent_usd\t{spent:.6}\n"));
        }
        for (name, value) in [("rendering", &self.rendering), ("grader", &self.grader)] {
            if let Some(value) = value {
                text.push_str(&format!("{name}\t{value}\n"));
            }
        }
        text.push_str(&format!("normalisation\t{}\nstop\t{}\n", self.normalisation, self.stop));
        if let Some(first) = &self.first_request {
            text.push_str(&format!("\n{first}\n"));
        }
        text
    }
}

/// Describes the stop sequences that are sent.
fn stops(configuration: &Configuration) -> String {
    match configuration.params.stop.as_slice() {
        [] if configuration.sends_task_stops => "the task's stop sequences".to_owned(),
        [] => "none sent; grading truncates answers at the task's stop sequences".to_owned(),
        given => given.iter().map(|stop| format!("{stop:?}")).collect::<Vec<_>>().join(" "),
    }
}
