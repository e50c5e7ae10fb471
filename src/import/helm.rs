//! Imports run folders of HELM (Stanford CRFM). A run evaluates one model on one scenario and writes
//! run_spec.json, per_instance_stats.json, scenario_state.json and stats.json.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::answers::{Answers, grade, row};
use super::imported::{ImportOptions, Imported, SourceFile, WithoutColumn};
use super::importer::Importer;
use super::keys::KeyRedaction;
use super::opened::Opened;
use super::run_facts::{check_mean, clipped, date, fault, is_wanted, model, provider_and_model, task_name};
use super::settings::Settings;
use crate::collect::grading::{Grade, GradeKind};
use crate::collect::results::ItemRow;
use crate::disk;
use crate::error::{Error, Result};
use crate::provider::json;
use crate::seed;

/// The importer for run folders of HELM.
#[derive(Debug, Clone, Copy)]
pub struct Helm;

const NAME: &str = "helm";
const SPEC: &str = "run_spec.json";
const BESIDE: [&str; 4] = ["per_instance_stats.json", "scenario_state.json", "stats.json", "scenario.json"];

fn is_beside(path: &Path) -> bool {
    let is_part = path.file_name().is_some_and(|name| BESIDE.iter().any(|part| name == *part));
    is_part && path.with_file_name(SPEC).is_file()
}

impl Importer for Helm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "run folders of HELM, or their run_spec.json with per_instance_stats.json, scenario_state.json and \
         stats.json next to it"
    }

    fn sniff(&self, file: &Opened<'_>) -> bool {
        file.has(&["adapter_spec", "scenario_spec"]) || is_beside(file.path)
    }

    fn reads_beside(&self, path: &Path) -> bool {
        is_beside(path)
    }

    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported> {
        let path = file.path;
        if is_beside(path) {
            return Err(fault(
                path,
                "is part of a HELM run; give the folder of the run, or its run_spec.json",
            ));
        }
        let spec = json::read(file.bytes).map_err(|why| fault(path, why))?;
        let mut source = SourceFile::of(path, file.bytes);
        // All runs use the same file names, so the name of the folder is added.
        let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        source.file = folder.map_or(source.file.clone(), |folder| format!("{folder}/{}", source.file));
        let mut beside = |name: &str| -> Result<Option<Value>> {
            let path = path.with_file_name(name);
            if !path.is_file() {
                return Ok(None);
            }
            let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
            source.samples_sha256.insert(name.into(), seed::sha256_hex(&bytes));
            let value = json::read(&bytes);
            value.map(Some).map_err(|why| fault(&path, format!("{why}; the file may be truncated")))
        };
        let instances = beside("per_instance_stats.json")?.ok_or_else(|| {
            fault(
                path,
                "has no per_instance_stats.json, which contains the scores, next to it; give the complete \
                 run folder",
            )
        })?;
        let (state, stats) = (beside("scenario_state.json")?, beside("stats.json")?);
        let run = HelmRun::read(path, &spec, options)?;
        let (mut all, mut keys) = (Imported::empty(), KeyRedaction::new());
        let asked = asked(state.as_ref().unwrap_or(&Value::Null), &mut all, &mut keys);
        if !options.limited {
            all.notes.extend(limit(path, &spec, &instances));
        }
        run.add(path, &instances, (&asked, stats.as_ref()), options, &mut all)?;
        if all.scores.is_empty() {
            return Err(fault(
                path,
                "has no metric that is a share of correct answers; choose another metric with --metric",
            ));
        }
        all.add_source(source, settings(&spec), &keys);
        Ok(all)
    }
}

/// Model, task and shots of a run.
struct HelmRun {
    provider: String,
    model: String,
    task: String,
    shots: usize,
}

impl HelmRun {
    fn read(path: &Path, spec: &Value, options: &ImportOptions) -> Result<Self> {
        let adapter = &spec["adapter_spec"];
        let model = model(path, adapter["model"].as_str().filter(|name| !name.is_empty()), options)?;
        let deployment = adapter["model_deployment"].as_str().unwrap_or_default();
        let (provider, _) = provider_and_model(deployment, NAME);
        let name = spec["name"].as_str().ok_or_else(|| fault(path, "does not name its scenario"))?;
        let stated = json::count(&adapter["max_train_instances"]).and_then(|n| usize::try_from(n).ok());
        let shots = options.shots.or(stated);
        let shots = shots.ok_or_else(|| {
            fault(path, "does not state max_train_instances; give the number of shots with --shots")
        })?;
        Ok(Self { provider: provider.into(), model, task: task(name), shots })
    }

