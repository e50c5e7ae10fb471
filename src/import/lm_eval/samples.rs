//! Reads `samples_<task>_<time>.jsonl`, which has one line per document and filter. Before version 0.4.3, the
//! file was one JSON list of all documents, without filters. The harness stores a missing answer as an empty
//! string; surmise imports it as empty, not as wrong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::metrics::{MetricRow, SHARES, name};
use super::run::RunInfo;
use crate::collect::grading::{Grade, GradeKind};
use crate::collect::results::ItemRow;
use crate::collect::results::facts::with_facts;
use crate::disk;
use crate::error::{Error, Result};
use crate::import::answers::{Answers, row};
use crate::import::imported::{ImportOptions, Imported, SourceFile};
use crate::import::keys::KeyRedaction;
use crate::import::run_facts::{clipped, fault, json_lines, share};
use crate::numeric::statistics::mean;
use crate::provider::json;
use crate::seed;

/// The samples of one task.
#[derive(Debug)]
pub(crate) struct Samples {
    path: PathBuf,
    pub(crate) sha256: String,
    lines: Vec<Value>,
}

/// Reads the samples file of a task in the folder of its results, if the file exists.
pub(crate) fn beside(results: &Path, task: &str) -> Result<Option<Samples>> {
    let name = results.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let time = name.strip_prefix("results_").and_then(|rest| rest.strip_suffix(".json"));
    let Some(time) = time else { return Ok(None) };
    let path = results.with_file_name(format!("samples_{task}_{time}.jsonl"));
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    Samples::parse(&path, &bytes).map(Some)
}

/// Reads a samples file without results. The user must give the model and the number of shots.
pub(crate) fn read_without_results(
    path: &Path,
    bytes: &[u8],
    options: &ImportOptions,
    all: &mut Imported,
) -> Result<()> {
    let (Some(model), Some(shots)) = (&options.model, options.shots) else {
        return Err(fault(
            path,
            "states neither the model nor the number of shots; import the results_*.json of the run, or give \
             --model and --shots",
        ));
    };
    let stem = disk::file_stem(path);
    // The name of the file is samples_<task>_<time>, and the time contains no underscore.
    let task = stem
        .strip_prefix("samples_")
        .and_then(|rest| Some(rest.rsplit_once('_')?.0))
        .unwrap_or(&stem)
        .to_owned();
    let samples = Samples::parse(path, bytes)?;
    let run = RunInfo { provider: "lm-evaluation-harness".into(), model: model.clone(), collected_at: None };
    let rows = samples.metrics(options.metric.as_deref());
    if rows.is_empty() {
        return Err(fault(path, "has no metric that is a share of correct answers"));
    }
    let mut keys = KeyRedaction::new();
    for metric in &rows {
        let answers = samples.answers(&run, &name(&task, metric, rows.len()), shots, (metric, &mut keys))?;
        answers.into_iter().for_each(|answers| all.add(answers));
    }
    let mut source = SourceFile::of(path, bytes);
    source.samples_sha256.insert(task, samples.sha256);
    all.notes.extend(keys.note().map(|note| format!("{} {note}", source.file)));
    all.provenance.sources.push(source);
    Ok(())
}

