//! Finds the accuracies among the metrics of a task, and the number of items that they cover.

use serde_json::{Map, Value};

use crate::provider::json;

/// The metrics that are imported as accuracies, because they are shares of correct answers.
pub(crate) static SHARES: &[&str] = &[
    "acc",
    "acc_norm",
    "acc_bytes",
    "acc_mutual_info",
    "exact_match",
    "em",
    "contains",
    "prompt_level_strict_acc",
    "prompt_level_loose_acc",
];

/// One accuracy of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRow {
    /// The name of the metric.
    pub metric: String,
    /// The filter that the harness applied to the answers; `none` if there was no filter.
    pub filter: String,
    /// The share of correct answers; `None` if the value in the results is not a number.
    pub value: Option<f64>,
    /// The standard error of the share; `None` if the results do not contain a number for it.
    pub stderr: Option<f64>,
}

impl MetricRow {
    /// The name of the grader: `METRIC,FILTER`.
    pub(super) fn grader(&self) -> String {
        format!("{},{}", self.metric, self.filter)
    }
}

/// The name of a task. If several metrics of the task are imported (`of` is above 1), metric and filter
/// become part of the name.
pub(crate) fn name(task: &str, metric: &MetricRow, of: usize) -> String {
    if of == 1 { task.into() } else { format!("{task}/{},{}", metric.metric, metric.filter) }
}

/// The accuracies of a task in the results, or only the `wanted` accuracy, sorted by name.
pub(crate) fn metrics(row: &Map<String, Value>, wanted: Option<&str>) -> Vec<MetricRow> {
    let one = |(key, value): (&String, &Value)| {
        let (metric, filter) = key.split_once(',').unwrap_or((key, "none"));
        let asked = wanted.is_none_or(|wanted| wanted == metric || wanted == format!("{metric},{filter}"));
        let value = match value {
            // If an answer has no grade, the harness writes NaN, which is read as null.
            Value::Null => None,
            _ => Some(value.as_f64().filter(|value| (0.0..=1.0).contains(value))?),
        };
        let stderr = [format!("{metric}_stderr,{filter}"), format!("{metric}_stderr")];
        let stderr = stderr.iter().find_map(|key| row.get(key)?.as_f64());
        let row = MetricRow { metric: metric.into(), filter: filter.into(), value, stderr };
        (asked && SHARES.contains(&metric)).then_some(row)
    };
    row.iter().filter_map(one).collect()
}

pub(super) fn shots(value: &Value, task: &str) -> Option<usize> {
    let places =
        [&value["n-shot"][task], &value["configs"][task]["num_fewshot"], &value["config"]["num_fewshot"]];
    places.into_iter().find_map(json::count).and_then(|n| usize::try_from(n).ok())
}

/// The number of items. If the file does not state it, it is computed from the standard error, `se = sqrt(p
/// (1 - p) / (n - 1))`.
pub(super) fn n_items(
    value: &Value,
    task: &str,
    row: &Map<String, Value>,
    metric: &MetricRow,
) -> Option<usize> {
    let stated = [&value["n-samples"][task]["effective"], row.get("sample_len").unwrap_or(&Value::Null)];
    let stated =
        stated.into_iter().find_map(json::count).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    stated.or_else(|| {
        let (p, se) = (metric.value?, metric.stderr.filter(|se| *se > 0.0)?);
        let n = p * (1.0 - p) / (se * se) + 1.0;
        // The share times n, the number of correct answers, must be an integer. Otherwise the standard error
        // was computed in another way, such as by a bootstrap.
        let right = (p * n.round() - (p * n.round()).round()).abs();
        (n.is_finite() && n < 1e9 && (n - n.round()).abs() < 0.02 * n.sqrt() && right < 0.01)
            .then(|| n.round() as usize)
    })
}
