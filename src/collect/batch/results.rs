//! Stores the results of a batch that has ended: downloads them until no result is missing, and writes the
//! outcome of every request.

use super::calls::Repeat;
use super::context::{Context, Held};
use super::reading::{Download, Reading};
use super::twins::book_twins;
use crate::collect::journal::BatchStage;
use crate::error::Result;
use crate::provider::batch::{BatchEnd, BatchStatus};

/// How the results of an ended batch were handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// Every request has an outcome.
    All {
        /// Number of answered requests.
        n_answered: u64,
    },
    /// The batch belongs to another client: its results are for other requests.
    Foreign,
    /// The results cannot be fetched for this reason, and the batch stays open.
    Fault(String),
    /// The run is ending, and the reason is stored in `run.stop`.
    Stopped,
}

/// Advice for results that cannot be fetched.
const ABANDON: &str = "--cancel abandons them, and their requests then count as possibly billed";

/// Fetches the results of a batch that has ended. If `is_giving_up`, abandons results that cannot be fetched.
/// `others` contains the ids of the other known batches.
pub(super) async fn take(
    context: &Context<'_>,
    held: &mut Held,
    (status, end): (&BatchStatus, BatchEnd),
    others: &[String],
    is_giving_up: bool,
) -> Result<Taken> {
    let mut reading = Reading::new(context, held)?;
    let fetched = fetch(context, held, &mut reading, (status, end), is_giving_up).await?;
    let status = match fetched {
        Fetched::Read(status) => status,
        Fetched::GivenUp(message) => {
            context.worker.run.progress.say(&format!(
                "the results of batch {} cannot be fetched ({message}); requests without a result count as \
                 possibly billed",
                status.id
            ));
            let n_missing = reading.n_without_result();
            return close(context, held, &reading, (status, "lost", n_missing), others).await;
        }
        Fetched::Ended(taken) => return Ok(taken),
    };
    reading.report(&status.id);
    // If a batch ended early, the server bills only the requests that it counts as processed.
    let n_missing = reading.n_missing(&status, end);
    close(context, held, &reading, (&status, end.name(), n_missing), others).await
}

/// How the downloads ended.
enum Fetched {
    /// All available results were read. Contains the last state of the batch that the server reported.
    Read(BatchStatus),
    /// The results are given up, because they cannot be fetched for this reason.
    GivenUp(String),
    /// Fetching ended without complete results, for the contained reason.
    Ended(Taken),
}

