//! The flags of `surmise measure`.

use std::path::PathBuf;

use clap::Args;

use super::semantic_flags::{Estimand, SemanticFlags};
use crate::cli::estimator::EstimatorFlag;
use crate::cli::flags::WINDOWS;
use crate::cli::texts::TextFlags;
use crate::cli::{ENTITIES, Fetching, Opening, Sampling, SeriesFlags, TableFlags, choice, status};
use crate::emergence::Micro;
use crate::error::{Error, Result};
use crate::mi::Scale;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Models to measure: folders with config.json, a tokenizer and weights (safetensors or PyTorch), GGUF
    /// files, ids on a Hugging Face hub (owner/name, owner/name@revision, owner/name:file.gguf), or names
    /// from `surmise list models`
    #[arg(required = true, value_name = "MODEL")]
    pub(super) models: Vec<String>,
    /// Corpus: a name from `surmise list corpora`, or a CSV file with a column `entity`; may be given several
    /// times
    #[arg(long = "corpus", required_unless_present = "texts", value_name = "NAME|FILE")]
    pub(super) corpora: Vec<String>,
    /// Quantity to measure [default: semantic if every corpus has two or more relations; positional if no
    /// corpus has two relations, or if --texts or a flag of the positional estimand is given]
    #[arg(long, value_parser = choice::choice(&Estimand::ALL, Estimand::name, Estimand::describe))]
    pub(super) estimand: Option<Estimand>,
    #[command(flatten)]
    pub(super) texts: TextFlags,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) sampling: MeasureSampling,
    #[command(flatten)]
    pub(super) semantic: SemanticFlags,
    #[command(flatten)]
    pub(super) opening: Opening,
    #[command(flatten)]
    pub(super) estimator: EstimatorFlag,
    /// Input that represents a token without its context
    #[arg(
        long,
        value_parser = choice::choice(&Micro::ALL, Micro::name, Micro::describe),
        default_value = "alone"
    )]
    pub(super) micro: Micro,
    /// Label of the model in all outputs; allowed with one model only [default: the last part of the folder's
    /// path, or the id]
    #[arg(long, value_name = "LABEL")]
    pub(super) name: Option<String>,
    /// Family of the models, for calibration; a family is a set of models trained with one recipe, not an
    /// architecture
    #[arg(long, value_name = "NAME")]
    pub(super) family: Option<String>,
    /// Folder for one JSON per model, corpus and settings, and for profiles.csv with all of them; existing
    /// results are not measured again. Without this flag, the CSV rows go to stdout
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    // Unlike profiles.csv in the folder, these tables contain only the rows of this run.
    #[command(flatten)]
    pub(super) table: TableFlags,
}

/// How prompts or series are drawn.
#[derive(Debug, Clone, Args)]
pub(super) struct MeasureSampling {
    /// Semantic: numbers of examples in a prompt, separated by commas; 0 measures accuracy only [default:
    /// 1,4]
    #[arg(long, value_delimiter = ',', value_name = "K,...")]
    pub(super) shots: Vec<usize>,
    /// Positional: number of entities in a series; each position is measured [default: 4]
    #[arg(long, value_name = "K")]
    pub(super) entities: Option<usize>,
    /// Seed of the prompts, series, noise and random initial weights
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Positional: number of series per corpus, or largest number of windows per group of texts
    #[arg(long, default_value_t = WINDOWS, value_name = "N")]
    pub(super) windows: usize,
    /// Positional: quantity that the noise of the estimator is proportional to: the spread of each
    /// coordinate, or the norm of each state
    #[arg(
        long,
        value_parser = choice::choice(&Scale::ALL, Scale::name, Scale::describe),
        default_value = "spread"
    )]
    pub(super) scale: Scale,
}

impl MeasureSampling {
    /// Returns how series are drawn. As in earlier versions, `--shots` sets the number of entities, too. If
    /// `--shots` has several values, the largest is used, because a longer series contains the shorter
    /// series.
    ///
    /// # Errors
    /// [`Error::Parameter`] if both `--shots` and `--entities` are given.
    pub(super) fn positional(&self, quiet: bool) -> Result<Sampling> {
        let entities = match (self.entities, self.shots.iter().copied().max()) {
            (Some(_), Some(_)) => {
                let reason = "applies to the semantic estimand; for the positional estimand, give only \
                              --entities";
                return Err(Error::Parameter { name: "--shots", reason: reason.into() });
            }
            (None, Some(shots)) => {
                if !quiet {
                    status("warning: `--shots` is now `--entities` for the positional estimand");
                }
                shots
            }
            (entities, None) => entities.unwrap_or(ENTITIES),
        };
        let draw = SeriesFlags { windows: self.windows, entities, seed: self.seed };
        Ok(Sampling { draw, scale: self.scale })
    }
}
