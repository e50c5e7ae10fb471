//! Defines the configuration of a collection: everything that determines what is asked and how it is graded.
//! The journal records the configuration. A folder that contains answers accepts a different configuration
//! only with `--new-config`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::endpoint::Endpoint;
use super::grading::Grading;
use super::journal::{self, Index, Record};
use super::plan::{Plan, Replication};
use super::short_answers;
use super::tasks;
use super::tasks::{Rendering, SemanticTask, Task, TaskKind};
use crate::corpus::FactorialDesign;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::provider::{self, GenerationParams};

/// The files of a folder after a collection.
pub const FILES: [&str; 8] = [
    "items.csv",
    "texts.jsonl",
    "scores.csv",
    "gains.csv",
    "semantic.csv",
    "summary.json",
    "journal.jsonl",
    "journal.lock",
];

/// Everything that determines what is asked and how it is graded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The wire format.
    pub provider: String,
    /// Base URL of the server.
    pub base_url: String,
    /// The model.
    pub model: String,
    /// Generation parameters that the user gave.
    #[serde(rename = "settings")]
    pub params: GenerationParams,
    /// Parameters that the model does not support. All requests omit them.
    pub without: Vec<String>,
    /// Parameters whose values are too high for the model. Each entry halves the value of that parameter in
    /// all requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lowered: Vec<String>,
    /// Whether short answers have a lower token limit, because the probe showed that the model does not
    /// reason.
    #[serde(default, skip_serializing_if = "is_false")]
    pub short_answers: bool,
    /// Tasks and files, as given on the command line.
    pub sources: Vec<String>,
    /// Maximum number of shots of in-context tasks.
    pub shots: usize,
    /// Number of lists per relation (in-context tasks) or prompts per category (texts).
    pub items: usize,
    /// Seed for the sampling of lists and prompts.
    pub seed: u64,
    /// How in-context questions are rendered.
    pub rendering: Rendering,
    /// Replicates and repeats.
    pub repeats: Replication,
    /// How answers are graded.
    pub grading: Grading,
    /// Version of the normalisation rules.
    pub normalisation_version: u32,
    /// Whether the stop sequences of the tasks are sent. Chat models do not receive them, because a stop
    /// sequence could end an answer within its reasoning; grading applies them instead.
    #[serde(default = "sends_task_stops")]
    pub sends_task_stops: bool,
    /// The loaded tasks.
    pub tasks: Vec<LoadedTask>,
    /// Whether items.csv keeps texts unchanged that a spreadsheet would run as formulas.
    #[serde(skip)]
    pub raw_csv: bool,
    /// Whether the token limit is the default for chats, because the user gave none.
    #[serde(skip)]
    pub has_default_limit: bool,
    /// How the questions on semantic emergence are asked. If set, the sources are the categories of these
    /// questions; otherwise, they are tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantic: Option<SemanticTask>,
}

/// A loaded task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadedTask {
    /// Name of the task.
    pub name: String,
    /// SHA-256 of the task file.
    pub sha256: String,
    /// Number of items.
    pub n_items: usize,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Default for older records, which lack this member. The versions that wrote them sent stop sequences to all
/// models.
fn sends_task_stops() -> bool {
    true
}

impl Configuration {
    /// The factorial designs of semantic emergence; empty if the configuration has none.
    ///
    /// # Errors
    /// Returns the errors of [`SemanticTask::designs`].
    pub fn designs(&self) -> Result<Vec<FactorialDesign>> {
        let Some(semantic) = &self.semantic else { return Ok(vec![]) };
        let can = provider::find(&self.provider)?.capabilities();
        let normal = self.grading.normalisation;
        semantic.designs(&self.sources, self.seed, (&self.provider, &can), &|answer| normal.apply(answer))
    }

    /// Loads the tasks, and records the name, checksum and size of each task.
    ///
    /// # Errors
    /// Returns the errors of [`tasks::load`] and [`Configuration::designs`].
    pub fn load_tasks(&mut self) -> Result<Vec<Task>> {
        self.grading.check()?;
        let options = tasks::TaskOptions {
            shots: self.shots,
            items: self.items,
            seed: self.seed,
            rendering: self.rendering,
            grader: self.grading.grader.clone(),
        };
        let tasks = match &self.semantic {
            Some(semantic) => self.designs()?.iter().flat_map(|design| semantic.tasks(design)).collect(),
            None => tasks::load(&self.sources, &options)?,
        };
        let loaded = |task: &Task| LoadedTask {
            name: task.name.clone(),
            sha256: task.sha256.clone(),
            n_items: task.items.len(),
        };
        self.tasks = tasks.iter().map(loaded).collect();
        self.normalisation_version = self.grading.normalisation.version;
        Ok(tasks)
    }

    /// The journal record of this configuration.
    ///
    /// # Errors
    /// [`Error::Json`] if the configuration cannot be serialised.
    pub fn record(&self) -> Result<Record> {
        let path = Path::new("journal.jsonl");
        let configuration =
            serde_json::to_value(self).map_err(|source| Error::Json { path: path.into(), source })?;
        Ok(Record::Configuration {
            schema: Schema::new(journal::NAME, journal::VERSION),
            at: journal::now(),
            configuration,
        })
    }

    /// Reads the configuration of a journal record.
    ///
    /// # Errors
    /// [`Error::Parameter`] if this version of surmise cannot read the record.
    pub fn from_record(record: Value) -> Result<Self> {
        serde_json::from_value(record).map_err(|error| Error::Parameter {
            name: "the folder",
            reason: format!(
                "contains a configuration that this version cannot read ({error}); choose another folder"
            ),
        })
    }

