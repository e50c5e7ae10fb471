//! `surmise states`: writes residual streams to a safetensors file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Fetching, Opening, Progress, SeriesFlags, config_notes, is_stdout, status};
use crate::corpus::{Category, Series};
use crate::disk;
use crate::error::{Error, Result};
use crate::model::{LoadedDecoder, Model, state_file};

/// Number of steps of the progress bar.
const STEPS: u64 = 1000;

#[derive(Debug, Args)]
#[group(id = "input", required = true, multiple = false, args = ["tokens", "corpus"])]
pub(super) struct Flags {
    /// Folder with config.json and weights, GGUF file, id on a Hugging Face hub, or name from `surmise list
    /// models`
    #[arg(value_name = "MODEL")]
    model: String,
    /// Safetensors file with int64 `input_ids` of shape (n, t)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["windows", "entities", "seed", "bos"])]
    tokens: Option<PathBuf>,
    /// Corpus to use instead of --tokens: a name from `surmise list corpora`, or a CSV file with a column
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
    /// Safetensors file to write: f32 arrays h_0 .. h_L of shape (n, t, width), where h_l is the residual
    /// stream after l blocks, before the final norm; `-` is stdout
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

/// Writes to a temporary file and copies it to stdout, because `write` does not write the bytes in order.
fn to_stdout(write: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    if std::io::stdout().is_terminal() {
        let reason = "is a terminal, but the output is binary; name a file, or pipe the output into a \
                      command"
            .into();
        return Err(Error::Parameter { name: "-o", reason });
    }
    let fault = |source| Error::Write { path: "stdout".into(), source };
    let folder = disk::TemporaryFolder::begin()
        .map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let path = folder.path().join("states.safetensors");
    write(&path)?;
    let mut file = disk::open(&path).map_err(fault)?;
    match std::io::copy(&mut file, &mut std::io::stdout().lock()) {
        // A reader that stops early causes no error.
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => Err(fault(source)),
        _ => Ok(()),
    }
}
