//! The flags of `surmise observations`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::TableFlags;
use crate::emergence::SettingFilter;
use crate::observations::Joined;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folder written by `surmise measure -o`, of either estimand; if given several times, the folders must
    /// be repetitions with different seeds
    #[arg(long, required = true, value_name = "DIR")]
    pub(super) profiles: Vec<PathBuf>,
    /// Use only profiles with this setting, such as n_windows=1000, dtype=f32 or seed=1; NAME is a member of
    /// `settings` in a profile; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) select: Vec<SettingFilter>,
    /// scores.csv with scores of open and closed models
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) scores: Vec<PathBuf>,
    /// Positional: readings (the emergence that one reader model shows on texts), as a folder of `surmise
    /// measure --texts -o` or as the CSV file of `surmise compare`. Each group of texts must be named after
    /// the model that wrote it, or `reference` if no model wrote it
    #[arg(long, value_name = "DIR|FILE")]
    pub(super) readings: Vec<PathBuf>,
    /// CSV file of published facts, which override the family and size in profiles: columns model, family,
    /// params_b (empty if unknown) and optionally proxy, the model to use as proxy of this model
    #[arg(long, value_name = "FILE")]
    pub(super) models: Option<PathBuf>,
    /// Compare scores of different models on a task even if they were collected or graded differently
    #[arg(long)]
    pub(super) mixed_scores: bool,
    /// Model to use as the proxy of every target [default: the smallest measured member of the target's
    /// family]
    #[arg(long, value_name = "MODEL")]
    pub(super) proxy: Option<String>,
    /// Semantic: numbers of examples in a prompt for which to make rows, separated by commas [default: the
    /// largest number in the profiles]
    #[arg(long, value_name = "K", value_delimiter = ',')]
    pub(super) shots: Vec<usize>,
    /// Semantic: semantic.csv of `surmise collect semantic`, with the answers of models to the same prompts
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) answers: Vec<PathBuf>,
    /// Positional: noise scale b of the estimator [default: the smallest b at which the upper and lower
    /// bounds differ by at most 0.3 nats in every block from block 2 on]
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