    /// Adds a score for each selected metric.
    fn add(
        &self,
        path: &Path,
        instances: &Value,
        (asked, stats): (&Asked, Option<&Value>),
        options: &ImportOptions,
        all: &mut Imported,
    ) -> Result<()> {
        let whole = instances.as_array().map(Vec::as_slice).unwrap_or_default();
        let instances: Vec<&Value> = whole.iter().filter(|one| one["perturbation"].is_null()).collect();
        let split = split(&instances);
        let mut left_out = whole.len() - instances.len();
        let mut metrics: BTreeMap<&str, Vec<(&Value, Option<f64>)>> = BTreeMap::new();
        let mut n_graded = 0;
        let mut refused = BTreeSet::new();
        for instance in instances {
            let stats = instance["stats"].as_array().into_iter().flatten();
            let is_of_split = |stat: &&Value| stat["name"]["split"].as_str() == split.as_deref();
            let stats: Vec<&Value> =
                stats.filter(is_of_split).filter(|stat| stat["name"]["perturbation"].is_null()).collect();
            left_out += usize::from(stats.is_empty());
            n_graded += usize::from(!stats.is_empty());
            for stat in stats {
                let Some(name) = stat["name"]["name"].as_str().filter(|name| is_wanted(name, options)) else {
                    continue;
                };
                match mean(stat) {
                    Some(value) if !(0.0..=1.0).contains(&value) => drop(refused.insert(name)),
                    value => metrics.entry(name).or_default().push((instance, value)),
                }
            }
        }
        if left_out > 0 {
            let split = match &split {
                Some(split) => format!("belong to a split other than {split}"),
                None => "belong to a split".into(),
            };
            all.notes.push(format!(
                "{left_out} instances are left out, because they are perturbed, {split}, or have no scores"
            ));
        }
        metrics.retain(|name, _| !refused.contains(name));
        all.notes.extend(
            refused.iter().map(|name| format!("{name} is not a share of correct answers: not imported")),
        );
        let n = metrics.len();
        for (name, values) in metrics {
            let of_trial = |instance: &Value| {
                let id = instance["instance_id"].as_str().unwrap_or_default();
                (id.to_owned(), json::count(&instance["train_trial_index"]).unwrap_or(0) as usize)
            };
            let stated: Vec<f64> = values.iter().filter_map(|(_, value)| *value).collect();
            if stated.is_empty() {
                all.notes.push(format!("{name} has no value for any instance: not imported"));
                continue;
            }
            if n_graded > values.len() {
                let n = n_graded - values.len();
                all.notes
                    .push(format!("{n} instances have no value of {name} and are left out of its score"));
            }
            let rows =
                values.iter().map(|(instance, value)| asked.row(&of_trial(instance), *value)).collect();
            let answers = Answers {
                provider: self.provider.clone(),
                model: self.model.clone(),
                task: task_name(&self.task, name, n),
                shots: self.shots,
                grader: name.into(),
                rows,
            };
            // HELM averages over the instances of each trial, and then over the trials. The mean over all
            // instances is the same if all trials have the same number of instances.
            let mean = stated.iter().sum::<f64>() / stated.len() as f64;
            let result = stats.and_then(|stats| result(stats, name, split.as_deref()));
            check_mean(path, &answers.task, Some(mean), result)?;
            all.add(answers);
        }
        Ok(())
    }
}

/// A note on a run that may have evaluated only a part of its scenario. HELM draws at most
/// `max_eval_instances` instances and does not state how many instances the scenario has.
fn limit(path: &Path, spec: &Value, instances: &Value) -> Option<String> {
    let most = json::count(&spec["adapter_spec"]["max_eval_instances"])?;
    let unperturbed = instances.as_array()?.iter().filter(|instance| instance["perturbation"].is_null());
    let ids: BTreeSet<&str> = unperturbed.filter_map(|instance| instance["instance_id"].as_str()).collect();
    (ids.len() as u64 >= most).then(|| {
        format!(
            "{}: the run has as many instances as its max_eval_instances allows ({most}), so it may have \
             evaluated only a part of its scenario; HELM does not state the total number of instances",
            path.display()
        )
    })
}

/// The name of a run without its model: `mmlu:subject=law,model=x` becomes `mmlu:subject=law`.
fn task(name: &str) -> String {
    let (scenario, arguments) = name.split_once(':').unwrap_or((name, ""));
    let is_kept = |part: &&str| !part.starts_with("model=") && !part.starts_with("model_deployment=");
    let kept: Vec<&str> = arguments.split(',').filter(|part| !part.is_empty()).filter(is_kept).collect();
    if kept.is_empty() { scenario.into() } else { format!("{scenario}:{}", kept.join(",")) }
}

/// The split to import: `test` if it exists, otherwise the first split in alphabetical order.
fn split(instances: &[&Value]) -> Option<String> {
    let stats = instances.iter().flat_map(|instance| instance["stats"].as_array().into_iter().flatten());
    let splits: BTreeSet<&str> = stats.filter_map(|stat| stat["name"]["split"].as_str()).collect();
    splits.get("test").or(splits.first()).map(|split| (*split).to_owned())
}

