//! Waits for batches: polls them with growing pauses, reports their progress, and fetches the results of
//! those that have ended.

use std::time::Duration;

use tokio::time::Instant;

use super::context::{CallFault, Context, Held};
use super::results::{Taken, take};
use crate::error::{Error, Result};
use crate::provider::batch::{BatchEnd, BatchStatus};

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// All batches have ended.
    Ended,
    /// Some batches are open. Each was polled once, because there was no timeout.
    Polled,
    /// The run ends, and the reason is stored.
    Stopped,
}

/// The result of the batches that ended.
#[derive(Debug, Default)]
pub(super) struct WaitResult {
    /// Number of requests with an answer.
    pub(super) n_answered: u64,
    /// The size of a batch that was refused as too large, and the reason.
    pub(super) too_large: Option<(u64, String)>,
    /// Whether a batch was cancelled.
    pub(super) was_cancelled: bool,
    /// Whether the search matched a wrong batch, so that ours must be searched for again.
    pub(super) has_foreign: bool,
}

/// Waits until all batches have ended, but at most for `timeout`. Without a timeout, polls each batch once.
pub(super) async fn wait(
    context: &Context<'_>,
    batches: &mut Vec<Held>,
    timeout: Option<Duration>,
    is_giving_up: bool,
) -> Result<(Waited, WaitResult)> {
    let run = &context.worker.run;
    let (began, mut n, mut result) = (Instant::now(), 0, WaitResult::default());
    let ids: Vec<String> = batches.iter().filter_map(|held| held.batch.id.clone()).collect();
    loop {
        let mut states = vec![];
        let mut open = vec![];
        for mut held in std::mem::take(batches) {
            let Some(id) = held.batch.id.clone() else { continue };
            let status = match context.call(&context.wire.poll(&id), true).await {
                Ok(value) => context.wire.read(&value),
                Err(CallFault::Missing(message)) if is_giving_up => {
                    run.progress.say(&format!(
                        "the server has no batch {id} ({message}); its {} open requests count as possibly \
                         billed",
                        held.open.len()
                    ));
                    context.give_up(&mut held, "lost", "the server has no such batch").await?;
                    continue;
                }
                Err(CallFault::Missing(message)) => {
                    run.stop_for_endpoint(format!(
                        "the server has no batch {id} ({message}); check that the key belongs to the account \
                         that created it; --cancel abandons the batch, and its requests then count as \
                         possibly billed"
                    ));
                    return Ok((Waited::Stopped, result));
                }
                Err(CallFault::Stopped) => return Ok((Waited::Stopped, result)),
                Err(
                    CallFault::TooLarge(message) | CallFault::Unclear(message) | CallFault::Refused(message),
                ) => {
                    run.stop_for_endpoint(format!("batch {id} cannot be polled ({message})"));
                    return Ok((Waited::Stopped, result));
                }
            };
            let Some(status) = status else {
                run.stop_for_endpoint(format!("the state of batch {id} cannot be read; check --base-url"));
                return Ok((Waited::Stopped, result));
            };
            let Some(end) = status.end else {
                states.push((status, held.batch.n));
                open.push(held);
                continue;
            };
            let reason = status.reason.as_deref().map(|reason| run.secrets.redact_text(reason).into_owned());
            match take(context, &mut held, (&status, end), &ids, is_giving_up).await? {
                Taken::All { n_answered } => result.n_answered += n_answered,
                Taken::Foreign => {
                    result.has_foreign = true;
                    continue;
                }
                Taken::Stopped => return Ok((Waited::Stopped, result)),
            }
            result.was_cancelled |= end == BatchEnd::Cancelled;
            if end == BatchEnd::Failed {
                let reason = reason.unwrap_or_else(|| "without a reason".into());
                if status.is_too_large {
                    result.too_large = Some((held.batch.n, reason));
                } else {
                    run.stop_for_endpoint(format!("batch {id} failed as a whole ({reason})"));
                }
            }
        }
        *batches = open;
        if batches.is_empty() {
            run.progress.wait_for(None);
            return Ok((if run.stop.is_draining() { Waited::Stopped } else { Waited::Ended }, result));
        }
        let Some(timeout) = timeout else { return Ok((Waited::Polled, result)) };
        let line = line(&states, began.elapsed());
        run.progress.wait_for(Some(line.clone()));
        if n == 0 {
            run.progress.say(&line);
        }
        if began.elapsed() >= timeout {
            let ids: Vec<&str> = batches.iter().filter_map(|held| held.batch.id.as_deref()).collect();
            run.stop.drain(Error::Gaps {
                reason: format!(
                    "after {} s of --batch-timeout, {}; the provider goes on: run the same command again to \
                     wait, or with --cancel to end the open batches ({})",
                    timeout.as_secs(),
                    line,
                    ids.join(", ")
                ),
            });
            return Ok((Waited::Stopped, result));
        }
        let left = timeout - began.elapsed();
        tokio::select! {
            () = context.pause(n, None) => {}
            () = tokio::time::sleep(left) => {}
        }
        n += 1;
        if run.stop.is_draining() {
            return Ok((Waited::Stopped, result));
        }
    }
}

/// The progress of batches in one line, with the remaining time at the present rate.
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