/// Downloads the results until no result is missing or the retries are used up.
async fn fetch(
    context: &Context<'_>,
    held: &mut Held,
    reading: &mut Reading<'_>,
    (status, end): (&BatchStatus, BatchEnd),
    is_giving_up: bool,
) -> Result<Fetched> {
    let run = &context.worker.run;
    let (mut status, mut n) = (status.clone(), 0);
    // Nothing is fetched if an earlier run wrote all outcomes, but ended before it closed the batch.
    while !reading.is_complete() {
        reading.begin();
        let mut is_whole = true;
        for call in context.wire.results(&status) {
            let (message, what) = match reading.download(&call, &held.intents).await? {
                Download::Read { is_whole: whole } => {
                    is_whole &= whole;
                    continue;
                }
                Download::Stopped => return Ok(Fetched::Ended(Taken::Stopped)),
                Download::Gone(message) => (message, "are gone"),
                Download::Refused(message) => (message, "cannot be fetched"),
            };
            reading.commits.durable().await?;
            if is_giving_up {
                return Ok(Fetched::GivenUp(message));
            }
            let fault = format!("the results of batch {} {what} ({message}); {ABANDON}", status.id);
            return Ok(Fetched::Ended(Taken::Fault(fault)));
        }
        reading.commits.durable().await?;
        if held.batch.is_guess && reading.counts.n_ours == 0 && reading.counts.n_unknown > 0 {
            run.progress.say(&format!(
                "batch {} does not belong to this folder; surmise searches for the right batch again",
                status.id
            ));
            context.note_stage(&mut held.batch, BatchStage::Foreign, Some(&status.id)).await?;
            return Ok(Fetched::Ended(Taken::Foreign));
        }
        let is_cut = !is_whole || reading.is_damaged();
        let n_missing = reading.n_missing(&status, end);
        let is_settled = (is_whole && reading.n_without_result() == 0) || (!is_cut && n_missing == 0);
        if reading.is_complete() || is_settled {
            break;
        }
        if n >= run.policy.retries {
            let stated = reading.n_stated(&status);
            // The server may still provide results that are billed, if it counts more processed requests than
            // there are results, or has not provided a file yet. Without a count, a completed batch has a
            // result for each request.
            let has_no_file = reading.has_nothing() && status.n_done != Some(0);
            let is_uncounted = end == BatchEnd::Completed && stated.is_none();
            let has_no_file = (has_no_file || is_uncounted) && context.wire.document().is_none();
            let may_come = stated.is_some_and(|n_done| n_done > reading.n_processed()) || has_no_file;
            let is_accounted = n_missing == 0 && stated.is_some();
            if is_accounted || (is_whole && (n_missing == 0 || !may_come || is_giving_up)) {
                break;
            }
            // Results are given up only if the server can be reached. Otherwise the failure concerns the
            // server, not this batch.
            if is_giving_up && context.is_reachable().await {
                return Ok(Fetched::GivenUp("they cannot be downloaded completely".into()));
            }
            let what = if is_whole { "lack some requests" } else { "cannot be downloaded completely" };
            return Ok(Fetched::Ended(Taken::Fault(format!(
                "the results of batch {} {what}; {} of {} requests have a result: run the same command \
                 again later; {ABANDON}",
                status.id,
                held.batch.n.saturating_sub(reading.n_without_result()),
                held.batch.n
            ))));
        }
        if n == 0 {
            let why = if is_cut { "are truncated or damaged" } else { "lack some requests" };
            run.progress.say(&format!("the results of batch {} {why}; they are fetched again", status.id));
        }
        context.pause(n, None).await;
        if run.stop.is_draining() {
            return Ok(Fetched::Ended(Taken::Stopped));
        }
        // The id of the result file may appear after the batch has ended.
        if context.wire.document().is_none()
            && let Ok(value) = context.call(&context.wire.poll(&status.id), Repeat::Poll(None)).await
            && let Some(now) = context.wire.read(&value).filter(|now| now.end == Some(end))
        {
            status = now;
        }
        n += 1;
    }
    Ok(Fetched::Read(status))
}

/// Writes the outcomes of the requests without an answer. The `n_missing` requests that may have been
/// processed come first, so that a later run counts the other requests correctly if this run ends before it
/// has written all outcomes.
async fn close(
    context: &Context<'_>,
    held: &mut Held,
    reading: &Reading<'_>,
    (status, end, n_missing): (&BatchStatus, &str, u64),
    others: &[String],
) -> Result<Taken> {
    let say = |text: String| context.worker.run.progress.say(&text);
    if !book_twins(context, held, &status.id, others).await? {
        return Ok(Taken::Stopped);
    }
    let (missing, unprocessed) = reading.open(&held.intents, n_missing);
    let (id, n) = (&status.id, held.batch.n);
    if !unprocessed.is_empty() {
        let ended = match status.end {
            Some(BatchEnd::Cancelled) => "was cancelled",
            Some(end) => end.name(),
            None => "ended",
        };
        let n_unprocessed = unprocessed.len();
        say(format!(
            "batch {id} {ended}: {n_unprocessed} of {n} requests were not processed and are not billed"
        ));
    }
    if !missing.is_empty() {
        let n_missing = missing.len();
        say(format!(
            "batch {id} has no result for {n_missing} of its requests, which count as possibly billed"
        ));
        held.open = missing;
        context.book_lost(held, "the batch has no result for this request").await?;
    }
    held.open = unprocessed;
    let usual = format!("the request was not processed (end of the batch: {end})");
    context.withdraw(held, end, |key| reading.why(key).unwrap_or(&usual).to_owned()).await?;
    Ok(Taken::All { n_answered: reading.n_answered })
}
