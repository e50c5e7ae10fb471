//! The flags of `surmise observations`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::TableFlags;
use crate::emergence::SettingFilter;
use crate::observations::Joined;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// A folder of `surmise measure -o`, of either estimand; several are repetitions with other seeds
    #[arg(long, required = true, value_name = "DIR")]
    pub(super) profiles: Vec<PathBuf>,
    /// Use only profiles with this setting, such as n_windows=1000, dtype=f32 or seed=1; may be given several
    /// times. The names are those under `settings` in a profile
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) select: Vec<SettingFilter>,
    /// scores.csv of open and closed models
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) scores: Vec<PathBuf>,
    /// Positional: texts as one reader reads them, each group named after the model that wrote it, and
    /// `reference`: a folder of `surmise measure --texts -o`, or the CSV file of `surmise compare`
    #[arg(long, value_name = "DIR|FILE")]
    pub(super) readings: Vec<PathBuf>,
    /// A CSV file with model,family,params_b, as far as published, and the proxy of a model where it has one
    /// of its own; it precedes what profiles say of family and size
    #[arg(long, value_name = "FILE")]
    pub(super) models: Option<PathBuf>,
    /// Compare scores of several models on one task although they were asked or graded differently
    #[arg(long)]
    pub(super) mixed_scores: bool,
    /// The proxy of every target [default: the smallest measured member of its family]
    #[arg(long, value_name = "MODEL")]
    pub(super) proxy: Option<String>,
    /// Semantic: the numbers of examples that rows are of, separated by commas [default: the most of the
    /// profiles]
    #[arg(long, value_name = "K", value_delimiter = ',')]
    pub(super) shots: Vec<usize>,
    /// Semantic: semantic.csv of `surmise collect semantic`, what models answer to the same prompts
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) answers: Vec<PathBuf>,
    /// Positional: the estimator's noise scale [default: the smallest at which all bounds from block 2
    /// on are within 0.3 nat]
    #[arg(long, alias = "setting", value_name = "B")]
    pub(super) noise_scale: Option<f64>,
    /// The CSV file to be written [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) table: TableFlags,
}

/// A table, and what its rows are of.
pub(super) struct Rows {
    pub(super) joined: Joined,
    pub(super) of: String,
    pub(super) notes: Vec<String>,
}
