//! `surmise collect`: collects and grades a closed model's answers to tasks, grades stored answers again, and
//! repairs journals.

mod batch_flags;
mod dry_run;
mod flags;
mod folder_input;
mod request_flags;
mod semantic_flags;
mod wire_flags;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use self::batch_flags::BatchFlags;
use self::flags::{BudgetFlags, CollectFlags, RescoreFlags, ResumeFlags, TargetFlags};
use self::folder_input::FolderInput;
use self::request_flags::{OnUnknown, RequestFlags};
use self::semantic_flags::SemanticFlags;
use super::progress::Progress;
use super::watch::{Watch, interrupts};
use super::{SECRETS, status};
use crate::collect::budget::estimate;
use crate::collect::budget::price::Price;
use crate::collect::client::endpoint::Endpoint;
use crate::collect::client::retry_policy::{Backoff, RetryPolicy};
use crate::collect::configuration::Configuration;
use crate::collect::journal;
use crate::collect::panicked;
use crate::collect::plan::RedoSelection;
use crate::collect::rescore;
use crate::collect::results::check::{Hints, Tolerated};
use crate::collect::results::replay::FolderSummary;
use crate::collect::run::Run;
use crate::collect::secrets::{Secrets, hide_in_panics};
use crate::collect::tasks::{LogprobSource, Rendering, SemanticTask};
use crate::error::{Error, Result};
use crate::provider::{self, Provider};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Flags {
    #[command(subcommand)]
    verb: Option<FolderVerb>,
    #[command(flatten)]
    ask: CollectFlags,
}

#[derive(Debug, Subcommand)]
enum FolderVerb {
    /// Send the prompts of the semantic estimand, which test relations, and write the results to semantic.csv
    Semantic(Box<SemanticFlags>),
    /// Grade the stored answers again, without network access
    Rescore(RescoreFlags),
    /// Move the damaged lines of a journal to a separate file next to it
    Repair(FolderInput),
}

/// What to collect, from which model, and how to send requests.
struct Collection<'a> {
    configuration: Configuration,
    target: &'a TargetFlags,
    money: &'a BudgetFlags,
    resume: &'a ResumeFlags,
    batch: &'a BatchFlags,
    request: &'a RequestFlags,
    /// Whether answers are scored on a single token, so that truncation is expected.
    is_scored: bool,
    /// Whether the run continues even if no answer is correct.
    is_tolerant: bool,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    match &flags.verb {
        None => {
            let ask = &flags.ask;
            let provider = provider::find(ask.target.provider.as_deref().unwrap_or_default())?;
            let collection = Collection {
                configuration: flags::configuration(ask, provider)?,
                target: &ask.target,
                money: &ask.money,
                resume: &ask.resume,
                batch: &ask.batch,
                request: &ask.request,
                is_scored: ask.content.grader.needs_choices(),
                is_tolerant: false,
            };
            collect(collection, provider, &|| flags::check_content(&ask.content), quiet)
        }
        Some(FolderVerb::Semantic(ask)) => {
            let provider = provider::find(ask.target.provider.as_deref().unwrap_or_default())?;
            let configuration = ask.configuration(provider)?;
            let scores = |semantic: &SemanticTask| semantic.logprobs_from == LogprobSource::Echo;
            let is_scored = configuration.semantic.as_ref().is_some_and(scores);
            let collection = Collection {
                configuration,
                target: &ask.target,
                money: &ask.money,
                resume: &ask.resume,
                batch: &ask.batch,
                request: &ask.request,
                is_scored,
                // In a semantic collection, it is a valid result if no answer is correct.
                is_tolerant: true,
            };
            collect(collection, provider, &|| Ok(()), quiet)
        }
        Some(FolderVerb::Rescore(flags)) => rescore_folder(flags, quiet),
        Some(FolderVerb::Repair(folder)) => {
            let message = match journal::repair(folder.path())? {
                None => "no line is damaged".into(),
                Some((n, aside)) => format!("{n} damaged line(s) removed and stored in {}", aside.display()),
            };
            if !quiet {
                status(&message);
            }
            Ok(())
        }
    }
}

