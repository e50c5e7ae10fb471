//! The content of a study file.

use std::path::PathBuf;

use super::finding::Located;

/// A study: the open models that are measured, the closed ones that are asked, and how.
#[derive(Debug, Clone)]
pub struct StudyFile {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// SHA-256 of its text.
    pub sha256: String,
    /// Its name.
    pub name: String,
    /// Folder for the results, if the file names one.
    pub output: Option<PathBuf>,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Memory that all tasks together may take, in bytes; the memory that is free if it is not given.
    pub max_memory_bytes: Option<u64>,
    /// Prompts and measurements.
    pub design: StudyDesign,
    /// Models whose weights are measured.
    pub open: Vec<OpenModels>,
    /// Models of which the API is asked.
    pub closed: Vec<ClosedModel>,
    /// What is predicted, and from what.
    pub calibration: StudyCalibration,
    /// Names of the reports, each with its tables and figures.
    pub reports: Vec<Located<String>>,
}

/// The prompts that every model gets, and the tasks beside them.
#[derive(Debug, Clone)]
pub struct StudyDesign {
    /// Categories, by name or file.
    pub corpora: Vec<Located<String>>,
    /// Numbers of examples in a prompt.
    pub shots: Vec<usize>,
    /// Example sets, S.
    pub sets: usize,
    /// Queries, X.
    pub queries: usize,
    /// The name of the form of a prompt.
    pub form: Located<String>,
    /// Whether models with random weights are measured too.
    pub random_init: bool,
    /// Further tasks that every model is asked: names or files, as `collect` takes them.
    pub tasks: Vec<Located<String>>,
}

/// Open models of one family.
#[derive(Debug, Clone)]
pub struct OpenModels {
    /// The family.
    pub family: String,
    /// Names, folders, files or ids; `*` and `?` match any part of a name.
    pub models: Vec<Located<String>>,
}

/// A model of which the API is asked.
#[derive(Debug, Clone)]
pub struct ClosedModel {
    /// The line of its table.
    pub line: usize,
    /// Its name in tables.
    pub id: String,
    /// Its name for the API.
    pub model: String,
    /// Its family, if that is published.
    pub family: Option<String>,
    /// Billions of parameters, if they are published.
    pub params_b: Option<f64>,
    /// The wire format. Without it the weights are served on this machine.
    pub provider: Option<Located<String>>,
    /// Where it is served; else the provider's own address.
    pub base_url: Option<Located<String>>,
    /// Most dollars that may be spent on it in all runs.
    pub budget_usd: Option<f64>,
    /// Whether it may be asked without a budget.
    pub no_budget: bool,
    /// File with the prices.
    pub prices: Option<Located<PathBuf>>,
    /// Whether it is asked in batches, which cost less and take up to a day.
    pub batch: bool,
    /// Requests at a time.
    pub concurrency: usize,
    /// Most tokens of an answer.
    pub max_tokens: Option<u32>,
    /// Its weights: measured after the predictions are on disk, to check them.
    pub weights: Option<Located<String>>,
}

/// The calibration of a study.
#[derive(Debug, Clone)]
pub struct StudyCalibration {
    /// The column that is predicted.
    pub target: Located<String>,
    /// The features. Those that no closed model has are left out, with a note.
    pub features: Vec<Located<String>>,
    /// Whether sizes count as published.
    pub sizes: bool,
    /// Nominal level of the intervals.
    pub level: f64,
}

/// The reports of a study that names none.
pub const REPORTS: [&str; 4] = ["predictions", "calibration", "depth", "shots"];

impl StudyFile {
    /// The names of all models whose weights are opened, as they stand in the file.
    pub fn model_names(&self) -> Vec<&str> {
        let open = self.open.iter().flat_map(|group| &group.models);
        let closed = self.closed.iter().filter_map(|closed| closed.weights.as_ref());
        open.chain(closed).map(|name| name.value.as_str()).collect()
    }
}
