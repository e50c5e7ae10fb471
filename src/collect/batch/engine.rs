//! Asks the questions of a run in rounds of batches. Each round groups the questions without an answer into
//! batches, creates the batches and waits for them. The next round asks the questions that are still
//! unanswered.

use std::sync::atomic::Ordering::Relaxed;

use super::calls::{CallFault, Repeat};
use super::context::{Context, Held, reservation};
use super::faulty::Faulty;
use super::prepare::{Tries, prepare};
use super::settings::BatchSettings;
use super::submission::{Submitted, find, lose, submit};
use super::waiting::{Patience, TooLarge, Waited, wait};
use crate::collect::client::worker::Worker;
use crate::collect::journal::{Index, Journal, JournalReader, Record, batch_intents};
use crate::collect::plan::{Plan, RedoSelection};
use crate::error::{Error, Result};
use crate::provider::batch::BatchLimits;

/// Maximum number of batches that are open at the same time.
const MOST_BATCHES: usize = 32;

/// Asks the pending questions in batches, or cancels the open batches. Without settings, polls the open
/// batches of earlier runs once and asks nothing. Returns the reason if the run ends early.
pub(in crate::collect) async fn run(
    plan: &Plan,
    journal: &mut Journal,
    worker: &Worker,
    again: &RedoSelection,
    settings: Option<BatchSettings>,
) -> Result<Option<Error>> {
    let run = &worker.run;
    let Some(wire) = plan.provider.batch() else { return Ok(None) };
    let path = journal.path.clone();
    let context = Context { plan, worker, wire, journal: &path };
    let is_cancelling = settings.is_some_and(|settings| settings.cancel);
    let asks = settings.is_some() && !is_cancelling;
    let mut limits = wire.limits();
    limits.requests = settings.and_then(|s| s.most_requests).unwrap_or(usize::MAX).min(limits.requests);
    let (mut tries, mut most_batches, mut is_short) = (Tries::default(), MOST_BATCHES, false);
    let (mut is_first, mut finding, mut patience, mut faulty) = (true, None, None, Faulty::default());
    loop {
        if !is_first {
            journal.index = Index::read(folder(journal))?;
        }
        let mut pending = plan.pending(&journal.index, again)?;
        // The existing answers are checked before each round, because all requests of a batch are paid at
        // once.
        if asks {
            finding = worker.first.of_earlier(plan, &pending, journal)?;
        }
        // Open batches are already billed, so their results are fetched even if the check failed.
        let asks = asks && finding.is_none();
        if is_first {
            let n = pending.questions.len() + pending.n_in_batches;
            run.progress.total.store(n as u64 + run.progress.done.load(Relaxed), Relaxed);
        } else {
            pending.questions.retain(|question| !tries.is_other_round(question));
        }
        let mut batches = held(&context, &journal.index)?;
        // Batches of earlier runs are polled once before a new batch is created.
        let only_polls = is_first && asks && batches.iter().any(|held| held.batch.id.is_some());
        is_first = false;
        if !only_polls {
            // While a batch is faulty, no new batch is created.
            let has_room = faulty.is_empty() && journal.index.batches.len() < most_batches;
            if asks && has_room && !run.stop.is_draining() {
                let room = (limits, most_batches - journal.index.batches.len());
                is_short = prepare(&context, &journal.index, &pending, &mut tries, room).await?;
                journal.index = Index::read(folder(journal))?;
                batches = held(&context, &journal.index)?;
            }
            if batches.is_empty() && faulty.is_empty() {
                break;
            }
            let refused = match faulty.is_empty() {
                true => create_all(&context, &mut batches, asks).await?,
                false => find_all(&context, &mut batches).await?,
            };
            if run.stop.is_draining() {
                break;
            }
            if !refused.is_empty() {
                // Each refused batch alone exceeds the limit, so the limit is below the size of the smallest
                // refused batch.
                let smallest = refused.iter().map(|refused| refused.n).min();
                lower(&context, &mut limits, &mut tries, &refused, smallest);
                continue;
            }
        }
        batches.retain(|held| held.batch.id.is_some());
        let mut until = settings.map(|s| *patience.get_or_insert_with(|| Patience::new(s.timeout)));
        if finding.is_some() {
            until = None;
        }
        if only_polls {
            until = until.map(Patience::once);
        }
        if is_cancelling && !cancel_all(&context, &batches).await {
            // The run does not wait for a batch that it did not cancel.
            until = None;
        }
        let known = std::mem::take(&mut faulty);
        let (waited, mut result) = wait(&context, &mut batches, until, known, is_cancelling).await?;
        if !result.too_large.is_empty() {
            // The limit may apply to the sum of all open batches. So the next batches have at most half the
            // size of the largest refused batch, and are created one at a time.
            let largest = result.too_large.iter().map(|refused| refused.n).max();
            lower(&context, &mut limits, &mut tries, &result.too_large, largest);
            most_batches = 1;
        }
        if result.was_cancelled && !is_cancelling {
            let reason = "a batch was cancelled at the provider; run the same command again to ask the \
                          remaining questions";
            run.stop.drain(Error::Gaps { reason: reason.into() });
            break;
        }
        if only_polls && waited != Waited::Stopped {
            faulty = std::mem::take(&mut result.faulty);
            continue;
        }
        let goes_on = result.n_answered > 0 || !result.too_large.is_empty() || result.has_foreign;
        match waited {
            Waited::Ended if asks && goes_on => {}
            // If the search matched a batch of another client, the next round repeats the search for the
            // batch of this run. Otherwise the loop ends. After a round without answers, the next round would
            // probably get no answers, too.
            Waited::Ended if result.has_foreign => {}
            Waited::Ended | Waited::Stopped => break,
            Waited::Polled if finding.is_some() => break,
            Waited::Polled => {
                let n: u64 = batches.iter().map(|held| held.open.len() as u64).sum();
                let then = if is_cancelling {
                    "to wait for the batch, use --batch instead of --cancel"
                } else {
                    "to wait for the batch, use --batch; to end it, use --cancel"
                };
                run.progress.say(&format!(
                    "{n} questions are in a batch that has not ended and are not asked again: {then}"
                ));
                break;
            }
        }
    }
    run.progress.wait_for(None);
    journal.index = Index::read(folder(journal))?;
    if let Some(reason) = finding {
        run.stop.drain(Error::Gaps { reason: with_open(reason, &journal.index) });
    }
    let early = run.stop.take();
    if matches!(early, Some(Error::Budget { .. })) || (early.is_none() && is_short) {
        let reason = format!(
            "the budget allows no further batch: {:.6} of --budget-usd {} are spent{}, and the maximum cost \
             of a request is reserved before it is sent",
            run.budget.spent_usd().unwrap_or(0.0),
            run.budget.cap_usd().unwrap_or(0.0),
            run.budget.held_text()
        );
        return Ok(Some(Error::Budget { reason }));
    }
    Ok(early)
}