    /// Compares this configuration with the configuration recorded in the folder. If they agree, adopts what
    /// earlier runs found out about the server: unsupported and lowered parameters, short answers, and
    /// whether stop sequences are sent. Returns whether the two are then equal.
    ///
    /// # Errors
    /// [`Error::Parameter`] if they differ, unless `is_new_wanted`.
    pub fn reconcile(&mut self, index: &Index, folder: &Path, is_new_wanted: bool) -> Result<bool> {
        let Some(there) = index.configuration.clone() else {
            if index.is_empty() || is_new_wanted {
                return Ok(false);
            }
            let reason = format!(
                "{} contains answers, but the record of their configuration is damaged; if it was the same \
                 as the present configuration, pass --new-config",
                folder.display()
            );
            return Err(Error::Parameter { name: "-o", reason });
        };
        let there = Self::from_record(there)?;
        let mut differences = there.differences(self);
        if there.short_answers && !self.has_default_limit {
            let (less, now) = (short_answers::MAX_TOKENS, self.params.max_tokens);
            differences.push(format!(
                "settings.max_tokens: the default in the folder (at most {less} for short answers), {now} now"
            ));
        }
        if differences.is_empty() {
            self.without.clone_from(&there.without);
            self.sends_task_stops = there.sends_task_stops;
            self.lowered.clone_from(&there.lowered);
            self.short_answers = there.short_answers;
            // The journal does not record `raw_csv` and `has_default_limit`, so the comparison ignores them.
            let (raw_csv, has_default_limit) = (self.raw_csv, self.has_default_limit);
            return Ok(Self { raw_csv, has_default_limit, ..there } == *self);
        }
        if is_new_wanted {
            return Ok(false);
        }
        let reason = format!(
            "{} contains answers that were collected with another configuration ({}); choose another folder, \
             or pass --new-config to add answers with this configuration",
            folder.display(),
            differences.join("; ")
        );
        Err(Error::Parameter { name: "-o", reason })
    }

    /// Returns an error if an output file in `folder` would overwrite an input file.
    ///
    /// # Errors
    /// [`Error::Parameter`] that names both files.
    pub fn check_apart(&self, folder: &Path) -> Result<()> {
        let written = FILES.map(|name| folder.join(name));
        for source in &self.sources {
            let file = Path::new(source.strip_prefix("texts:").unwrap_or(source));
            if let Some(same) = written.iter().find(|path| disk::is_same(file, path)) {
                let reason = format!(
                    "would overwrite the input file {source} with {}; choose another folder",
                    same.display()
                );
                return Err(Error::Parameter { name: "-o", reason });
            }
        }
        Ok(())
    }

    /// The generation parameters of a task. The task's own stop sequences apply unless the user gave stop
    /// sequences. If the prompts of the task are scored, the server echoes them. The token limit is then 1,
    /// the smallest that servers accept.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a parameter that the wire format cannot express.
    fn params_of(&self, task: &Task, provider: &'static dyn provider::Provider) -> Result<GenerationParams> {
        let can = provider.capabilities();
        let mut params = self.params.clone();
        if params.stop.is_empty() && self.sends_task_stops {
            params.stop = GenerationParams::sendable_stops(&task.stops, &can);
        }
        if task.kind == TaskKind::Likelihoods {
            params =
                GenerationParams { max_tokens: 1, logprobs: Some(1), echo: true, stop: vec![], ..params };
        }
        for param in &self.without {
            params = params.without(param).unwrap_or(params);
        }
        for param in &self.lowered {
            params = params.lowered(param).unwrap_or(params);
        }
        params.check(provider.name(), &can)?;
        Ok(params)
    }

    /// Plans the questions of these tasks.
    ///
    /// # Errors
    /// Returns the errors of [`Endpoint::new`] and [`provider::find`]; [`Error::Parameter`] for a parameter
    /// that the wire format cannot express.
    pub fn plan(&self, tasks: Vec<Task>) -> Result<Plan> {
        let provider = provider::find(&self.provider)?;
        let params = tasks.iter().map(|task| self.params_of(task, provider)).collect::<Result<_>>()?;
        let (endpoint, model) = (Endpoint::new(&self.base_url)?, self.model.clone());
        let most_tokens = if self.short_answers { short_answers::MAX_TOKENS } else { u32::MAX };
        Ok(Plan { provider, endpoint, model, tasks, params, short_limit: most_tokens, repeats: self.repeats })
    }

    /// The differences between this configuration and `other`, one line each. File paths, adaptations to the
    /// server, and settings that affect only grading are not compared.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let comparable = |configuration: &Self| {
            let compared = Self {
                sources: vec![],
                without: vec![],
                lowered: vec![],
                short_answers: false,
                sends_task_stops: true,
                grading: Grading::default(),
                normalisation_version: 0,
                ..configuration.clone()
            };
            serde_json::to_value(compared).unwrap_or_default()
        };
        let mut lines = vec![];
        let graders = [&self.grading.grader, &other.grading.grader];
        if graders[0].question_form() != graders[1].question_form() {
            lines.push(format!("grading.grader: {} in the folder, {} now", graders[0], graders[1]));
        }
        compare("", &comparable(self), &comparable(other), &mut lines);
        lines
    }
}

fn compare(path: &str, here: &Value, there: &Value, lines: &mut Vec<String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (here, there) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                compare(&below(name), &here[name], &there[name], lines);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| compare(&below(&i.to_string()), a, b, lines));
        }
        _ if here == there => {}
        _ => lines.push(format!("{path}: {here} in the folder, {there} now")),
    }
}
