//! The verbs: what can be typed, which function runs it, and the exit codes.

use clap::{Parser, Subcommand};

use super::{
    blind, calibrate, card, collect, compare, demo, list, measure, mi, model, observations, predict, report,
    scores, serve, states,
};
use crate::error::{Error, Result};

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
    #[command(alias = "line")]
    Demo(demo::Flags),
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

/// More threads than any machine has cores for; starting tens of thousands takes minutes.
const MOST_THREADS: usize = 1024;

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
