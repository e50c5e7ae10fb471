//! Defines the content of a study file.

use std::path::PathBuf;

use super::finding::Located;

/// A study: the open models to measure, the closed models to ask, and the settings.
#[derive(Debug, Clone)]
pub struct StudyFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Text of the file.
    pub text: String,
    /// SHA-256 of the text.
    pub sha256: String,
    /// Name of the study.
    pub name: String,
    /// Result folder, if the file names one.
    pub output: Option<PathBuf>,
    /// Seed of all random draws.
    pub seed: u64,
    /// Memory limit for all tasks together, in bytes; `None` for 80 % of the free memory.
    pub max_memory_bytes: Option<u64>,
    /// Settings of prompts and measurements.
    pub design: StudyDesign,
    /// Open models, whose weights are measured.
    pub open: Vec<OpenModels>,
    /// Closed models, which are asked through their API.
    pub closed: Vec<ClosedModel>,
    /// The target and features of the calibration.
    pub calibration: StudyCalibration,
    /// Names of the reports to write. Each has tables and figures.
    pub reports: Vec<Located<String>>,
}

/// The prompts of every model, and further tasks.
#[derive(Debug, Clone)]
pub struct StudyDesign {
    /// Names or files of the categories.
    pub corpora: Vec<Located<String>>,
    /// Numbers of examples in a prompt.
    pub shots: Vec<usize>,
    /// Example sets, S.
    pub sets: usize,
    /// Queries, X.
    pub queries: usize,
    /// The name of the prompt form.
    pub form: Located<String>,
    /// Whether to measure each open model also with randomly initialised weights.
    pub random_init: bool,
    /// Further tasks for every model: names or files, as for `surmise collect`.
    pub tasks: Vec<Located<String>>,
}

/// Open models of one family.
#[derive(Debug, Clone)]
pub struct OpenModels {
    /// The family.
    pub family: String,
    /// Names, folders, files or hub ids. `*` and `?` are wildcards.
    pub models: Vec<Located<String>>,
}

/// A closed model, asked through its API.
#[derive(Debug, Clone)]
pub struct ClosedModel {
    /// Line of the table of the model in the study file.
    pub line: usize,
    /// Name of the model in tables of results.
    pub id: String,
    /// Name of the model in the API.
    pub model: String,
    /// Family of the model, if published.
    pub family: Option<String>,
    /// Number of parameters in billions, if published.
    pub params_b: Option<f64>,
    /// Wire format of the API; `None` if the weights are served on this machine.
    pub provider: Option<Located<String>>,
    /// Base URL of the API; `None` for the default of the provider.
    pub base_url: Option<Located<String>>,
    /// Spending limit over all runs, in US dollars.
    pub budget_usd: Option<f64>,
    /// Whether the model may be asked without a budget.
    pub no_budget: bool,
    /// Path of the price file.
    pub prices: Option<Located<PathBuf>>,
    /// Whether to use the batch API, which costs less and takes up to a day.
    pub batch: bool,
    /// Number of concurrent requests.
    pub concurrency: usize,
    /// Maximum number of tokens of an answer.
    pub max_tokens: Option<u32>,
    /// Weights of the model. They are measured after the predictions are written, to check the predictions.
    pub weights: Option<Located<String>>,
}

/// The calibration of a study.
#[derive(Debug, Clone)]
pub struct StudyCalibration {
    /// The target column.
    pub target: Located<String>,
    /// The feature columns. Features that no closed model has are left out, with a note.
    pub features: Vec<Located<String>>,
    /// Whether model sizes are used as a feature, because they are published.
    pub sizes: bool,
    /// Nominal coverage of the intervals.
    pub level: f64,
}

/// The default reports.
pub const REPORTS: [&str; 4] = ["predictions", "calibration", "depth", "shots"];

impl StudyFile {
    /// The names of all models with weights, as written in the file.
    pub fn model_names(&self) -> Vec<&str> {
        let open = self.open.iter().flat_map(|group| &group.models);
        let closed = self.closed.iter().filter_map(|closed| closed.weights.as_ref());
        open.chain(closed).map(|name| name.value.as_str()).collect()
    }
}
