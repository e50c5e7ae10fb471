//! The flags of `surmise collect`, and the configuration that they describe.

use std::path::PathBuf;

use clap::Args;

use super::batch_flags::BatchFlags;
use super::folder_input::FolderInput;
use super::request_flags::RequestFlags;
use super::wire_flags::{Temperature, WireFlags, temperature};
use crate::cli::TableFlags;
use crate::cli::choice::{choice, listed};
use crate::collect::configuration::Configuration;
use crate::collect::grading::{NORMALISATION_VERSION, registry};
use crate::collect::plan::Replication;
use crate::collect::tasks::Rendering;
use crate::collect::{Grader, Grading, Normalisation};
use crate::error::{Error, Result};
use crate::provider::{self, GenerationParams};

/// Outcomes after which a question can be sent again.
const REDO: [&str; 6] = ["filtered", "refused", "truncated", "empty", "unreadable", "failed"];

#[derive(Debug, Args)]
pub(super) struct RescoreFlags {
    #[command(flatten)]
    pub(super) folder: FolderInput,
    /// Name or file of a task to read instead of the recorded tasks, for example if task files have moved;
    /// give the flag once for each task
    #[arg(long = "task", value_name = "NAME|FILE")]
    pub(super) tasks: Vec<String>,
    /// Grader to use instead of the recorded one; a grader that needs different prompts requires a new
    /// collection
    #[arg(long, value_name = "NAME,...", value_parser = grader)]
    pub(super) grader: Option<Grader>,
    #[command(flatten)]
    pub(super) normal: NormalisationFlags,
    /// Do not escape texts in items.csv that a spreadsheet would run as formulas
    #[arg(long)]
    pub(super) raw_csv: bool,
}

/// Parses one grader, or several graders separated by commas.
fn grader(text: &str) -> std::result::Result<Grader, String> {
    text.parse()
}

fn graders() -> String {
    let rows = registry::ALL.iter().map(|rule| {
        format!("\n- {}{}: {}", rule.name(), rule.argument_form().unwrap_or_default(), rule.about())
    });
    format!(
        "Grader of the answers, or several in order (number,contains); the first grader that can read an \
         answer grades it{}",
        rows.collect::<String>()
    )
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct NormalisationFlags {
    /// Ignore case when comparing texts
    #[arg(long)]
    pub(super) ignore_case: bool,
    /// Ignore punctuation when comparing texts
    #[arg(long)]
    pub(super) ignore_punctuation: bool,
    /// Version of the rules that normalise texts
    #[arg(
        long,
        value_name = "VERSION",
        default_value_t = NORMALISATION_VERSION,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(NORMALISATION_VERSION))
    )]
    pub(super) normalisation: u32,
}

#[derive(Debug, Args)]
pub(super) struct CollectFlags {
    /// Tasks: names from `surmise list tasks`, or JSONL or CSV files with the fields id, prompt (or
    /// messages), answer (or answers) and choices; texts:FILE for prompts without answers
    #[arg(required = true, value_name = "TASK")]
    pub(super) tasks: Vec<String>,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) money: BudgetFlags,
    #[command(flatten)]
    pub(super) content: ContentFlags,
    #[command(flatten)]
    pub(super) resume: ResumeFlags,
    #[command(flatten)]
    pub(super) wire: WireFlags,
    #[command(flatten)]
    pub(super) batch: BatchFlags,
    #[command(flatten)]
    pub(super) request: RequestFlags,
}

/// The model that is queried, and the folder for its answers.
#[derive(Debug, Args)]
pub(super) struct TargetFlags {
    #[arg(
        long,
        required = true,
        value_name = "NAME",
        help = listed("Wire format", provider::ALL.iter().map(|provider| provider.name())),
    )]
    pub(super) provider: Option<String>,
    /// Base URL of the API; must be https, except for a server on this machine [default: the URL of the
    /// provider]
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Name of the model at the provider
    #[arg(long = "api-model", alias = "model", required = true, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// Folder for journal.jsonl, scores.csv, gains.csv, items.csv, summary.json, texts.jsonl and, for
    /// `collect semantic`, semantic.csv; the same command continues an interrupted run
    #[arg(short, long, required = true, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Send nothing; print the number of requests, their cost and, if the folder already contains answers,
    /// the expected duration
    #[arg(long)]
    pub(super) dry_run: bool,
    // These flags apply to --dry-run.
    #[command(flatten)]
    pub(super) table: TableFlags,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Budget")]
