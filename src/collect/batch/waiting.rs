//! Waits for batches: polls them with growing pauses, reports their progress, and fetches the results of each
//! batch that has ended.

use std::time::Duration;

use tokio::time::Instant;

use super::calls::{CallFault, Repeat};
use super::context::{Context, Held};
use super::faulty::Faulty;
use super::results::{Taken, take};
use super::twins::book_twins;
use crate::error::{Error, Result};
use crate::provider::batch::{BatchEnd, BatchStatus};

/// Advice for a batch that cannot be polled.
const ABANDON_BATCH: &str = "--cancel abandons the batch, whose requests then count as possibly billed";

/// The reason why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// All batches have ended.
    Ended,
    /// Some batches are still open. Each batch was polled only once, because no timeout was given.
    Polled,
    /// The run is ending, and the reason is stored in `run.stop`.
    Stopped,
}

/// The time limit for waiting, which applies to all rounds of a run together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    began: Instant,
    timeout: Duration,
    /// Whether each batch is polled only once. A failed poll is repeated.
    is_once: bool,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { began: Instant::now(), timeout, is_once: false }
    }

    /// The same time limit, with a single poll of each batch.
    pub(super) fn once(self) -> Self {
        Self { is_once: true, ..self }
    }

    fn left(self) -> Duration {
        self.timeout.saturating_sub(self.began.elapsed())
    }

    /// The condition under which a failed poll is repeated: the time limit has not passed.
    fn repeat(self) -> Repeat {
        Repeat::Poll(self.began.checked_add(self.timeout))
    }
}

/// The result of waiting for batches.
#[derive(Debug, Default)]
pub(super) struct WaitResult {
    /// Number of answered requests in the batches that ended.
    pub(super) n_answered: u64,
    /// The batches that were refused as too large.
    pub(super) too_large: Vec<TooLarge>,
    /// Whether a batch was cancelled.
    pub(super) was_cancelled: bool,
    /// Whether a batch turned out to belong to another client. Then the search for the own batch must be
    /// repeated.
    pub(super) has_foreign: bool,
    /// The batches that cannot be polled or fetched. The other batches are fetched before the run ends.
    pub(super) faulty: Faulty,
}

/// A batch that was refused as too large.
#[derive(Debug)]
pub(super) struct TooLarge {
    /// Name of the batch.
    pub(super) batch: String,
    /// Number of requests of the batch.
    pub(super) n: u64,
    /// The provider's message.
    pub(super) message: String,
}

/// The result of polling one batch.
enum Polled {
    /// The batch is in progress.
    Open(BatchStatus),
    /// Every poll failed, and the time limit has passed.
    Late,
    /// The batch has ended, and its results are stored or given up.
    Closed,
    /// The batch is faulty, and the run must end for this reason. The batch is not polled again in this run.
    Fault(String),
    /// The run is ending, and the reason is stored in `run.stop`.
    Stopped,
}

/// Waits until all batches have ended, but not longer than `patience` allows. Without `patience`, polls each
/// batch once. Batches that were faulty in an earlier round are not polled, and the run ends with an error
/// that states their fault.
pub(super) async fn wait(
    context: &Context<'_>,
    batches: &mut Vec<Held>,
    patience: Option<Patience>,
    faulty: Faulty,
    is_giving_up: bool,
) -> Result<(Waited, WaitResult)> {
    let run = &context.worker.run;
    let (began, mut n) = (Instant::now(), 0);
    let mut result = WaitResult { faulty, ..WaitResult::default() };
    let ids: Vec<String> = batches.iter().filter_map(|held| held.batch.id.clone()).collect();
    batches.retain(|held| !result.faulty.contains(held));
    let repeat = patience.map_or(Repeat::Poll(None), Patience::repeat);
    loop {
        let (mut states, mut open, mut is_late) = (vec![], vec![], false);
        for mut held in std::mem::take(batches) {
            match poll(context, &mut held, (&ids, repeat, is_giving_up), &mut result).await? {
                Polled::Open(status) => {
                    states.push((status, held.batch.n));
                    open.push(held);
                }
                Polled::Late => {
                    states.push((BatchStatus::default(), held.batch.n));
                    open.push(held);
                    is_late = true;
                }
                Polled::Closed => {}
                Polled::Fault(fault) => result.faulty.add(&held, fault, &run.progress),
                Polled::Stopped => {
                    result.faulty.reason(0).iter().for_each(|fault| run.say_once("batch fault", fault));
                    return Ok((Waited::Stopped, result));
                }
            }
        }
        *batches = open;
        // The batches are also polled only once if there is no time limit.
        let waits = patience.filter(|patience| !patience.is_once || is_late);
        // If each batch is polled only once, the run does not end here, because the next round waits for the
        // batches.
        let is_last = batches.is_empty() || waits.is_none();
        let is_once = patience.is_some_and(|patience| patience.is_once);
        if let Some(fault) = result.faulty.reason(batches.len()).filter(|_| is_last && !is_once) {
            run.stop_for_endpoint(fault);
        }
        if batches.is_empty() {
            run.progress.wait_for(None);
            return Ok((if run.stop.is_draining() { Waited::Stopped } else { Waited::Ended }, result));
        }
        let Some(patience) = waits else {
            let is_stopped = run.stop.is_draining();
            return Ok((if is_stopped { Waited::Stopped } else { Waited::Polled }, result));
        };
        if let Some(fault) = result.faulty.reason(0) {
            let then = "the run ends with this error once the other batches have ended";
            run.say_once("batch fault", &format!("{fault}; {then}"));
        }
        let line = line(&states, began.elapsed());
        run.progress.wait_for(Some(line.clone()));
        if n == 0 {
            run.progress.say(&line);
        }
        if patience.left().is_zero() {
            if let Some(fault) = result.faulty.reason(batches.len()) {
                run.stop_for_endpoint(fault);
            }
            let ids: Vec<&str> = batches.iter().filter_map(|held| held.batch.id.as_deref()).collect();
            let then = if is_giving_up {
                "the provider has not ended the cancelled batches yet: run the same command again to wait \
                 for them"
            } else {
                "the provider continues to process the batches: run the same command again to wait for them, \
                 or with --cancel to end them"
            };
            run.stop.drain(Error::Gaps {
                reason: format!(
                    "--batch-timeout ({} s) has passed: {line}; {then} ({})",
                    patience.timeout.as_secs(),
                    ids.join(", ")
                ),
            });
            return Ok((Waited::Stopped, result));
        }
        tokio::select! {
            () = context.pause(n, None) => {}
            () = tokio::time::sleep(patience.left()) => {}
        }
        n += 1;
        if run.stop.is_draining() {
            return Ok((Waited::Stopped, result));
        }
    }
}

