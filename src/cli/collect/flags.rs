//! The flags of `surmise collect`, and the configuration they describe.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::choice::{choice, listed};
use crate::collect::configuration::Configuration;
use crate::collect::plan::Replication;
use crate::collect::tasks::Rendering;
use crate::collect::{Grader, Grading, Normalisation};
use crate::error::{Error, Result};
use crate::provider::{self, GenerationParams, KeyHeader};

/// Outcomes that can be asked again.
const REDO: [&str; 6] = ["filtered", "refused", "truncated", "empty", "unreadable", "failed"];

#[derive(Debug, Args)]
pub(super) struct RescoreFlags {
    /// The folder
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: PathBuf,
    /// Where the tasks are now, if their files have moved
    #[arg(long = "task", value_name = "NAME|FILE")]
    pub(super) tasks: Vec<String>,
    /// Another grader; one that needs other prompts needs another run
    #[arg(long, value_parser = choice(&Grader::ALL, Grader::name, Grader::describe))]
    pub(super) grader: Option<Grader>,
    #[command(flatten)]
    pub(super) normal: NormalisationFlags,
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct NormalisationFlags {
    /// Compare texts in lower case
    #[arg(long)]
    pub(super) ignore_case: bool,
    /// Compare without punctuation
    #[arg(long)]
    pub(super) ignore_punctuation: bool,
}

#[derive(Debug, Args)]
pub(super) struct CollectFlags {
    /// Names from `surmise list tasks`, or JSONL or CSV files with id, prompt or messages, answer or
    /// answers, choices; texts:FILE for prompts without answers
    #[arg(required = true, value_name = "TASK")]
    pub(super) tasks: Vec<String>,
    #[arg(
        long,
        required = true,
        value_name = "NAME",
        help = listed("Wire format", provider::ALL.iter().map(|provider| provider.name())),
    )]
    pub(super) provider: Option<String>,
    /// Base URL [default: the provider's own]; https unless it is this machine
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// The model's name at the provider
    #[arg(long, required = true, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// Folder for journal.jsonl, scores.csv, gains.csv, summary.json, texts.jsonl; the same command again
    /// goes on with it
    #[arg(short, long, required = true, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Print what would be asked, what it would cost and, where the folder holds answers to tell by, how
    /// long it would take; ask nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) money: BudgetFlags,
    #[command(flatten)]
    pub(super) content: ContentFlags,
    #[command(flatten)]
    pub(super) request: RequestFlags,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Budget")]
