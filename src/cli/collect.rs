//! `surmise collect`: a closed model's answers to tasks, kept and graded; and what can be done with a folder of them afterwards.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::watch::{Watch, interrupts};
use super::{print, talk};
use crate::collect::ask::Patience;
use crate::collect::budget::Price;
use crate::collect::configuration::Configuration;
use crate::collect::limiter::Waits;
use crate::collect::plan::{Again, Repeats};
use crate::collect::replay::Account;
use crate::collect::run::{self, Run};
use crate::collect::secrets::Secrets;
use crate::collect::task::Rendering;
use crate::collect::{Grader, Grading, Normalisation, estimate, journal};
use crate::error::{Error, Result};
use crate::provider::{self, Settings};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Flags {
    #[command(subcommand)]
    after: Option<After>,
    #[command(flatten)]
    ask: Asking,
}

#[derive(Debug, Subcommand)]
enum After {
    /// Grade what a folder holds again, with no network
    Rescore(Rescore),
    /// Take damaged lines out of a journal; they are kept beside it
    Repair {
        /// The folder
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Rescore {
    /// The folder
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Where the tasks are now, if their files have moved
    #[arg(long = "task", value_name = "NAME|FILE")]
    tasks: Vec<String>,
    /// Another grader; one that needs other prompts needs another run
    #[arg(long, value_enum)]
    grader: Option<Grader>,
    #[command(flatten)]
    normal: Normal,
}

#[derive(Debug, Clone, Copy, Args)]
struct Normal {
    /// Compare in lower case
    #[arg(long)]
    ignore_case: bool,
    /// Compare without punctuation
    #[arg(long)]
    ignore_punctuation: bool,
}

#[derive(Debug, Args)]
struct Asking {
    /// Names from `surmise list tasks`, or JSONL or CSV files with id, prompt or messages, answer or answers, choices; texts:FILE for prompts without answers
    #[arg(required = true, value_name = "TASK")]
    tasks: Vec<String>,
    /// Wire format, from `surmise list providers`
    #[arg(long, required = true, value_name = "NAME")]
    provider: Option<String>,
    /// Where it is served [default: the provider's own]; https unless it is this machine
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The model's name at the provider
    #[arg(long, required = true, value_name = "NAME")]
    model: Option<String>,
    /// Folder for journal.jsonl, scores.csv, gains.csv, summary.json, texts.jsonl; the same command again goes on with it
    #[arg(short, long, required = true, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print what would be asked and what it would cost, and ask nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    money: Money,
    #[command(flatten)]
    content: Content,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Money")]
struct Money {
    /// The most that may be spent, over all runs into this folder
    #[arg(long, value_name = "USD", conflicts_with = "no_budget", requires = "prices")]
    budget_usd: Option<f64>,
    /// TOML file with `date` and, for each model, [models."NAME"] input_usd_per_million_tokens and output_usd_per_million_tokens
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Ask without a cap
    #[arg(long)]
    no_budget: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What is asked")]
struct Content {
    /// Longest answer, tokens
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// 0 for the likeliest answer
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// Share of the probability that is sampled from
    #[arg(long, value_name = "P")]
    top_p: Option<f64>,
    /// Text that ends an answer; may be given several times [default: the task's own]
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// Seed of the provider's sampling, where it takes one
    #[arg(long, value_name = "SEED")]
    sampling_seed: Option<u64>,
    /// Ask for the log-probabilities of this many likeliest tokens
    #[arg(long, value_name = "N")]
    logprobs: Option<u8>,
    /// How answers are graded
    #[arg(long, value_enum, default_value_t)]
    grader: Grader,
    #[command(flatten)]
    normal: Normal,
    /// Most shots of in-context tasks; all numbers from 0 are asked
    #[arg(long, value_name = "K", default_value_t = super::SHOTS)]
    shots: usize,
    /// Questions per relation of in-context tasks, prompts per category of texts
    #[arg(long, value_name = "N", default_value_t = 25)]
    items: usize,
    /// How in-context questions are put [default: instructed for chats, text for completions]
    #[arg(long, value_enum)]
    rendering: Option<Rendering>,
    /// Seed of in-context questions and of what is repeated
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Answers to each question
    #[arg(long, value_name = "N", default_value_t = 1)]
    replicates: u32,
    /// Share of items that are asked once more, to see how far answers differ
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    repeat_share: f64,
    /// Ask again what has this outcome: filtered, refused, truncated, empty, unreadable, failed; may be given several times
    #[arg(long, value_name = "OUTCOME", value_parser = ["filtered", "refused", "truncated", "empty", "unreadable", "failed"])]
    redo: Vec<String>,
    /// Ask this into a folder that holds answers to another configuration; those to the same questions are used
    #[arg(long)]
    new_config: bool,
    /// Leave away, in all requests, what the model says it does not support
    #[arg(long)]
    adapt_params: bool,
    /// End the run if another snapshot of the model answers
    #[arg(long, value_name = "NAME")]
    require_model_snapshot: Option<String>,
    /// Go on although many answers are cut at --max-tokens
    #[arg(long)]
    keep_truncated: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How it is asked")]
struct Manner {
    /// Requests at a time, at most; how many are sent follows the server
    #[arg(long, value_name = "N", default_value_t = 16)]
    concurrency: usize,
    /// Longest a request may take, seconds; one that is given up may have been billed
    #[arg(long, value_name = "S", default_value_t = 300.0)]
    timeout_s: f64,
    /// More requests to a question that a server's error (500, 502, 504) answered
    #[arg(long, value_name = "N", default_value_t = 4)]
    retries: u32,
    /// More requests to a question whose answer was lost on the way: each may be billed
    #[arg(long, value_name = "N", default_value_t = 1)]
    unknown_retries: u32,
    /// What becomes of requests that may have been billed without an answer, those of a crash as well
    #[arg(long, value_enum, default_value_t = OnUnknown::Retry)]
    on_unknown: OnUnknown,
    /// First wait after trouble, seconds; it doubles
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    backoff_s: f64,
    /// Longest wait, whatever a server asks for, seconds
    #[arg(long, value_name = "S", default_value_t = 120.0)]
    max_wait_s: f64,
    /// End the run when nothing was answered for so long, seconds
    #[arg(long, value_name = "S", default_value_t = 900.0)]
    patience_s: f64,
    /// PEM file of certificates to trust beside the system's
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Do not wait for the disk: for measuring what durability costs
    #[arg(long, hide = true)]
    no_sync: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnUnknown {
    /// They are asked again, and both are booked
    Retry,
    /// They stay without an answer
    Fail,
}

/// What an interrupted run waits for requests that are under way.
const GRACE: Duration = Duration::from_secs(30);

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    match &flags.after {
        None => collect(&flags.ask, quiet),
        Some(After::Rescore(rescore)) => self::rescore(rescore, quiet),
        Some(After::Repair { output }) => {
            let said = match journal::repair(output)? {
                None => "no line is damaged".into(),
                Some((n, aside)) => format!("{n} damaged line(s) taken out, kept in {}", aside.display()),
            };
            if !quiet {
                talk(&said);
            }
            Ok(())
        }
    }
}

fn collect(ask: &Asking, quiet: bool) -> Result<()> {
    let name = ask.provider.as_deref().unwrap_or_default();
    let provider = provider::find(name)?;
    let manner = &ask.manner;
    check(ask)?;
    let mut configuration = configuration(ask, provider);
    let folder = ask.output.clone().unwrap_or_default();
    let price = ask.money.prices.as_ref().map(|path| Price::read(path, &configuration.model)).transpose()?;
    let again = Again { kinds: ask.content.redo.clone(), leave_unknown: manner.on_unknown == OnUnknown::Fail };
    if ask.dry_run {
        let estimate = estimate::estimate(&folder, &mut configuration, &again, price)?;
        return print(describe(&estimate).as_bytes());
    }
    if ask.money.budget_usd.is_none() && !ask.money.no_budget {
        let reason = "or --no-budget must be given: --budget-usd N --prices FILE caps what is spent";
        return Err(Error::Parameter { name: "--budget-usd", reason: reason.into() });
    }
    // One letter, or none at all, is cut by design; and so is a text of a given length.
    let keep_truncated = ask.content.keep_truncated || ask.content.grader.needs_choices();
    let endpoint = configuration.base_url.clone();
    let run = Run {
        folder,
        configuration,
        new_config: ask.content.new_config,
        again,
        adapt: ask.content.adapt_params,
        patience: Patience {
            concurrency: manner.concurrency,
            retries: manner.retries,
            unknown_retries: if manner.on_unknown == OnUnknown::Fail { 0 } else { manner.unknown_retries },
            waits: Waits { first_s: manner.backoff_s, longest_s: manner.max_wait_s },
            silence: Duration::from_secs_f64(manner.patience_s),
            keep_truncated,
            model_snapshot: ask.content.require_model_snapshot.clone(),
        },
        timeout: Duration::from_secs_f64(manner.timeout_s),
        grace: GRACE,
        price,
        cap_usd: ask.money.budget_usd,
        ca_cert: manner.ca_cert.clone(),
        durable: !manner.no_sync,
    };
    let watch = Watch::start(quiet);
    let secrets = || Secrets::from_env(provider.key_variable(), &endpoint);
    let ended = run.collect(secrets, &watch.progress, interrupts);
    watch.finish();
    let ended = ended?;
    if !quiet {
        talk(&sentence(&ended.summary));
    }
    let gaps = ended.summary.n_gaps();
    let left = match (gaps, ended.summary.spent_usd) {
        (0, _) => String::new(),
        (n, None) => format!(" ({n} of {} questions have no answer)", ended.summary.n_questions),
        (n, Some(spent_usd)) => {
            format!(" (spent {spent_usd:.6} USD; {n} of {} questions have no answer)", ended.summary.n_questions)
        }
    };
    match ended.early {
        Some(Error::Budget { reason }) => Err(Error::Budget { reason: reason + &left }),
        Some(Error::Interrupted { reason }) => Err(Error::Interrupted { reason: reason + &left }),
        Some(error) => Err(error),
        None if gaps > 0 => {
            let reason = format!(
                "finished with gaps{left}; the same command asks again what failed for a passing reason, --redo failed asks all of it"
            );
            Err(Error::Gaps { reason })
        }
        None => Ok(()),
    }
}

/// Numbers out of their range, before anything else.
fn check(ask: &Asking) -> Result<()> {
    let fault = |name: &'static str, reason: &str| Err(Error::Parameter { name, reason: reason.into() });
    let manner = &ask.manner;
    if !(1..=1024).contains(&manner.concurrency) {
        return fault("--concurrency", "must be from 1 to 1024");
    }
    for (name, value) in [
        ("--timeout-s", manner.timeout_s),
        ("--backoff-s", manner.backoff_s),
        ("--max-wait-s", manner.max_wait_s),
        ("--patience-s", manner.patience_s),
    ] {
        if !(value > 0.0 && value <= 1e6) {
            return fault(name, "must be above 0 and at most a million");
        }
    }
    if !(0.0..=1.0).contains(&ask.content.repeat_share) {
        return fault("--repeat-share", "must be from 0 to 1");
    }
    if !(1..=1000).contains(&ask.content.replicates) {
        return fault("--replicates", "must be from 1 to 1000");
    }
    if let Some(usd) = ask.money.budget_usd
        && !(usd > 0.0 && usd <= 1e6)
    {
        return fault("--budget-usd", "must be above 0 and at most a million");
    }
    Ok(())
}

/// What was typed, as it is recorded.
fn configuration(ask: &Asking, provider: &'static dyn provider::Provider) -> Configuration {
    let (content, model) = (&ask.content, ask.model.clone().unwrap_or_default());
    let defaults = provider.defaults(&model);
    let echo = content.grader.needs_echo();
    let settings = Settings {
        max_tokens: content.max_tokens.unwrap_or(if echo { 1 } else { defaults.max_tokens }),
        temperature: content.temperature.or(defaults.temperature),
        top_p: content.top_p.or(defaults.top_p),
        stop: content.stop.clone(),
        seed: content.sampling_seed.or(defaults.seed),
        logprobs: content.logprobs.or(if echo { Some(1) } else { defaults.logprobs }),
        echo,
        ..defaults
    };
    let is_chat = provider.capabilities().chats;
    Configuration {
        provider: provider.name().into(),
        base_url: ask.base_url.clone().unwrap_or_else(|| provider.default_base_url().into()),
        model,
        settings,
        without: vec![],
        sources: ask.tasks.clone(),
        shots: content.shots,
        items: content.items,
        seed: content.seed,
        rendering: content.rendering.unwrap_or(if is_chat { Rendering::Instructed } else { Rendering::Text }),
        repeats: Repeats { replicates: content.replicates, share: content.repeat_share, seed: content.seed },
        grading: Grading { grader: content.grader, normalisation: content.normal.into(), stops: content.stop.clone() },
        normalisation_version: 0,
        tasks: vec![],
    }
}

impl From<Normal> for Normalisation {
    fn from(normal: Normal) -> Self {
        Self { ignore_case: normal.ignore_case, ignore_punctuation: normal.ignore_punctuation }
    }
}

fn rescore(flags: &Rescore, quiet: bool) -> Result<()> {
    let mut prompts_differ = None;
    let summary = run::rescore(&flags.output, |configuration| {
        if !flags.tasks.is_empty() {
            configuration.sources.clone_from(&flags.tasks);
        }
        if let Some(grader) = flags.grader {
            let there = configuration.grading.grader;
            if grader != there && (grader.needs_choices() || there.needs_choices()) {
                prompts_differ = Some((there, grader));
            } else {
                configuration.grading.grader = grader;
            }
        }
        configuration.grading.normalisation.ignore_case |= flags.normal.ignore_case;
        configuration.grading.normalisation.ignore_punctuation |= flags.normal.ignore_punctuation;
    })?;
    if let Some((there, grader)) = prompts_differ {
        let reason = format!(
            "{} needs other prompts than {}, which was asked for; collect into another folder",
            grader.name(),
            there.name()
        );
        return Err(Error::Parameter { name: "--grader", reason });
    }
    if !quiet {
        talk(&sentence(&summary));
    }
    Ok(())
}

/// What a folder holds, in a sentence.
fn sentence(summary: &Account) -> String {
    let kinds: Vec<_> = summary.outcomes.iter().map(|(kind, n)| format!("{n} {}", kind.replace('_', " "))).collect();
    let mut text = format!("{} questions, {} requests: {}", summary.n_questions, summary.n_requests, kinds.join(", "));
    if summary.n_possibly_paid > 0 {
        text.push_str(&format!("; {} requests may have been billed without an answer", summary.n_possibly_paid));
    }
    if let Some(usd) = summary.spent_usd {
        text.push_str(&format!("; {usd:.6} USD"));
    }
    if summary.n_repeated > 0 {
        text.push_str(&format!("; {} of {} repeated items differ", summary.n_disagreed, summary.n_repeated));
    }
    text
}

/// An estimate, as tab-separated lines and the first request.
fn describe(estimate: &estimate::Estimate) -> String {
    let (prompts, answers) = (estimate.prompt_tokens, estimate.completion_tokens);
    let mut text = format!(
        "calls\t{}\ncached\t{}\nprompt_tokens\t{}\t{}\ncompletion_tokens\t{}\t{}\n",
        estimate.n_calls, estimate.n_cached, prompts.0, prompts.1, answers.0, answers.1
    );
    if let Some((low, high)) = estimate.cost_usd {
        text.push_str(&format!("cost_usd\t{low:.6}\t{high:.6}\n"));
    }
    if let Some(spent) = estimate.spent_usd {
        text.push_str(&format!("spent_usd\t{spent:.6}\n"));
    }
    if let Some(first) = &estimate.first {
        text.push_str(&format!("\n{first}\n"));
    }
    text
}