/// Polls a batch. If the batch has ended, fetches and stores its results.
async fn poll(
    context: &Context<'_>,
    held: &mut Held,
    (others, repeat, is_giving_up): (&[String], Repeat, bool),
    result: &mut WaitResult,
) -> Result<Polled> {
    let run = &context.worker.run;
    let Some(id) = held.batch.id.clone() else { return Ok(Polled::Closed) };
    let reply = context.call(&context.wire.poll(&id), repeat).await;
    let status = match reply {
        Ok(value) => context.wire.read(&value).ok_or((
            "its state cannot be read".to_owned(),
            format!("the state of batch {id} cannot be read; check --base-url; {ABANDON_BATCH}"),
        )),
        Err(CallFault::Missing(message)) => {
            let fault = format!(
                "the server has no batch {id} ({message}); check that the key belongs to the account that \
                 created the batch; {ABANDON_BATCH}"
            );
            Err((message, fault))
        }
        Err(CallFault::Stopped { .. }) => return Ok(Polled::Stopped),
        Err(CallFault::Late) => return Ok(Polled::Late),
        Err(CallFault::TooLarge(message) | CallFault::Refused(message)) => {
            let fault = format!("batch {id} cannot be polled ({message}); {ABANDON_BATCH}");
            Err((message, fault))
        }
        Err(CallFault::Unclear(message)) => {
            let fault = format!(
                "batch {id} cannot be polled ({message}); run the same command again later; {ABANDON_BATCH}"
            );
            // If the server cannot be reached, the failure does not concern this batch, so the batch is not
            // given up.
            if is_giving_up && !context.is_reachable().await {
                return Ok(Polled::Fault(fault));
            }
            Err((message, fault))
        }
    };
    let status = match status {
        Ok(status) => status,
        Err((message, _)) if is_giving_up => {
            run.progress.say(&format!(
                "batch {id} cannot be polled ({message}); its {} open requests count as possibly billed",
                held.open.len()
            ));
            if !book_twins(context, held, &id, others).await? {
                return Ok(Polled::Stopped);
            }
            context.give_up(held, "lost", "the batch cannot be polled").await?;
            return Ok(Polled::Closed);
        }
        Err((_, fault)) => return Ok(Polled::Fault(fault)),
    };
    let Some(end) = status.end else { return Ok(Polled::Open(status)) };
    match take(context, held, (&status, end), others, is_giving_up).await? {
        Taken::All { n_answered } => result.n_answered += n_answered,
        Taken::Foreign => {
            result.has_foreign = true;
            return Ok(Polled::Closed);
        }
        Taken::Fault(fault) => return Ok(Polled::Fault(fault)),
        Taken::Stopped => return Ok(Polled::Stopped),
    }
    result.was_cancelled |= end == BatchEnd::Cancelled;
    if end == BatchEnd::Failed {
        let reason = status.reason.as_deref().unwrap_or("no reason given");
        let message = run.secrets.redact_text(reason).into_owned();
        if !status.is_too_large {
            return Ok(Polled::Fault(format!(
                "batch {id} failed as a whole ({message}); run the same command again once the cause is \
                 resolved"
            )));
        }
        result.too_large.push(TooLarge { batch: held.batch.name.clone(), n: held.batch.n, message });
    }
    Ok(Polled::Closed)
}

/// Describes the progress of all batches in one line, with the remaining time at the present rate.
fn line(states: &[(BatchStatus, u64)], waited: Duration) -> String {
    let total: u64 = states.iter().map(|(_, n)| n).sum();
    let done: u64 = states.iter().map(|(status, n)| status.n_done.unwrap_or(0).min(*n)).sum();
    let n = states.len();
    let batches = if n == 1 { "a batch is".to_owned() } else { format!("{n} batches are") };
    let left = if done == 0 || waited < Duration::from_secs(1) {
        "a batch takes up to a day".to_owned()
    } else {
        let seconds = waited.as_secs_f64() * (total - done) as f64 / done as f64;
        format!("about {:.0} min left", (seconds / 60.0).ceil())
    };
    format!("{batches} in progress, {done} of {total} requests done, {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_batches_are() {
        let state = |n_done| (BatchStatus { n_done, ..BatchStatus::default() }, 100);
        let say = |states: &[_], s| line(states, Duration::from_secs(s));
        assert_eq!(
            say(&[state(None)], 60),
            "a batch is in progress, 0 of 100 requests done, a batch takes up to a day"
        );
        assert_eq!(
            say(&[state(Some(100)), state(Some(50))], 600),
            "2 batches are in progress, 150 of 200 requests done, about 4 min left"
        );
    }
}
