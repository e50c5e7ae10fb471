//! The flags of `surmise observations`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::TableFlags;
use crate::emergence::SettingFilter;
use crate::observations::Joined;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder of `surmise measure -o`, of either estimand; several folders are repetitions with other seeds
    #[arg(long, required = true, value_name = "DIR")]
    pub(super) profiles: Vec<PathBuf>,
    /// Use only profiles with this setting, such as n_windows=1000, dtype=f32 or seed=1, named as under
    /// `settings` in a profile; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) select: Vec<SettingFilter>,
    /// scores.csv with scores of open and closed models
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) scores: Vec<PathBuf>,
    /// Positional: readings of texts by one reader model, with one group named after each model that wrote
    /// texts, and a group `reference`: a folder of `surmise measure --texts -o`, or the CSV file of `surmise
    /// compare`
    #[arg(long, value_name = "DIR|FILE")]
    pub(super) readings: Vec<PathBuf>,
    /// CSV file with the columns model,family,params_b, as far as published, and optionally proxy, the proxy
    /// of that model; it overrides the family and size in profiles
    #[arg(long, value_name = "FILE")]
    pub(super) models: Option<PathBuf>,
    /// Compare scores of different models on a task even if they were collected or graded differently
    #[arg(long)]
    pub(super) mixed_scores: bool,
    /// Proxy of every target [default: the smallest measured member of its family]
    #[arg(long, value_name = "MODEL")]
    pub(super) proxy: Option<String>,
    /// Semantic: numbers of examples to make rows for, separated by commas [default: the largest number in
    /// the profiles]
    #[arg(long, value_name = "K", value_delimiter = ',')]
    pub(super) shots: Vec<usize>,
    /// Semantic: semantic.csv of `surmise collect semantic`, with the answers of models to the same prompts
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) answers: Vec<PathBuf>,
    /// Positional: noise scale of the estimator [default: the smallest one at which all bounds from block 2
    /// on are within 0.3 nats]
    #[arg(long, alias = "setting", value_name = "B")]
    pub(super) noise_scale: Option<f64>,
    /// CSV file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) table: TableFlags,
}

/// A table, a phrase that describes its rows, and notes.
pub(super) struct Rows {
    pub(super) joined: Joined,
    pub(super) of: String,
    pub(super) notes: Vec<String>,
}