fn collect(
    collection: Collection<'_>,
    provider: &'static dyn Provider,
    check: &dyn Fn() -> Result<()>,
    quiet: bool,
) -> Result<()> {
    let Collection { mut configuration, target, money, resume, batch, request, is_scored, is_tolerant } =
        collection;
    // The API key is read first, so that it can be redacted from every error message.
    let is_local = Endpoint::new(&configuration.base_url).is_ok_and(|endpoint| endpoint.is_local());
    let secrets = Secrets::from_env(provider.key_variable(), &configuration.base_url, is_local).map(Arc::new);
    if let Ok(secrets) = &secrets {
        SECRETS.get_or_init(|| secrets.clone());
        hide_in_panics(secrets.clone());
    }
    flags::check(target, money, request)?;
    check()?;
    let batch = batch.settings()?;
    let is_cancelling = batch.is_some_and(|batch| batch.cancel);
    let folder = target.output.clone().unwrap_or_default();
    let price = money.prices.as_ref().map(|path| Price::read(path, &configuration.model)).transpose()?;
    let redo =
        RedoSelection { kinds: resume.redo.clone(), leave_unknown: request.on_unknown == OnUnknown::Fail };
    if let Ok(secrets) = &secrets {
        secrets.check_url(&configuration.base_url)?;
        if secrets.is_placeholder() && !quiet {
            status(&format!(
                "the key in {} is too short or too similar to a word to redact safely, so stored answers may \
                 contain it",
                provider.key_variable()
            ));
        }
    }
    if target.dry_run {
        let progress = Progress::uncounted("planning", quiet);
        let estimate = estimate::estimate(
            &folder,
            &mut configuration,
            &redo,
            resume.new_config,
            price,
            estimate::Sending {
                concurrency: request.concurrency,
                by_batch: batch.is_some(),
                checks_first: !resume.keep_going,
            },
        )?;
        progress.finish();
        return dry_run::print(&estimate, &configuration, &target.table, secrets.ok().as_deref());
    }
    if target.table.is_given() {
        let reason = "and --json apply to the estimate of --dry-run only; a collection writes its tables to \
                      the folder -o";
        return Err(Error::Parameter { name: "--csv", reason: reason.into() });
    }
    if money.budget_usd.is_none() && !money.no_budget {
        let reason = "or --no-budget is required; --budget-usd N --prices FILE caps the spending";
        return Err(Error::Parameter { name: "--budget-usd", reason: reason.into() });
    }
    let is_drawn = |source: &String| !source.starts_with("texts") && !Path::new(source).is_file();
    if configuration.semantic.is_none()
        && configuration.rendering == Rendering::Turns
        && configuration.sources.iter().any(is_drawn)
        && !quiet
    {
        status(
            "in-context questions are sent as chat turns, without the stop sequences of the task (to change \
             this, use --rendering and --stop)",
        );
    }
    // A request that scores a choice or an answer asks for one token, so every answer counts as truncated.
    let keep_truncated = resume.keep_truncated || is_scored;
    let run = Run {
        folder,
        configuration,
        new_config: resume.new_config,
        redo,
        adapt: !resume.no_adapt_params,
        tolerated: Tolerated {
            wrong: resume.keep_going || is_tolerant,
            ungraded: resume.keep_going,
            truncated: resume.keep_going,
        },
        policy: RetryPolicy {
            concurrency: request.concurrency,
            retries: request.retries,
            unknown_retries: if request.on_unknown == OnUnknown::Fail { 0 } else { request.unknown_retries },
            backoff: Backoff { first_s: request.backoff_s, longest_s: request.max_wait_s },
            idle_timeout: Duration::from_secs_f64(request.idle_timeout_s),
            keep_truncated,
            model_snapshot: resume.require_model_snapshot.clone(),
        },
        timeout: Duration::from_secs_f64(request.timeout_s(is_local)),
        price,
        cap_usd: money.budget_usd,
        batch,
        key_header: request.key_header,
        ca_cert: request.ca_cert.clone(),
        in_process: None,
        is_claimed: false,
        durable: !request.no_sync,
    };
    let watch = Watch::start(quiet);
    let collect = || run.collect(secrets, &watch.progress, interrupts);
    let ended = catch_unwind(AssertUnwindSafe(collect)).unwrap_or_else(|_| Err(panicked()));
    watch.finish();
    let ended = ended?;
    if !quiet {
        report(&ended.summary);
        if ended.early.is_none() {
            doubt(&ended.summary, keep_truncated);
        }
    }
    let gaps = ended.summary.n_gaps();
    let left = match (gaps, ended.summary.spent_usd) {
        (0, _) => String::new(),
        (n, None) => format!(" ({n} of {} questions have no answer)", ended.summary.n_questions),
        (n, Some(spent_usd)) => {
            format!(
                " (spent {spent_usd:.6} USD; {n} of {} questions have no answer)",
                ended.summary.n_questions
            )
        }
    };
    match ended.early {
        Some(Error::Budget { reason }) => Err(Error::Budget { reason: reason + &left }),
        Some(Error::Interrupted { reason }) => Err(Error::Interrupted { reason: reason + &left }),
        Some(error) => Err(error),
        None if gaps > 0 => Err(Error::Gaps {
            reason: format!("the run finished with gaps{left}; {}", remedy(&ended.summary, is_cancelling)),
        }),
        None => Ok(()),
    }
}