pub(super) struct BudgetFlags {
    /// Spending cap in USD, over all runs into this folder
    #[arg(long, value_name = "USD", conflicts_with = "no_budget", requires = "prices")]
    pub(super) budget_usd: Option<f64>,
    /// TOML file with `date` and, for each model, a section [models."NAME"] with input_usd_per_million_tokens
    /// and output_usd_per_million_tokens; batch_factor and the prices of cached, reasoning and audio tokens
    /// and of service tiers are optional
    #[arg(long, value_name = "FILE")]
    pub(super) prices: Option<PathBuf>,
    /// Collect without a spending cap
    #[arg(long)]
    pub(super) no_budget: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Questions and answers")]
pub(super) struct ContentFlags {
    /// Token limit of an answer, including reasoning [default: 2048 for chat APIs, or 128 for in-context
    /// tasks if a probe request shows no reasoning; 32 for completion APIs]
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u32>,
    /// Sampling temperature; 0 means greedy decoding, `none` omits the parameter [default: 0; none for known
    /// reasoning models]
    #[arg(long, value_name = "T|none", value_parser = temperature)]
    pub(super) temperature: Option<Temperature>,
    /// Nucleus sampling threshold (top-p)
    #[arg(long, value_name = "P")]
    pub(super) top_p: Option<f64>,
    /// Stop sequence; may be given several times [default: the stop sequences of the task for completion
    /// APIs; none for chat APIs, where grading truncates answers at the stop sequences of the task]
    #[arg(long, value_name = "TEXT")]
    pub(super) stop: Vec<String>,
    /// Sampling seed, if the provider accepts one
    #[arg(long, value_name = "SEED")]
    pub(super) sampling_seed: Option<u64>,
    /// Request the log-probabilities of the N most likely tokens
    #[arg(long, value_name = "N")]
    pub(super) logprobs: Option<u8>,
    #[arg(long, value_name = "NAME,...", value_parser = grader, default_value = "exact", help = graders())]
    pub(super) grader: Grader,
    #[command(flatten)]
    pub(super) normal: NormalisationFlags,
    /// Largest number of shots in in-context tasks; every number from 0 to K is used
    #[arg(long, value_name = "K", default_value_t = crate::cli::SHOTS)]
    pub(super) shots: usize,
    /// Number of questions per relation (in-context tasks) or prompts per category (texts)
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(super) items: usize,
    /// Format of in-context questions [default: turns for chat APIs, or instructed with --shots 0; text for
    /// completion APIs]
    #[arg(long, value_parser = choice(&Rendering::ALL, Rendering::name, Rendering::describe))]
    pub(super) rendering: Option<Rendering>,
    /// Seed of the in-context questions and of the choice of repeated items
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Number of answers to request for each question
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) replicates: u32,
    /// Share of items to request a second time, to measure how often the two answers differ
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(super) repeat_share: f64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Questions and answers")]
pub(super) struct ResumeFlags {
    /// Send a question again if its stored outcome is OUTCOME: filtered, refused, truncated, empty,
    /// unreadable or failed; may be given several times
    #[arg(long, value_name = "OUTCOME", value_parser = REDO)]
    pub(super) redo: Vec<String>,
    /// Collect into a folder that contains answers of another configuration; answers to identical questions
    /// are reused
    #[arg(long)]
    pub(super) new_config: bool,
    /// End the run if the model does not support a parameter [default: omit the parameter from all requests,
    /// or lower a value that is too high, and record the change]
    #[arg(long)]
    pub(super) no_adapt_params: bool,
    /// Has no effect: parameters are adapted by default
    #[arg(long, hide = true, conflicts_with = "no_adapt_params")]
    pub(super) adapt_params: bool,
    /// End the run if an answer comes from a snapshot of the model other than NAME
    #[arg(long, value_name = "NAME")]
    pub(super) require_model_snapshot: Option<String>,
    /// Continue even if many answers are truncated at --max-tokens
    #[arg(long)]
    pub(super) keep_truncated: bool,
    /// Continue even if none of the first 20 answers is correct, or if none of them can be graded
    #[arg(long)]
    pub(super) keep_going: bool,
    /// Do not escape texts in items.csv that a spreadsheet would run as formulas
    #[arg(long)]
    pub(super) raw_csv: bool,
}

/// Checks the flags that every collection has.
pub(super) fn check(target: &TargetFlags, money: &BudgetFlags, request: &RequestFlags) -> Result<()> {
    let fault = |name: &'static str, reason: &str| Err(Error::Parameter { name, reason: reason.into() });
    request.check()?;
    if target.model.as_deref().is_none_or(|model| model.trim().is_empty()) {
        return fault("--api-model", "must be the model's name at the provider, but it is blank");
    }
    if let Some(usd) = money.budget_usd
        && !(usd > 0.0 && usd <= 1e6)
    {
        return fault("--budget-usd", "must be above 0 and at most a million");
    }
    Ok(())
}

/// Largest number of questions per relation, summed over all numbers of shots.
const MOST_DRAWN: usize = 100_000;

/// Checks the flags for the numbers of questions, repetitions and answers.
pub(super) fn check_content(content: &ContentFlags) -> Result<()> {
    let fault = |name: &'static str, reason: &str| Err(Error::Parameter { name, reason: reason.into() });
    if !(1..=10_000).contains(&content.items) {
        return fault("--items", "must be from 1 to 10000");
    }
    // Each number of shots has its own questions, and all prompts are kept in memory.
    if content.items.saturating_mul(content.shots.saturating_add(1)) > MOST_DRAWN {
        let reason = format!("times (--shots + 1) must be at most {MOST_DRAWN}; lower --items or --shots");
        return fault("--items", &reason);
    }
    if !(0.0..=1.0).contains(&content.repeat_share) {
        return fault("--repeat-share", "must be from 0 to 1");
    }
    if !(1..=1000).contains(&content.replicates) {
        return fault("--replicates", "must be from 1 to 1000");
    }
    Ok(())
}

/// The configuration that the flags describe, in the form that the folder records.
///
/// # Errors
/// Returns the errors of [`WireFlags::add_to`].
pub(super) fn configuration(
    ask: &CollectFlags,
    provider: &'static dyn provider::Provider,
) -> Result<Configuration> {
    let (content, model) = (&ask.content, ask.target.model.clone().unwrap_or_default());
    let defaults = provider.defaults(&model);
    let echo = content.grader.needs_echo();
    let params = GenerationParams {
        max_tokens: content.max_tokens.unwrap_or(if echo { 1 } else { defaults.max_tokens }),
        temperature: match content.temperature {
            Some(Temperature::Omitted) => None,
            Some(Temperature::Value(temperature)) => Some(temperature),
            None => defaults.temperature,
        },
        top_p: content.top_p.or(defaults.top_p),
        stop: content.stop.clone(),
        seed: content.sampling_seed.or(defaults.seed),
        logprobs: content.logprobs.or(if echo { Some(1) } else { defaults.logprobs }),
        echo,
        ..defaults
    };
    let params = ask.wire.add_to(params)?;
    let is_chat = provider.capabilities().chats;
    Ok(Configuration {
        provider: provider.name().into(),
        base_url: ask.target.base_url.clone().unwrap_or_else(|| provider.default_base_url().into()),
        model,
        params,
        without: vec![],
        lowered: vec![],
        short_answers: false,
        sources: ask.tasks.clone(),
        shots: content.shots,
        items: content.items,
        seed: content.seed,
        rendering: content.rendering.unwrap_or(match (is_chat, content.shots) {
            (true, 0) => Rendering::Instructed,
            (true, _) => Rendering::Turns,
            (false, _) => Rendering::Text,
        }),
        repeats: Replication {
            replicates: content.replicates,
            share: content.repeat_share,
            seed: content.seed,
        },
        grading: Grading {
            grader: content.grader.clone(),
            normalisation: content.normal.into(),
            stops: content.stop.clone(),
        },
        normalisation_version: 0,
        sends_task_stops: !is_chat,
        tasks: vec![],
        raw_csv: ask.resume.raw_csv,
        has_default_limit: is_chat && content.max_tokens.is_none(),
        semantic: None,
    })
}

impl From<NormalisationFlags> for Normalisation {
    fn from(normal: NormalisationFlags) -> Self {
        let NormalisationFlags { ignore_case, ignore_punctuation, normalisation: version } = normal;
        Self { ignore_case, ignore_punctuation, version }
    }
}
