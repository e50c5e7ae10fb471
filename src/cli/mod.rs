//! The command line: one file per verb, each turning what was typed into one library call. stdout is data,
//! stderr is talk.

mod blind;
mod calibrate;
mod card;
mod choice;
mod collect;
mod compare;
mod demo;
mod estimator;
mod list;
mod measure;
mod mi;
mod model;
mod observations;
mod predict;
mod report;
mod scores;
mod serve;
mod states;
mod texts;
mod watch;

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::collect::secrets::Secrets;
use crate::error::{Error, Result};
use crate::mi::Scale;
use crate::model::hub::{self, Hub};
use crate::model::{Bos, Device, Options, Precision};

/// What `--help` says of them; [`exit_code`] holds it.
const EXIT_CODES: &str = "Exit codes: 0 complete, 1 failed, 2 usage (a flag, name or value), 3 finished \
                          with gaps, 4 budget reached, 5 credentials or quota, 6 storage, 130 interrupted.";

/// What can be typed.
#[derive(Debug, Parser)]
#[command(
    name = "surmise",
    version,
    about = "Proxy estimation for closed language models: measure emergence in small open models, calibrate, predict the rest",
    long_about = "Proxy estimation for closed language models.\n\nWithout a verb, surmise runs the whole line on its embedded family of small models: it measures them, calibrates on the \
                  smaller ones, predicts the two largest of each recipe, measures those too, and prints prediction beside measurement as CSV.",
    after_help = EXIT_CODES
)]
pub struct Opts {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// No progress and no talk on stderr, errors excepted
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Threads [default: all cores]; results are the same to the bit
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The whole line on the embedded family: what surmise does without a verb, with its flags
    Line(demo::Flags),
    /// Emergence profiles of models on corpora, the randomly initialised model beside
    Measure(measure::Flags),
    /// Mutual information of any paired samples, as JSON
    Mi(mi::Flags),
    /// Groups of texts (human, model A, model B) as read by small models: permutation p value and effect
    /// size, beside a shuffled control
    Compare(compare::Flags),
    /// Residual streams of token ids or of a corpus, as arrays in a safetensors file
    States(states::Flags),
    /// Scores made by other tools, as scores.csv
    Scores(scores::Flags),
    /// What a checkpoint is: sizes, memory needed, types, checksum
    Model(model::Flags),
    /// A closed model's answers to tasks, over its API: kept, graded, never asked for twice
    #[command(after_help = EXIT_CODES)]
    Collect(Box<collect::Flags>),
    /// Profiles, scores and readings joined into one table, a row per target and corpus
    Observations(observations::Flags),
    /// A calibration on any tidy table: candidates tried on rows they were not fitted on, one chosen, its
    /// intervals back-tested, written as a card
    Calibrate(Box<calibrate::Flags>),
    /// Predictions of a card for the rows of a table, with intervals and the coverage they reached; empty
    /// cells with a reason where the data carry no number
    Predict(predict::Flags),
    /// What a card was fitted on, what it may be used for, and how good it was beside mean and size
    Card(card::Flags),
    /// A local checkpoint behind an OpenAI-compatible API, on this machine
    Serve(serve::Flags),
    /// Members of a family hidden behind an API on this machine, predicted by the others, then opened: how
    /// good predictions are
    #[command(after_help = EXIT_CODES)]
    Blind(Box<blind::Flags>),
    /// Tables (CSV, LaTeX, Markdown) and figures (SVG, PDF) of what is on disk
    Report(report::Flags),
    /// What is built in: models, architectures, estimators, corpora, providers, tasks, reports
    List(list::Flags),
}

/// How series are drawn.
#[derive(Debug, Clone, Copy, Args)]
struct Draw {
    /// Series per corpus, or most windows per group of texts
    #[arg(long, default_value_t = WINDOWS, value_name = "N")]
    windows: usize,
    /// Entities per series
    #[arg(long, default_value_t = SHOTS, value_name = "K")]
    shots: usize,
    /// Seed of series, and of channel noise, tasks and randomly initialised models where there are any
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// How series are drawn and measured, the same for the line and for `measure`.
#[derive(Debug, Clone, Copy, Args)]
struct Sampling {
    #[command(flatten)]
    draw: Draw,
    /// What the channel's precision is relative to: the spread of each coordinate, or the norm of each state
    #[arg(
        long,
        value_parser = choice::choice(&Scale::ALL, Scale::name, Scale::describe),
        default_value = "spread"
    )]
    scale: Scale,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { draw: Draw { windows: WINDOWS, shots: SHOTS, seed: 0 }, scale: Scale::Spread }
    }
}

/// Series per corpus unless told otherwise: log 1000 is 6.9 nats, and values are trusted below .6 of that.
const WINDOWS: usize = 1000;
/// More threads than any machine has cores for; starting tens of thousands takes minutes.
const MOST_THREADS: usize = 1024;
/// Entities per series unless told otherwise.
const SHOTS: usize = 4;

/// Where ids on a hub come from.
#[derive(Debug, Clone, Args)]
struct Fetching {
    /// Branch, tag or commit of the ids that name none themselves [default: main]
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Fetch nothing: ids are taken from the cache alone, as with HF_HUB_OFFLINE=1
    #[arg(long)]
    offline: bool,
}