pub(super) struct BudgetFlags {
    /// The most that may be spent, over all runs into this folder
    #[arg(long, value_name = "USD", conflicts_with = "no_budget", requires = "prices")]
    pub(super) budget_usd: Option<f64>,
    /// TOML file with `date` and, for each model, [models."NAME"] input_usd_per_million_tokens and
    /// output_usd_per_million_tokens
    #[arg(long, value_name = "FILE")]
    pub(super) prices: Option<PathBuf>,
    /// Ask without a cap
    #[arg(long)]
    pub(super) no_budget: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What is asked")]
pub(super) struct ContentFlags {
    /// Longest answer, tokens
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u32>,
    /// 0 for the likeliest answer
    #[arg(long, value_name = "T")]
    pub(super) temperature: Option<f64>,
    /// Nucleus sampling threshold (top-p)
    #[arg(long, value_name = "P")]
    pub(super) top_p: Option<f64>,
    /// Stop sequence; may be given several times [default: the task's own]
    #[arg(long, value_name = "TEXT")]
    pub(super) stop: Vec<String>,
    /// Sampling seed, where the provider accepts one
    #[arg(long, value_name = "SEED")]
    pub(super) sampling_seed: Option<u64>,
    /// Request the log-probabilities of this many most likely tokens
    #[arg(long, value_name = "N")]
    pub(super) logprobs: Option<u8>,
    /// How answers are graded
    #[arg(long, value_parser = choice(&Grader::ALL, Grader::name, Grader::describe), default_value = "exact")]
    pub(super) grader: Grader,
    #[command(flatten)]
    pub(super) normal: NormalisationFlags,
    /// Most shots of in-context tasks; all numbers from 0 are asked
    #[arg(long, value_name = "K", default_value_t = crate::cli::SHOTS)]
    pub(super) shots: usize,
    /// Questions per relation of in-context tasks, prompts per category of texts
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(super) items: usize,
    /// How in-context questions are put [default: instructed for chats, text for completions]
    #[arg(long, value_parser = choice(&Rendering::ALL, Rendering::name, Rendering::describe))]
    pub(super) rendering: Option<Rendering>,
    /// Seed of in-context questions and of what is repeated
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Answers to each question
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) replicates: u32,
    /// Share of items that are asked once more, to see how far answers differ
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(super) repeat_share: f64,
    /// Ask again what has this outcome: filtered, refused, truncated, empty, unreadable, failed; may be
    /// given several times
    #[arg(long, value_name = "OUTCOME", value_parser = REDO)]
    pub(super) redo: Vec<String>,
    /// Ask this into a folder that holds answers to another configuration; those to the same questions are
    /// used
    #[arg(long)]
    pub(super) new_config: bool,
    /// Leave parameters out of all requests that the model does not support
    #[arg(long)]
    pub(super) adapt_params: bool,
    /// End the run if another snapshot of the model answers
    #[arg(long, value_name = "NAME")]
    pub(super) require_model_snapshot: Option<String>,
    /// Continue even if many answers are truncated at --max-tokens
    #[arg(long)]
    pub(super) keep_truncated: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How it is asked")]
pub(super) struct RequestFlags {
    /// Requests at a time, at most; how many are sent follows the server
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) concurrency: usize,
    /// Request timeout in seconds; timed-out requests may be billed
    #[arg(long, value_name = "S", default_value_t = 300.0)]
    pub(super) timeout_s: f64,
    /// More requests to a question that a server's error (500, 502, 504) answered
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(super) retries: u32,
    /// More requests to a question whose answer was lost on the way: each may be billed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) unknown_retries: u32,
    /// What becomes of requests that may have been billed without an answer, those of a crash as well
    #[arg(long, value_enum, default_value_t = OnUnknown::Retry)]
    pub(super) on_unknown: OnUnknown,
    /// First wait after a rejected request, seconds; it doubles
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub(super) backoff_s: f64,
    /// Longest wait, whatever the server asks for, seconds
    #[arg(long, value_name = "S", default_value_t = 120.0)]
    pub(super) max_wait_s: f64,
    /// End the run after so long without an answer, seconds
    #[arg(long, value_name = "S", default_value_t = 900.0)]
    pub(super) patience_s: f64,
    /// Header the key goes in [default: that of the wire format]
    #[arg(long, value_enum, value_name = "HEADER")]
    pub(super) key_header: Option<KeyHeaderName>,
    /// PEM file of certificates to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
    /// Do not wait for the disk: for measuring what durability costs
    #[arg(long, hide = true)]
    pub(super) no_sync: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyHeaderName {
    /// authorization: Bearer KEY
    Bearer,
    /// api-key: KEY, as Azure wants it
    ApiKey,
    /// x-api-key: KEY
    XApiKey,
    /// x-goog-api-key: KEY
    XGoogApiKey,
}

impl From<KeyHeaderName> for KeyHeader {
    fn from(sent_in: KeyHeaderName) -> Self {
        match sent_in {
            KeyHeaderName::Bearer => Self::Bearer,
            KeyHeaderName::ApiKey => Self::Named("api-key"),
            KeyHeaderName::XApiKey => Self::Named("x-api-key"),
            KeyHeaderName::XGoogApiKey => Self::Named("x-goog-api-key"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnUnknown {
    /// They are asked again, and both are booked
    Retry,
    /// They stay without an answer
    Fail,
}

/// Refuses numbers out of their range.
pub(super) fn check(ask: &CollectFlags) -> Result<()> {
    let fault = |name: &'static str, reason: &str| Err(Error::Parameter { name, reason: reason.into() });
    let request = &ask.request;
    if !(1..=1024).contains(&request.concurrency) {
        return fault("--concurrency", "must be from 1 to 1024");
    }
    for (name, value) in [
        ("--timeout-s", request.timeout_s),
        ("--backoff-s", request.backoff_s),
        ("--max-wait-s", request.max_wait_s),
        ("--patience-s", request.patience_s),
    ] {
        if !(value > 0.0 && value <= 1e6) {
            return fault(name, "must be above 0 and at most a million");
        }
    }
    if ask.model.as_deref().is_none_or(|model| model.trim().is_empty()) {
        return fault("--model", "must be the name the provider knows the model by, and is blank");
    }
    if ask.content.items == 0 {
        return fault("--items", "must be at least 1");
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

/// The configuration that the flags describe, as it is recorded.
pub(super) fn configuration(ask: &CollectFlags, provider: &'static dyn provider::Provider) -> Configuration {
    let (content, model) = (&ask.content, ask.model.clone().unwrap_or_default());
    let defaults = provider.defaults(&model);
    let echo = content.grader.needs_echo();
    let params = GenerationParams {
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
        params,
        without: vec![],
        sources: ask.tasks.clone(),
        shots: content.shots,
        items: content.items,
        seed: content.seed,
        rendering: content.rendering.unwrap_or(if is_chat { Rendering::Instructed } else { Rendering::Text }),
        repeats: Replication {
            replicates: content.replicates,
            share: content.repeat_share,
            seed: content.seed,
        },
        grading: Grading {
            grader: content.grader,
            normalisation: content.normal.into(),
            stops: content.stop.clone(),
        },
        normalisation_version: 0,
        tasks: vec![],
    }
}

impl From<NormalisationFlags> for Normalisation {
    fn from(normal: NormalisationFlags) -> Self {
        Self { ignore_case: normal.ignore_case, ignore_punctuation: normal.ignore_punctuation }
    }
}
