//! `surmise states`: residual streams as a safetensors file.

use std::path::PathBuf;

use clap::Args;

use super::{Draw, Fetching, Opening, status};
use crate::corpus::{Category, Series};
use crate::error::Result;
use crate::model::{Core, Model, state_file};

#[derive(Debug, Args)]
#[group(id = "input", required = true, multiple = false, args = ["tokens", "corpus"])]
pub(super) struct Flags {
    /// A folder with config.json and weights, an id on a Hugging Face hub, or a name from `surmise list
    /// models`
    #[arg(value_name = "MODEL")]
    model: String,
    /// A safetensors file with int64 `input_ids` (n, t)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["windows", "shots", "seed", "bos"])]
    tokens: Option<PathBuf>,
    /// Instead of tokens: a name from `surmise list corpora`, or a CSV file with a column `entity`, whose
    /// entities are all as many tokens
    #[arg(long, value_name = "NAME|FILE")]
    corpus: Option<String>,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    draw: Draw,
    #[command(flatten)]
    opening: Opening,
    /// Write the logits too
    #[arg(long)]
    logits: bool,
    /// The safetensors file to be written: f32 h_0 .. h_L (n, t, width), each the residual stream after l
    /// blocks and before the final norm
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let hub = flags.fetching.hub(std::slice::from_ref(&flags.model), quiet)?;
    Model::find(&flags.model, &hub)?;
    let (core, windows) = match (&flags.tokens, &flags.corpus) {
        (Some(file), _) => {
            let windows = state_file::read_windows(file)?;
            (Core::load(&flags.model, flags.opening.into(), &hub)?, windows)
        }
        (None, corpus) => {
            let category = Category::load(corpus.as_deref().unwrap_or_default())?;
            let draw = &flags.draw;
            let series = Series::draw(&category, draw.shots, draw.windows, draw.seed)?;
            let (core, tokenizer) = Model::load_with(&flags.model, flags.opening.into(), &hub)?.into_parts();
            let corpus = series.tokenize(&tokenizer)?;
            (core, corpus.windows.into_iter().map(|window| window.ids).collect())
        }
    };
    state_file::write(&core, &windows, flags.logits, &flags.output)?;
    if !quiet {
        let (n, t) = (windows.len(), windows.first().map_or(0, Vec::len));
        let layers = core.card.n_layers;
        status(&format!(
            "{}: h_0 .. h_{layers}, each ({n}, {t}, {}), in {}",
            core.card.id,
            core.card.d_model,
            flags.output.display()
        ));
    }
    Ok(())
}
