//! Defines the commands, the function that runs each, and the exit codes.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use super::grammar::with_grammar;
use super::{
    TableFlags, blind, calibrate, card, cite, collect, compare, completions, demo, list, man, measure,
    methods, mi, model, observations, predict, report, scores, serve, states, study, view, watch,
};
use crate::error::{Error, Result};
use crate::machine;
use crate::model::chat;

/// The exit codes of [`Error::exit_code`], as `--help` lists them.
const EXIT_CODES: &str = "Exit codes: 0 complete, 1 failed, 2 usage (a flag, name or value), 3 finished \
                          with gaps, 4 budget reached, 5 credentials or quota, 6 storage, 130 interrupted.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "surmise",
    version,
    about = "Proxy estimation for closed language models: measure emergence in small open models, calibrate, \
             and predict the closed models",
    long_about = "Proxy estimation for closed language models.\n\nWithout a command, surmise runs the \
                  bundled study on embedded models. It measures the smaller models, treats the largest model \
                  of each family as closed, predicts the emergence of this model from its answers, and then \
                  measures the emergence for comparison. It prints predictions next to measurements: a table \
                  on a terminal, otherwise CSV.",
    after_help = EXIT_CODES
)]
pub struct Opts {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Without a command: folder for the files of the bundled study
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print only errors and warnings to stderr
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Number of threads; results are bit-identical for any number [default: all cores]
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    // These flags apply to the bundled study, which runs without a command.
    #[command(flatten)]
    table: TableFlags,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Demonstrate the positional estimand on an embedded family: measure, calibrate, predict, compare
    #[command(alias = "line")]
    Demo(demo::Flags),
    /// Write a first study file
    Init(study::init::Flags),
    /// Show what a study will need: tasks, requests, tokens, dollars, time, memory
    Plan(study::ListingFlags),
    /// Run a study: measure and query its models, calibrate, predict, report; finished tasks are not repeated
    #[command(after_help = EXIT_CODES)]
    Run(study::run::Flags),
    /// Show which tasks of a study are done, running, failed or missing
    Status(study::ListingFlags),
    /// Explain why a closed model of a study has no prediction or a wide interval, and advise what to add
    Doctor(study::ListingFlags),
    /// Download the models of a study, for machines without a network
    Fetch(study::fetch::Flags),
    /// Print a job script that runs a study on a cluster with Slurm
    Slurm(study::slurm::Flags),
    /// Merge the folders of a study's shards
    Merge(study::merge::Flags),
    /// Measure emergence profiles of models and of their randomly initialised copies on corpora
    Measure(Box<measure::Flags>),
    /// Estimate the mutual information of paired samples, as JSON
    Mi(mi::Flags),
    /// Compare groups of texts (human, model A, model B) by the emergence that small models show on them:
    /// permutation p-value and effect size, with a shuffled control
    Compare(compare::Flags),
    /// Write the residual streams of token ids or of a corpus as arrays in a safetensors file
    States(states::Flags),
    /// Convert the results of other tools to scores.csv, and collected answers to files of other tools
    #[command(after_help = EXIT_CODES)]
    Scores(scores::Flags),
    /// Describe a checkpoint: sizes, memory, data types, checksum
    Model(model::Flags),
    /// Collect and grade a closed model's answers to tasks over its API; stored answers are not requested
    /// again
    #[command(after_help = EXIT_CODES)]
    Collect(Box<collect::Flags>),
    /// Join profiles, scores and readings into one table with a row per target and corpus
    Observations(observations::Flags),
    /// Fit a calibration to any tidy table: cross-validate the candidates, blend the best, back-test the
    /// intervals, and write a card
    Calibrate(Box<calibrate::Flags>),
    /// Predict the rows of a table with a card: intervals with their back-tested coverage, or an empty cell
    /// and the reason if the data do not support a prediction
    Predict(predict::Flags),
    /// Describe a card: training data, range of use, and errors compared with the baselines mean and size
    Card(card::Flags),
    /// Serve a local checkpoint behind an OpenAI-compatible API on this machine
    Serve(serve::Flags),
    /// Back-test predictions: hide members of a family behind an API on this machine, predict each member
    /// from the others, and then measure it
    #[command(after_help = EXIT_CODES)]
    Blind(Box<blind::Flags>),
    /// Make tables (CSV, LaTeX, Markdown) and figures (SVG, PDF) of results on disk, or one HTML page of all
    /// results
    Report(report::Flags),
    /// Show the page of a results folder in a browser on this machine, and update it while a study runs
    View(view::Flags),
    /// Print BibTeX of the tool, the paper, and the methods that a results folder used
    Cite(cite::Flags),
    /// Write the methods paragraph of a results folder, with its settings, as text or LaTeX
    Methods(methods::Flags),
    /// List what is built in: models, architectures, estimators, corpora, providers, importers,
    /// exporters, candidates, tasks, graders, reports, columns of files
    List(list::Flags),
    /// Print a shell completion script
    Completions(completions::Flags),
    /// Print the manual page, or write a page for each command into a folder
    Man(man::Flags),
}

/// Upper limit of `--threads`. Common machines have fewer cores, and starting tens of thousands of threads
/// takes minutes.
const MOST_THREADS: usize = 1024;

/// Runs the command.
///
/// # Errors
/// Returns the error of the command.
pub fn run(opts: Opts) -> Result<()> {
    if let Some(threads) = opts.threads
        && !(1..=MOST_THREADS).contains(&threads)
    {
        let reason = format!("must be from 1 to {MOST_THREADS}, but is {threads}");
        return Err(Error::Parameter { name: "--threads", reason });
    }
    machine::start_pool(opts.threads)?;
    chat::use_workers();
    // Servers have no temporary files and finish their requests before they stop, so they handle signals
    // themselves.
    if !matches!(opts.verb, Some(Verb::Serve(_) | Verb::View(_))) {
        watch::ends_on_signals()?;
    }
    if opts.verb.is_some() && (opts.output.is_some() || opts.table.is_given()) {
        let reason = "before the command applies to the bundled study; for another command, write the flag \
                      after the command";
        let name = match (&opts.output, &opts.table.csv) {
            (Some(_), _) => "-o",
            (None, Some(_)) => "--csv",
            (None, None) => "--json",
        };
        return Err(Error::Parameter { name, reason: reason.into() });
    }
    match opts.verb {
        None => study::bundled::run(opts.output.as_deref(), &opts.table, opts.quiet),
        Some(Verb::Demo(flags)) => demo::run(&flags, opts.quiet),
        Some(Verb::Init(flags)) => study::init::run(&flags, opts.quiet),
        Some(Verb::Plan(flags)) => study::plan::run(&flags, opts.quiet),
        Some(Verb::Run(flags)) => study::run::run(&flags, opts.quiet),
        Some(Verb::Status(flags)) => study::status::run(&flags, opts.quiet),
        Some(Verb::Doctor(flags)) => study::doctor::run(&flags, opts.quiet),
        Some(Verb::Fetch(flags)) => study::fetch::run(&flags, opts.quiet),
        Some(Verb::Slurm(flags)) => study::slurm::run(&flags, opts.quiet),
        Some(Verb::Merge(flags)) => study::merge::run(&flags, opts.quiet),
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
        Some(Verb::Cite(flags)) => cite::run(&flags),
        Some(Verb::Methods(flags)) => methods::run(&flags),
        Some(Verb::List(flags)) => list::run(&flags),
        Some(Verb::Completions(flags)) => completions::run(&flags, with_grammar(Opts::command())),
        Some(Verb::Man(flags)) => man::run(&flags, with_grammar(Opts::command())),
    }
}
