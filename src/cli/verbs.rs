//! The verbs: what can be typed, which function runs it, and the exit codes.

use clap::{Parser, Subcommand};

use super::{
    blind, calibrate, card, collect, compare, demo, list, measure, mi, model, observations, predict, report,
    scores, serve, states, view,
};
use crate::error::{Error, Result};

/// The exit codes as `--help` lists them, which [`exit_code`] returns.
const EXIT_CODES: &str = "Exit codes: 0 complete, 1 failed, 2 usage (a flag, name or value), 3 finished \
                          with gaps, 4 budget reached, 5 credentials or quota, 6 storage, 130 interrupted.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "surmise",
    version,
    about = "Proxy estimation for closed language models: measure emergence in small open models, calibrate, \
             predict the rest",
    long_about = "Proxy estimation for closed language models.\n\nWithout a verb, surmise demonstrates \
                  itself on its embedded family of small models: it measures them, calibrates on the smaller \
                  ones, predicts the two largest of each family, and prints predictions beside \
                  measurements as CSV.",
    after_help = EXIT_CODES
)]
pub struct Opts {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Write nothing to stderr but errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Threads [default: all cores]; results are the same to the bit
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The demonstration on the embedded family, which also runs without a verb
    #[command(alias = "line")]
    Demo(demo::Flags),
    /// Measure emergence profiles of models on corpora, and of their randomly initialised copies
    Measure(Box<measure::Flags>),
    /// Estimate the mutual information of paired samples, as JSON
    Mi(mi::Flags),
    /// Compare groups of texts (human, model A, model B) as small models read them: permutation p-value and
    /// effect size, beside a shuffled control
    Compare(compare::Flags),
    /// Write the residual streams of token ids or of a corpus as arrays in a safetensors file
    States(states::Flags),
    /// Convert the scores of other tools to scores.csv
    Scores(scores::Flags),
    /// Describe a checkpoint: sizes, memory, data types, checksum
    Model(model::Flags),
    /// Collect a closed model's answers to tasks over its API: stored, graded, never requested twice
    #[command(after_help = EXIT_CODES)]
    Collect(Box<collect::Flags>),
    /// Join profiles, scores and readings into one table with a row per target and corpus
    Observations(observations::Flags),
    /// Fit a calibration to any tidy table: cross-validate the candidates, choose one, back-test its
    /// intervals, and write it as a card
    Calibrate(Box<calibrate::Flags>),
    /// Predict the rows of a table with a card: intervals with their back-tested coverage, or an empty cell
    /// and the reason where the data support no number
    Predict(predict::Flags),
    /// Describe a card: training data, range of use, and errors beside those of mean and size
    Card(card::Flags),
    /// Serve a local checkpoint behind an OpenAI-compatible API on this machine
    Serve(serve::Flags),
    /// Back-test predictions: hide members of a family behind an API on this machine, predict each from the
    /// others, then measure it
    #[command(after_help = EXIT_CODES)]
    Blind(Box<blind::Flags>),
    /// Make tables (CSV, LaTeX, Markdown) and figures (SVG, PDF) of results on disk, or one page of all of
    /// them (html)
    Report(report::Flags),
    /// Show the page of a results folder in a browser on this machine, up to date while a study runs
    View(view::Flags),
    /// List what is built in: models, architectures, estimators, corpora, providers, importers,
    /// candidates, tasks, reports
    List(list::Flags),
}

/// More threads than any machine has cores for; starting tens of thousands takes minutes.
const MOST_THREADS: usize = 1024;

/// Runs the command.
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
        Some(Verb::Demo(flags)) => demo::run(&flags, opts.quiet),
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
        Some(Verb::View(flags)) => view::run(&flags, opts.quiet),
        Some(Verb::List(flags)) => list::run(&flags),
    }
}

/// The exit code of an error.
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
