//! Implements the importer for logs of Inspect.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::log::{Log, Sample};
use super::scorers::{Scorer, scorers};
use crate::collect::results::scores::Score;
use crate::error::Result;
use crate::import::answers::{Answers, graded_by};
use crate::import::imported::{ImportOptions, Imported, SourceFile, WithoutColumn};
use crate::import::importer::Importer;
use crate::import::keys::KeyRedaction;
use crate::import::opened::{Form, Opened};
use crate::import::run_facts::{
    check_mean, check_whole, date, fault, model, provider_and_model, shots, shots_among, task_name,
};
use crate::import::settings::Settings;
use crate::provider::json;

/// The importer for logs of Inspect.
#[derive(Debug, Clone, Copy)]
pub struct Inspect;

const NAME: &str = "inspect";

impl Importer for Inspect {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "logs of Inspect, .eval or .json (log versions 1 and 2)"
    }

    fn sniff(&self, file: &Opened<'_>) -> bool {
        *file.form == Form::Archive || file.has(&["version", "eval"]) || file.has(&["status", "eval"])
    }

    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported> {
        let path = file.path;
        let mut log = Log::read(file).map_err(|why| fault(path, why))?;
        check_whole(path, part(&log), options)?;
        let mut samples = log.samples.take().unwrap_or_default();
        sort(&mut samples, &log.eval["dataset"]["sample_ids"]);
        let mut run = run(path, &log, options)?;
        let mut keys = KeyRedaction::new();
        let mut scorers = scorers(&samples, &mut keys);
        scorers.retain(|name, _| options.metric.as_ref().is_none_or(|metric| metric == name));
        let all = &mut run.all;
        notes(&log, &samples, all);
        for (name, scorer) in scorers.iter().filter(|(_, scorer)| scorer.n_other > 0) {
            let n = scorer.n_other;
            all.notes.push(format!(
                "{n} values of the scorer {name} are not shares of correct answers, so {name} is not imported"
            ));
        }
        scorers.retain(|_, scorer| scorer.n_other == 0);
        if samples.is_empty() {
            run.add_results(path, &log, options)?;
        } else {
            let n = scorers.len();
            for (name, scorer) in scorers {
                run.add(path, &log, (&name, n), scorer)?;
            }
        }
        if run.all.scores.is_empty() {
            return Err(fault(path, "has no scores that are shares of correct answers"));
        }
        run.all.add_source(SourceFile::of(path, file.bytes), settings(&log), &keys);
        Ok(run.all)
    }
}

/// The facts of a run that apply to all its scorers, and the import so far.
struct Run {
    provider: String,
    model: String,
    task: String,
    shots: usize,
    created: Option<String>,
    all: Imported,
}

fn run(path: &Path, log: &Log, options: &ImportOptions) -> Result<Run> {
    let mut all = Imported::empty();
    let named = log.eval["model"].as_str();
    let (provider, named) = named.map_or((NAME, None), |name| {
        let (provider, model) = provider_and_model(name, NAME);
        (provider, Some(model))
    });
    let model = model(path, named, options)?;
    let task = log.eval["task"].as_str().or(log.eval["task_registry_name"].as_str());
    let task = task.ok_or_else(|| fault(path, "does not name its task"))?;
    let stated = shots_among(&log.eval["task_args"]);
    let shots = shots(path, stated, options, &mut all);
    let created = date(&log.eval["created"]);
    Ok(Run { provider: provider.into(), model, task: task.into(), shots, created, all })
}

impl Run {
    /// Adds the answers as graded by one of `n` scorers. The mean of the grades must agree with the results
    /// of the log.
    fn add(&mut self, path: &Path, log: &Log, (name, n): (&str, usize), scorer: Scorer) -> Result<()> {
        let answers = Answers {
            provider: self.provider.clone(),
            model: self.model.clone(),
            task: task_name(&self.task, name, n),
            shots: self.shots,
            grader: name.into(),
            rows: scorer.rows,
        };
        let averaged: BTreeMap<(String, usize), f64> = answers
            .rows
            .iter()
            .zip(scorer.averaged)
            .filter_map(|(row, value)| Some(((row.id.clone(), row.replicate), value?)))
            .collect();
        if averaged.is_empty() {
            self.all.notes.push(format!("the scorer {name} scored no sample, so it is not imported"));
            return Ok(());
        }
        let mean = answers.mean(|row| averaged.get(&(row.id.clone(), row.replicate)).copied());
        let result = results(log)
            .find(|score| reducer(log, score) == MEAN && names(score).iter().any(|known| known == name));
        check_mean(path, &answers.task, mean, result.and_then(stated))?;
        self.all.add(answers);
        Ok(())
    }