/// The mean of a statistic; `None` if the statistic has no values or its sum is not a number.
fn mean(stat: &Value) -> Option<f64> {
    let (count, sum) = (stat["count"].as_f64().filter(|count| *count > 0.0)?, stat["sum"].as_f64()?);
    Some(sum / count)
}

fn result(stats: &Value, metric: &str, split: Option<&str>) -> Option<f64> {
    let is_it = |stat: &&Value| {
        let name = &stat["name"];
        name["name"] == *metric
            && name["split"].as_str() == split
            && name["perturbation"].is_null()
            && name["sub_split"].is_null()
    };
    mean(stats.as_array()?.iter().find(is_it)?)
}

/// The answers of a run, by instance and trial.
#[derive(Default)]
struct Asked {
    rows: BTreeMap<(String, usize), Answered>,
}

/// An answer without its grade.
#[derive(Default)]
struct Answered {
    text: String,
    failed: bool,
    row: Option<ItemRow>,
}

impl Asked {
    fn row(&self, place: &(String, usize), credit: Option<f64>) -> ItemRow {
        // If the text of the answer is missing, a placeholder prevents it from counting as empty.
        let without = || row(&place.0, place.1, grade(credit, "unknown", "", false));
        let Some(answered) = self.rows.get(place) else { return without() };
        let grade = match answered.failed {
            true => Grade::none(GradeKind::Error, &answered.text),
            false => grade(credit, &answered.text, &answered.text, false),
        };
        let known = answered.row.clone().unwrap_or_else(without);
        ItemRow { kind: grade.kind, credit: grade.credit, answer: grade.extracted, ..known }
    }
}

/// Reads the answers from scenario_state.json. If an instance has one request per choice, the model gave no
/// text, so a placeholder is the answer.
fn asked(state: &Value, all: &mut Imported, keys: &mut KeyRedaction) -> Asked {
    let mut asked = Asked::default();
    let mut found = WithoutColumn::default();
    for state in state["request_states"].as_array().into_iter().flatten() {
        let instance = &state["instance"];
        if !instance["perturbation"].is_null() {
            continue;
        }
        let (id, result) = (instance["id"].as_str().unwrap_or_default(), &state["result"]);
        let trial = json::count(&state["train_trial_index"]).unwrap_or(0) as usize;
        let completions = result["completions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let first = completions.first().unwrap_or(&Value::Null);
        found.n_several += usize::from(completions.len() > 1);
        found.n_logprobs += usize::from(first["logprob"].as_f64().is_some_and(|logprob| logprob != 0.0));
        let finish = first["finish_reason"]["reason"].as_str();
        found.n_cut += usize::from(finish == Some("length"));
        let mut copy =
            |what: &str, text: &str| keys.copy(|| format!("instance {id}, {what}"), &clipped(text));
        let is_right = |one: &&Value| {
            one["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| *tag == "correct"))
        };
        let references = instance["references"].as_array().into_iter().flatten();
        let gold: Vec<String> = references
            .filter(is_right)
            .filter_map(|one| one["output"]["text"].as_str())
            .map(|text| copy("reference", text))
            .collect();
        let is_choice = !state["reference_index"].is_null();
        let text = if is_choice { "(choices compared)" } else { first["text"].as_str().unwrap_or_default() };
        let failed = result["success"] == false;
        let text = if failed { result["error"].as_str().unwrap_or("failed") } else { text };
        let text = copy("answer", text);
        let row = ItemRow {
            gold: serde_json::json!(gold).to_string(),
            finish_reason: finish.map(|finish| copy("finish reason", finish)),
            collected_at: date(&result["request_datetime"]),
            ..row(&copy("id", id), trial, Grade::scored(0.0, ""))
        };
        asked.rows.insert((id.to_owned(), trial), Answered { text, failed, row: Some(row) });
    }
    all.count_without_column(found);
    asked
}

fn settings(spec: &Value) -> Settings {
    let mut settings = Settings::default();
    settings.add("name", &spec["name"]);
    settings.add("scenario_spec.class_name", &spec["scenario_spec"]["class_name"]);
    settings.add_all("scenario_spec.args", &spec["scenario_spec"]["args"]);
    const OF_ADAPTER: [&str; 8] = [
        "method",
        "model_deployment",
        "max_train_instances",
        "max_eval_instances",
        "num_train_trials",
        "num_outputs",
        "temperature",
        "max_tokens",
    ];
    for name in OF_ADAPTER {
        settings.add(&format!("adapter_spec.{name}"), &spec["adapter_spec"][name]);
    }
    settings
}