fn folder(journal: &Journal) -> &std::path::Path {
    journal.path.parent().unwrap_or(std::path::Path::new("."))
}

/// Appends to the reason how many questions are still in batches, and how to fetch their answers.
fn with_open(reason: String, index: &Index) -> String {
    match index.open.values().filter(|intent| intent.batch.is_some()).count() {
        0 => reason,
        n => format!(
            "{reason}; {n} questions are still in a batch that is billed: a run without --batch fetches \
             their answers once the batch has ended, and --batch --cancel ends the batch and fetches the \
             answers so far"
        ),
    }
}

/// Reserves the maximum cost of the requests in open batches of earlier runs.
///
/// # Errors
/// [`Error::Journal`] or [`Error::Storage`] if the journal cannot be read.
pub(in crate::collect) fn hold(journal: &Journal, worker: &Worker) -> Result<()> {
    let in_batches = journal.index.open.values().filter(|intent| intent.batch.is_some());
    let budget = &worker.run.budget;
    if budget.spent_usd().is_none() {
        return Ok(());
    }
    let mut reader = JournalReader::open(&journal.path)?;
    for open in in_batches {
        if let Record::Intent(intent) = reader.record(open.place)? {
            budget.hold(reservation(budget, &intent));
        }
    }
    Ok(())
}

/// The open batches at this endpoint. Prints a message if a batch is open at another endpoint.
fn held(context: &Context<'_>, index: &Index) -> Result<Vec<Held>> {
    if index.batches.is_empty() {
        return Ok(vec![]);
    }
    let mut intents = batch_intents(context.journal)?;
    let mut batches = vec![];
    for (name, batch) in &index.batches {
        if batch.endpoint != context.endpoint() {
            context.worker.run.say_once(
                "other endpoint",
                &format!(
                    "a batch of {} requests is open at {}; run the command with that provider and base URL \
                     to fetch its results",
                    batch.n, batch.endpoint
                ),
            );
            continue;
        }
        let intents = intents.remove(name).unwrap_or_default();
        let is_open = |key, attempt| index.open.contains_key(&(key, attempt));
        let open = intents.iter().filter(|intent| is_open(intent.key, intent.attempt)).copied().collect();
        batches.push(Held { batch: batch.clone(), intents, open });
    }
    // Sorts the batches in the order of their first questions; the index sorts them by name.
    batches.sort_by_key(|held| held.intents.first().map(|intent| intent.place));
    Ok(batches)
}