/// Advice on how to get the missing answers.
fn remedy(summary: &FolderSummary, is_cancelling: bool) -> String {
    let n_in_batches = summary.outcomes.get("in_batch").copied().unwrap_or(0);
    let batch = format!(
        "{n_in_batches} of them are in a batch that has not ended: once the batch has ended, the same \
         command fetches the answers; {}",
        if is_cancelling {
            "with --batch instead of --cancel, the same command waits for the batch"
        } else {
            "--batch waits for it, and --cancel cancels the batch"
        }
    );
    let others = if is_cancelling {
        "the same command without --cancel asks the remaining questions and retries transient failures, and \
         --redo failed retries all failures"
    } else {
        "the same command retries transient failures, and --redo failed retries all failures"
    };
    match n_in_batches {
        0 => others.into(),
        n if n == summary.n_gaps() => batch,
        _ => format!("{batch}; {others}"),
    }
}

fn rescore_folder(flags: &RescoreFlags, quiet: bool) -> Result<()> {
    let summary = rescore::rescore(flags.folder.path(), |configuration| {
        if !flags.tasks.is_empty() {
            configuration.sources.clone_from(&flags.tasks);
        }
        if let Some(grader) = &flags.grader {
            configuration.grading.grader = grader.clone();
        }
        let normal = &mut configuration.grading.normalisation;
        if normal.version != flags.normal.normalisation && !quiet {
            status(&format!(
                "graded with normalisation version {}; the stored grades used version {}. To use the old \
                 version, give --normalisation {}",
                flags.normal.normalisation, normal.version, normal.version
            ));
        }
        normal.version = flags.normal.normalisation;
        normal.ignore_case |= flags.normal.ignore_case;
        normal.ignore_punctuation |= flags.normal.ignore_punctuation;
        configuration.raw_csv = flags.raw_csv;
        Ok(())
    })?;
    if !quiet {
        report(&summary);
        doubt(&summary, true);
    }
    Ok(())
}

/// Smallest number of answers for which a note reports that none is correct.
const FEW: usize = 5;

/// Prints a note if the check of the answers has a finding, such as that no answer is correct. A finding does
/// not end the run.
fn doubt(summary: &FolderSummary, truncated: bool) {
    // In a semantic collection, an incorrect answer is informative too.
    let wrong = summary.configuration.semantic.is_some();
    let tolerated = Tolerated { wrong, truncated, ungraded: false };
    let hints = Hints { grader: true, ..Hints::default() };
    if let Some(finding) = summary.check.finding_of(FEW, tolerated, hints) {
        status(&format!("note: {finding}"));
    }
}

/// Prints a summary of the folder, and the notes on semantic.csv.
fn report(summary: &FolderSummary) {
    status(&sentence(summary));
    summary.notes.iter().for_each(|note| status(&format!("note: {note}")));
}

/// Summarises the contents of a folder in a sentence.
fn sentence(summary: &FolderSummary) -> String {
    let shown = |kind: &str| match kind {
        "in_batch" => "in a batch that has not ended".to_owned(),
        kind => kind.replace('_', " "),
    };
    let kinds: Vec<_> = summary.outcomes.iter().map(|(kind, n)| format!("{n} {}", shown(kind))).collect();
    let mut text =
        format!("{} questions, {} requests: {}", summary.n_questions, summary.n_requests, kinds.join(", "));
    if !summary.grades.is_empty() {
        let grades: Vec<_> = summary.grades.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        text.push_str(&format!("; graded: {}", grades.join(", ")));
    }
    if summary.n_possibly_paid > 0 {
        text.push_str(&format!(
            "; {} requests may have been billed without an answer",
            summary.n_possibly_paid
        ));
    }
    // `outcomes` already counts the requests of this configuration that are in batches.
    let others = summary.n_in_batches
        - summary.outcomes.get("in_batch").copied().unwrap_or(0).min(summary.n_in_batches);
    if others > 0 {
        text.push_str(&format!("; {others} other requests are in batches that have not ended"));
    }
    if let Some(usd) = summary.spent_usd {
        text.push_str(&format!("; {usd:.6} USD"));
    }
    if let Some(batch) = summary.routes.get("batch").filter(|batch| batch.spent_usd > 0.0) {
        text.push_str(&format!(", of which {:.6} for batches", batch.spent_usd));
    }
    if summary.n_unpriced > 0 && summary.spent_usd.is_some() {
        text.push_str(&format!(", excluding {} requests without a price", summary.n_unpriced));
    }
    if summary.n_not_utf8 > 0 {
        text.push_str(&format!(
            "; {} answers are not UTF-8: invalid UTF-8 was replaced by U+FFFD",
            summary.n_not_utf8
        ));
    }
    if summary.n_repeated > 0 {
        text.push_str(&format!(
            "; {} of {} repeated items have different answers",
            summary.n_disagreed, summary.n_repeated
        ));
    }
    text
}