    /// Adds the accuracies that the results of a log state, for a log without samples.
    fn add_results(&mut self, path: &Path, log: &Log, options: &ImportOptions) -> Result<()> {
        let wanted = results(log).filter(|score| {
            let is_wanted = |name: &String| options.metric.as_ref().is_none_or(|metric| metric == name);
            names(score).iter().any(is_wanted)
        });
        // Other reducers, such as the maximum over epochs, are not shares of correct answers.
        let (scores, others): (Vec<&Value>, Vec<&Value>) =
            wanted.partition(|score| reducer(log, score) == MEAN);
        if let (true, Some(other)) = (scores.is_empty(), others.first()) {
            let reducer = reducer(log, other);
            let what = format!(
                "has no samples, and its results come from the reducer {reducer}, so they are not means over \
                 epochs; import a log that contains the samples"
            );
            return Err(fault(path, what));
        }
        let epochs = json::count(&log.eval["config"]["epochs"]).unwrap_or(1).max(1);
        for score in &scores {
            let name = names(score).into_iter().next().unwrap_or_default();
            let Some(accuracy) = stated(score).filter(|value| (0.0..=1.0).contains(value)) else {
                let what = "its results contain neither an accuracy nor a mean from 0 to 1";
                self.all.notes.push(format!("{name} is not imported: {what}"));
                continue;
            };
            let whole = |n: u64| usize::try_from(n).ok().filter(|n| *n > 0);
            let of_epoch = |name: &str| json::count(&log.results[name]).and_then(|n| whole(n / epochs));
            let (total, completed) = (of_epoch("total_samples"), of_epoch("completed_samples"));
            let n = json::count(&score["scored_samples"]).and_then(whole).or(completed).or(total);
            let n = n.or_else(|| self.all.given_items(options, &self.task)).ok_or_else(|| {
                let hint = format!("give the number with --n-items '{}=N'", self.task);
                fault(path, format!("contains neither samples nor their number; {hint}"))
            })?;
            let task = task_name(&self.task, &name, scores.len());
            let right = accuracy * n as f64;
            let row = Score::of_accuracy(&self.provider, &self.model, &task, self.shots, n, right);
            // The accuracy is the mean over scored samples. Samples that are not completed have failed.
            // Completed samples whose score is missing or NaN count as unreadable.
            let n_items = total.or(completed).unwrap_or(n).max(n);
            let n_completed = completed.unwrap_or(n_items).clamp(n, n_items);
            let row = Score {
                n_items,
                n_error: n_items - n_completed,
                n_unreadable: n_completed - n,
                accuracy_all_as_wrong: Some(right / n_items as f64),
                collected_at: self.created.clone(),
                ..row
            };
            self.all.scores.push(graded_by(row, &name));
        }
        let file = path.display();
        self.all
            .notes
            .push(format!("{file} has no samples, so wrong and missing answers cannot be distinguished"));
        Ok(())
    }
}

/// The reducer that averages the epochs of a sample.
const MEAN: &str = "mean";

/// The reducer that a result applies to the epochs of a sample. If the result does not name a reducer,
/// returns the only reducer of the configuration, or the mean by default.
fn reducer<'a>(log: &'a Log, score: &'a Value) -> &'a str {
    let config = &log.eval["config"];
    let has_epochs = json::count(&config["epochs"]).is_some_and(|epochs| epochs > 1);
    let only = match config["epochs_reducer"].as_array().map(Vec::as_slice) {
        Some([only]) if has_epochs => only.as_str(),
        _ => None,
    };
    score["reducer"].as_str().or(only).unwrap_or(MEAN)
}

fn results(log: &Log) -> impl Iterator<Item = &Value> {
    log.results["scores"].as_array().into_iter().flatten()
}