/// Creates the batches that do not exist yet. If `asks` is false, withdraws the batches that were never sent.
/// Returns the batches that the server refused as too large.
async fn create_all(context: &Context<'_>, batches: &mut [Held], asks: bool) -> Result<Vec<TooLarge>> {
    let mut refused = vec![];
    let mut others: Vec<String> = batches.iter().filter_map(|held| held.batch.id.clone()).collect();
    for held in batches.iter_mut().filter(|held| held.batch.id.is_none()) {
        // If some requests already have outcomes, an earlier run ended while it closed this batch. The batch
        // is then not created.
        let is_begun = held.open.len() < held.intents.len();
        if held.batch.n_submitted == 0 && (is_begun || !asks) {
            context.withdraw(held, "withdrawn", |_| "the batch was not sent".into()).await?;
            continue;
        }
        if is_begun {
            lose(context, held, "an earlier run ended before it could determine this").await?;
            continue;
        }
        match submit(context, held, &others, asks).await? {
            Submitted::Created => others.extend(held.batch.id.clone()),
            Submitted::TooLarge(message) => {
                refused.push(TooLarge { batch: held.batch.name.clone(), n: held.batch.n, message });
            }
            Submitted::Closed => {}
            Submitted::Stopped => break,
        }
    }
    Ok(refused)
}

/// Searches for the batches that may exist at the provider, without creating a batch.
async fn find_all(context: &Context<'_>, batches: &mut [Held]) -> Result<Vec<TooLarge>> {
    let mut others: Vec<String> = batches.iter().filter_map(|held| held.batch.id.clone()).collect();
    let may_exist = |held: &&mut Held| held.batch.id.is_none() && held.batch.n_submitted > 0;
    for held in batches.iter_mut().filter(may_exist) {
        find(context, held, &others).await?;
        others.extend(held.batch.id.clone());
    }
    Ok(vec![])
}

/// Limits the next batches to half the size of the refused batch that has `n` requests. The questions of the
/// refused batches were not asked, so this try does not count.
fn lower(
    context: &Context<'_>,
    limits: &mut BatchLimits,
    tries: &mut Tries,
    refused: &[TooLarge],
    n: Option<u64>,
) {
    refused.iter().for_each(|refused| tries.take_back(&refused.batch));
    let Some(TooLarge { n, message, .. }) = refused.iter().find(|refused| Some(refused.n) == n) else {
        return;
    };
    let half = (*n as usize).div_ceil(2);
    if *n <= 1 {
        context.worker.run.stop_for_endpoint(format!(
            "a batch of one request is refused as too large ({message}); collect without --batch"
        ));
        return;
    }
    limits.requests = limits.requests.min(half);
    context.worker.run.progress.say(&format!(
        "a batch of {n} requests is refused for its size ({message}); its questions are split into batches \
         of at most {half} requests. To avoid the refusal, use --batch-size {half}"
    ));
}

/// Cancels the batches that certainly belong to this folder. Returns false if a batch is not cancelled
/// because it may belong to another user.
async fn cancel_all(context: &Context<'_>, batches: &[Held]) -> bool {
    for held in batches {
        let Some(id) = held.batch.id.as_deref() else { continue };
        if held.batch.is_guess {
            context.worker.run.progress.say(&format!(
                "batch {id} is not cancelled, because it may belong to another user: surmise found it in the \
                 provider's list only by its number of requests. If the batch is yours, cancel it in the \
                 provider's console and run the same command again to fetch its results"
            ));
            continue;
        }
        // A batch that has ended is not cancelled. A batch whose state the server does not return is given up
        // when it is polled.
        match context.call(&context.wire.poll(id), Repeat::Poll(None)).await {
            Ok(value) if context.wire.read(&value).is_some_and(|status| status.end.is_none()) => {}
            Err(CallFault::Stopped { .. }) => return true,
            // The state of the batch is unknown, so it may be in progress.
            Err(CallFault::Unclear(_)) => {}
            _ => continue,
        }
        // If the batch has ended since the poll, the server refuses the cancellation. This does no harm,
        // because the next poll detects the end.
        if context.call(&context.wire.cancel(id), Repeat::UnlessConflict).await.is_ok() {
            context.worker.run.progress.say(&format!("batch {id} is being cancelled"));
        }
    }
    batches.iter().all(|held| !held.batch.is_guess)
}
