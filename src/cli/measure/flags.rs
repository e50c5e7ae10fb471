//! The flags of `surmise measure`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::estimator::EstimatorFlag;
use crate::cli::texts::TextFlags;
use crate::cli::{Fetching, Opening, Sampling, choice};
use crate::emergence::Micro;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folders with config.json, tokenizer.json and model.safetensors or pytorch_model.bin (in one file or
    /// several), ids on a Hugging Face hub (owner/name, or owner/name@revision), or names from `surmise list
    /// models`
    #[arg(required = true, value_name = "MODEL")]
    pub(super) models: Vec<String>,
    /// A name from `surmise list corpora`, or a CSV file with a column `entity`; may be given several times
    #[arg(long = "corpus", required_unless_present = "texts", value_name = "NAME|FILE")]
    pub(super) corpora: Vec<String>,
    #[command(flatten)]
    pub(super) texts: TextFlags,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) sampling: Sampling,
    #[command(flatten)]
    pub(super) opening: Opening,
    #[command(flatten)]
    pub(super) estimator: EstimatorFlag,
    /// What stands for a token without its context
    #[arg(
        long,
        value_parser = choice::choice(&Micro::ALL, Micro::name, Micro::describe),
        default_value = "alone"
    )]
    pub(super) micro: Micro,
    /// Label of the model in all outputs, of one model only [default: the last part of its folder, or its
    /// id]
    #[arg(long, value_name = "LABEL")]
    pub(super) name: Option<String>,
    /// Family of the models: the recipe that they belong to, for calibration; it is not the architecture
    #[arg(long, value_name = "NAME")]
    pub(super) family: Option<String>,
    /// Folder for one JSON per model, corpus and settings, and profiles.csv of all that are in it; what is
    /// there already is not measured again. Without it the CSV rows go to stdout
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
}