impl Samples {
    fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let (path, sha256) = (path.to_path_buf(), seed::sha256_hex(bytes));
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if text.trim_ascii_start().starts_with(b"[") {
            let value = json::read(text).map_err(|why| fault(&path, why))?;
            let lines = value.as_array().cloned().unwrap_or_default();
            return Ok(Self { path, sha256, lines });
        }
        let lines = json_lines(&path, text)?;
        Ok(Self { path, sha256, lines })
    }

    /// The accuracies in the samples, one for each metric and filter, or only the `wanted` accuracy.
    fn metrics(&self, wanted: Option<&str>) -> Vec<MetricRow> {
        let filters: BTreeSet<&str> = self.lines.iter().map(filter).collect();
        let mut rows = vec![];
        for metric in SHARES {
            for filter in &filters {
                let asked =
                    wanted.is_none_or(|wanted| wanted == *metric || wanted == format!("{metric},{filter}"));
                let values = self.grades(metric, filter).map(|grades| means(&grades));
                if let Some(value) = values.flatten().filter(|_| asked).map(Some) {
                    rows.push(MetricRow {
                        metric: (*metric).into(),
                        filter: (*filter).into(),
                        value,
                        stderr: None,
                    });
                }
            }
        }
        rows
    }

    /// The lines that a metric graded, with their grades. A grade is `None` if it is null. Returns `None` if
    /// a grade is not from 0 to 1.
    fn grades(&self, metric: &str, wanted: &str) -> Option<Vec<(&Value, Option<f64>)>> {
        let lines = self.lines.iter().filter(|line| filter(line) == wanted && line.get(metric).is_some());
        let grade =
            |line: &Value| if line[metric].is_null() { Some(None) } else { share(&line[metric]).map(Some) };
        lines.map(|line| Some((line, grade(line)?))).collect()
    }

    /// The answers as graded by one metric; `None` if the samples do not contain grades of the metric. The
    /// mean of the grades must agree with the results.
    pub(crate) fn answers(
        &self,
        run: &RunInfo,
        task: &str,
        shots: usize,
        (metric, keys): (&MetricRow, &mut KeyRedaction),
    ) -> Result<Option<Answers>> {
        let Some(grades) = self.grades(&metric.metric, &metric.filter) else { return Ok(None) };
        let Some(mean) = means(&grades) else { return Ok(None) };
        // Results are stored with all digits, so means may differ only by the order of summation.
        if let Some(value) = metric.value.filter(|value| (mean - value).abs() > 1e-6) {
            let reason = format!(
                "the mean of {} is {mean}, but the results state {value}; the files come from different runs",
                metric.metric
            );
            return Err(fault(&self.path, reason));
        }
        let (mut rows, mut seen) = (vec![], BTreeSet::new());
        for (line, value) in grades {
            let document = line["doc_id"].to_string();
            if !seen.insert(document.clone()) {
                return Err(fault(
                    &self.path,
                    format!("contains document {document} twice for the filter {}", metric.filter),
                ));
            }
            rows.push(item_row(line, &document, value, keys, run.collected_at.as_deref()));
        }
        let grader = metric.grader();
        let (provider, model) = (run.provider.clone(), run.model.clone());
        Ok(Some(Answers { provider, model, task: task.into(), shots, grader, rows }))
    }
}

/// Creates the row of a document. Its answer is the first filtered response, if that is a string.
fn item_row(
    line: &Value,
    document: &str,
    value: Option<f64>,
    keys: &mut KeyRedaction,
    at: Option<&str>,
) -> ItemRow {
    let mut copy =
        |what: &str, text: &str| keys.copy(|| format!("document {document}, {what}"), &clipped(text));
    let grade = if unanswered(&line["resps"]) {
        Grade::none(GradeKind::Empty, "")
    } else {
        let filtered = line["filtered_resps"][0].as_str().unwrap_or_default();
        let answer = copy("answer", filtered);
        let grade = value.map_or_else(
            || Grade::none(GradeKind::Unreadable, &answer),
            |value| Grade::scored(value, answer.clone()),
        );
        Grade { logprob: gold_logprob(line), ..grade }
    };
    // If surmise exported the file, the member `surmise` contains facts about each answer, such as the kind
    // of its grade. With several answers to a document, the grade is a mean, so the facts of one answer do
    // not apply.
    let grade = match line["surmise"].as_array().map(Vec::as_slice) {
        Some([facts]) => with_facts(grade, facts),
        _ => grade,
    };
    let target = match &line["target"] {
        Value::String(text) => copy("target", text),
        Value::Null => String::new(),
        other => copy("target", &other.to_string()),
    };
    ItemRow {
        gold: serde_json::json!([target]).to_string(),
        collected_at: at.map(Into::into),
        ..row(document, 0, grade)
    }
}

fn filter(line: &Value) -> &str {
    line["filter"].as_str().unwrap_or("none")
}

/// The mean of the grades that are not `None`; `None` if there are no such grades.
fn means(grades: &[(&Value, Option<f64>)]) -> Option<f64> {
    let values: Vec<f64> = grades.iter().filter_map(|(_, value)| *value).collect();
    (!values.is_empty()).then(|| mean(&values))
}

/// Whether every answer to a document is an empty string, which the harness stores for a missing answer.
/// `resps` contains one list per request, with one entry per repeat.
fn unanswered(resps: &Value) -> bool {
    let mut answers = resps.as_array().into_iter().flatten().filter_map(Value::as_array).flatten().peekable();
    answers.peek().is_some()
        && answers.all(|answer| answer.as_str().is_some_and(|text| text.trim().is_empty()))
}

/// For a multiple-choice document, the log-probability of the correct choice. The target is the index of this
/// choice. The harness stores the log-probability and the index as strings.
fn gold_logprob(line: &Value) -> Option<f64> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let target = number(&line["target"]).filter(|target| target.fract() == 0.0 && *target >= 0.0)? as usize;
    // A multiple-choice document has one response per choice; a document with a generated text has only one
    // response.
    let choices = line["resps"].as_array().filter(|choices| choices.len() > 1)?;
    let first = &choices.get(target)?[0];
    number(&first[0]).filter(|logprob| logprob.is_finite() && *logprob <= 0.0)
}