impl Fetching {
    fn hub(&self, models: &[String], quiet: bool) -> Result<Hub> {
        let mut hub = Hub::from_env()?;
        if let Some(revision) = &self.revision {
            if let Some(name) = models.iter().find(|name| !hub::is_id(name)) {
                let reason = format!(
                    "is for ids on a hub, and `{name}` is none; leave it away or name `{name}` by itself"
                );
                return Err(Error::Parameter { name: "--revision", reason });
            }
            hub = hub.with_revision(revision)?;
        }
        if self.offline {
            hub = hub.offline();
        }
        Ok(if quiet { hub } else { hub.with_progress() })
    }
}

/// How models are opened.
#[derive(Debug, Clone, Copy, Args)]
struct Opening {
    /// What the weights are rounded to; the arithmetic is f32 always
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    dtype: Precision,
    /// What begins every window, that of one token alone as well: what the tokenizer puts there by itself,
    /// the beginning-of-sequence token, nothing
    #[arg(long, value_parser = choice::choice(&Bos::ALL, Bos::name, Bos::describe), default_value = "auto")]
    bos: Bos,
    /// Where the decoder computes: cpu, or cuda[:N] in a build with the feature `cuda`
    #[arg(long, default_value_t = Device::Cpu, value_name = "DEVICE")]
    device: Device,
    /// Most memory for weights and residual streams, such as 6G or 900M; streams beyond it go to a temporary
    /// file, weights beyond it are refused
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_memory: Option<u64>,
}

impl From<Opening> for Options {
    fn from(opening: Opening) -> Self {
        let Opening { dtype, bos, device, max_memory } = opening;
        Self { dtype, bos, device, max_memory_bytes: max_memory }
    }
}

/// Bytes, with K, M, G or T for powers of 1024.
fn bytes(text: &str) -> std::result::Result<u64, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[number.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
        "" => Some(0),
        "K" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        "T" => Some(40),
        _ => None,
    };
    let size = shift.and_then(|shift: u32| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    size.ok_or_else(|| "give a whole number of bytes, or one with K, M, G or T behind it".into())
}

/// Runs what was typed.
///
/// # Errors
/// Whatever the verb finds wrong.
pub fn run(opts: Opts) -> Result<()> {
    if let Some(threads) = opts.threads {
        if !(1..=MOST_THREADS).contains(&threads) {
            let reason = format!("must be from 1 to {MOST_THREADS}, and is {threads}");
            return Err(Error::Parameter { name: "--threads", reason });
        }
        // Only a second pool in the same process can fail here; the first one then stays.
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap_or_default();
    }
    match opts.verb {
        None => demo::run(&demo::Flags::default(), opts.quiet),
        Some(Verb::Line(flags)) => demo::run(&flags, opts.quiet),
        Some(Verb::Measure(flags)) => measure::run(&flags, opts.quiet),
        Some(Verb::Mi(flags)) => mi::run(&flags, opts.quiet),
        Some(Verb::States(flags)) => states::run(&flags, opts.quiet),
        Some(Verb::Model(flags)) => model::run(&flags, opts.quiet),
        Some(Verb::Scores(flags)) => scores::run(&flags, opts.quiet),
        Some(Verb::Collect(flags)) => collect::run(&flags, opts.quiet),
        Some(Verb::Observations(flags)) => observations::run(&flags, opts.quiet),
        Some(Verb::Calibrate(flags)) => calibrate::run(&flags, opts.quiet),
        Some(Verb::Predict(flags)) => predict::run(&flags, opts.quiet),
        Some(Verb::Card(flags)) => card::run(&flags),
        Some(Verb::Serve(flags)) => serve::run(&flags, opts.quiet),
        Some(Verb::Blind(flags)) => blind::run(&flags, opts.quiet),
        Some(Verb::Compare(flags)) => compare::run(&flags, opts.quiet),
        Some(Verb::Report(flags)) => report::run(&flags, opts.quiet),
        Some(Verb::List(flags)) => list::run(&flags),
    }
}

/// The exit code of an error, as `--help` documents it.
pub fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Parameter { .. } | Error::Unknown { .. } | Error::InUse { .. } | Error::Prices { .. } => 2,
        Error::Gaps { .. } => 3,
        Error::Budget { .. } => 4,
        Error::Account { .. } => 5,
        Error::Storage { .. } | Error::Journal { .. } => 6,
        Error::Interrupted { .. } => 130,
        _ => 1,
    }
}

/// Writes data to stdout. A reader that has seen enough (`| head`) is no failure.
fn print(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Write { path: Path::new("stdout").into(), source })
        }
        _ => Ok(()),
    }
}

/// Writes a line of talk to stderr. Where nobody listens any more, that is no failure either.
pub fn talk(line: &str) {
    let line = SECRETS.get().map_or(Cow::Borrowed(line), |secrets| secrets.redact_text(line));
    writeln!(std::io::stderr(), "{line}").unwrap_or_default();
}

/// What no line of talk says, once it is known.
static SECRETS: OnceLock<Arc<Secrets>> = OnceLock::new();

/// A progress bar on stderr; silent if asked to be or where stderr is no terminal.
fn progress(steps: usize, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{elapsed_precise} [{wide_bar}] {pos}/{len} {msg}");
    ProgressBar::new(steps as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
