//! `surmise states`: residual streams as a safetensors file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Fetching, Opening, Progress, SeriesFlags, config_notes, is_stdout, status};
use crate::corpus::{Category, Series};
use crate::disk;
use crate::error::{Error, Result};
use crate::model::{LoadedDecoder, Model, state_file};

/// Steps of the bar.
const STEPS: u64 = 1000;

#[derive(Debug, Args)]
#[group(id = "input", required = true, multiple = false, args = ["tokens", "corpus"])]
pub(super) struct Flags {
    /// A folder with config.json and weights, a GGUF file, an id on a Hugging Face hub, or a name from
    /// `surmise list models`
    #[arg(value_name = "MODEL")]
    model: String,
    /// A safetensors file with int64 `input_ids` (n, t)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["windows", "entities", "seed", "bos"])]
    tokens: Option<PathBuf>,
    /// A corpus in place of --tokens: a name from `surmise list corpora`, or a CSV file with a column
    /// `entity`; all entities must have the same number of tokens
    #[arg(long, value_name = "NAME|FILE")]
    corpus: Option<String>,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    draw: SeriesFlags,
    #[command(flatten)]
    opening: Opening,
    /// Also write the logits
    #[arg(long)]
    logits: bool,
    /// Safetensors file to write: f32 h_0 .. h_L (n, t, width), where h_l is the residual stream after l
    /// blocks, before the final norm; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let inputs: Vec<PathBuf> =
        flags.tokens.iter().cloned().chain(flags.corpus.iter().map(PathBuf::from)).collect();
    disk::check_apart(&inputs, &flags.output)?;
    let hub = flags.fetching.hub(std::slice::from_ref(&flags.model), quiet)?;
    Model::find(&flags.model, &hub)?;
    let (loaded, windows) = match (&flags.tokens, &flags.corpus) {
        (Some(file), _) => {
            let windows = state_file::read_windows(file)?;
            (LoadedDecoder::load(&flags.model, &flags.opening.clone().into(), &hub)?, windows)
        }
        (None, corpus) => {
            let category = Category::load(corpus.as_deref().unwrap_or_default())?;
            let draw = &flags.draw;
            let series = Series::draw(&category, draw.entities, draw.windows, draw.seed)?;
            let (loaded, tokenizer) =
                Model::load_with(&flags.model, flags.opening.clone().into(), &hub)?.into_parts();
            let corpus = series.tokenize(&tokenizer)?;
            (loaded, corpus.windows.into_iter().map(|window| window.ids).collect())
        }
    };
    config_notes(&loaded.info, quiet);
    let bar = Progress::start(STEPS, quiet);
    bar.set_message(loaded.info.id.clone());
    let step = |share: f64| bar.set_position((share * STEPS as f64) as u64);
    if is_stdout(&flags.output) {
        to_stdout(&|path| state_file::write(&loaded, &windows, flags.logits, path, &step))?;
    } else {
        state_file::write(&loaded, &windows, flags.logits, &flags.output, &step)?;
    }
    bar.finish();
    if !quiet {
        let (n, t) = (windows.len(), windows.first().map_or(0, Vec::len));
        let layers = loaded.info.n_layers;
        status(&format!(
            "{}: h_0 .. h_{layers}, each ({n}, {t}, {}), in {}",
            loaded.info.id,
            loaded.info.d_model,
            flags.output.display()
        ));
    }
    Ok(())
}

/// Copies a file that is written out of order to stdout.
fn to_stdout(write: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    if std::io::stdout().is_terminal() {
        let reason = "is a terminal, and the file is no text; give a file, or a command behind `|`".into();
        return Err(Error::Parameter { name: "-o", reason });
    }
    let fault = |source| Error::Write { path: "stdout".into(), source };
    let folder = disk::TemporaryFolder::begin()
        .map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let path = folder.path().join("states.safetensors");
    write(&path)?;
    let mut file = disk::open(&path).map_err(fault)?;
    match std::io::copy(&mut file, &mut std::io::stdout().lock()) {
        // A reader that stops early is no failure.
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => Err(fault(source)),
        _ => Ok(()),
    }
}