/// The mean that a result states.
fn stated(score: &Value) -> Option<f64> {
    ["accuracy", "mean"].iter().find_map(|metric| score["metrics"][*metric]["value"].as_f64())
}

/// The names under which samples may contain a score of the results. If the names of the score and of its
/// scorer differ, the score may be a member of the scorer's value, with the name SCORER/NAME.
fn names(score: &Value) -> Vec<String> {
    let (name, scorer) = (score["name"].as_str().unwrap_or_default(), score["scorer"].as_str());
    match scorer.filter(|scorer| *scorer != name) {
        Some(scorer) => vec![format!("{scorer}/{name}"), name.into()],
        None => vec![name.into()],
    }
}

/// The reason why the run may have evaluated only a part of its task; `None` if there is no such reason.
fn part(log: &Log) -> Option<String> {
    if log.status != "success" {
        return Some(format!("comes from a run with status `{}`, which may be incomplete", log.status));
    }
    let config = &log.eval["config"];
    // A limit above the number of samples has no effect.
    let (limit, n) = (config["limit"].as_u64(), log.eval["dataset"]["samples"].as_u64());
    if limit.zip(n).is_some_and(|(limit, n)| limit >= n) && config["sample_id"].is_null() {
        return None;
    }
    let cut = ["limit", "sample_id"].into_iter().find(|name| !config[*name].is_null())?;
    Some(format!("comes from a run with {cut} {}, which evaluated only a part of its task", config[cut]))
}

/// Sorts the samples in the order of the dataset. An archive stores them in another order.
fn sort(samples: &mut [Sample], ids: &Value) {
    let ids = ids.as_array().into_iter().flatten().filter_map(json::word);
    let order: BTreeMap<String, usize> = ids.zip(0..).collect();
    samples.sort_by_key(|sample| {
        (order.get(&sample.name()).copied().unwrap_or(usize::MAX), sample.name(), sample.epoch)
    });
}

/// Adds notes on the parts of the log that are not imported.
fn notes(log: &Log, samples: &[Sample], all: &mut Imported) {
    let cut = |sample: &&Sample| {
        matches!(sample.output["choices"][0]["stop_reason"].as_str(), Some("max_tokens" | "model_length"))
    };
    let logprobs = |sample: &&Sample| {
        let content = sample.output["choices"][0]["logprobs"]["content"].as_array();
        content.is_some_and(|tokens| !tokens.is_empty())
    };
    let several =
        |sample: &&Sample| sample.output["choices"].as_array().is_some_and(|choices| choices.len() > 1);
    let n = |test: &dyn Fn(&&Sample) -> bool| samples.iter().filter(test).count();
    let found = WithoutColumn { n_cut: n(&cut), n_logprobs: n(&logprobs), n_several: n(&several) };
    all.count_without_column(found);
    let reducers: Vec<&str> =
        results(log).map(|score| reducer(log, score)).filter(|name| *name != MEAN).collect();
    if !reducers.is_empty() {
        let names = reducers.join(", ");
        all.notes
            .push(format!("epochs are averaged, so the results of the reducers {names} are not imported"));
    }
    let asked = log.eval["model"].as_str();
    let used = log.stats["model_usage"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let others: Vec<&str> = used.filter(|name| Some(*name) != asked).collect();
    if !others.is_empty() {
        let names = others.join(", ");
        all.notes.push(format!(
            "the log also names other models, such as graders, for which no scores are imported: {names}"
        ));
    }
}

fn settings(log: &Log) -> Settings {
    let mut settings = Settings::default();
    let eval = &log.eval;
    settings.add("status", &Value::String(log.status.clone()));
    for name in ["created", "run_id", "task_version", "model_base_url"] {
        settings.add(name, &eval[name]);
    }
    settings.add("packages.inspect_ai", &eval["packages"]["inspect_ai"]);
    settings.add("dataset.name", &eval["dataset"]["name"]);
    settings.add("dataset.samples", &eval["dataset"]["samples"]);
    for name in ["epochs", "limit", "fail_on_error"] {
        settings.add(&format!("config.{name}"), &eval["config"][name]);
    }
    settings.add_all("task_args", &eval["task_args"]);
    settings.add_all("model_args", &eval["model_args"]);
    settings.add_all("model_generate_config", &eval["model_generate_config"]);
    settings
}
