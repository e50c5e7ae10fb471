//! Sends all pending questions, a bounded number at a time, until every question has an outcome or the run
//! ends.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinSet;

use super::budget::tokens;
use super::client::question::{PreparedQuestion, QuestionOutcome};
use super::client::worker::Worker;
use super::first_answers::spread_first;
use super::journal::Journal;
use super::plan::{Pending, Plan, Question};
use crate::error::{Error, Result};

/// Asks all questions. Returns the reason if the run ended early.
pub(super) async fn ask_all(
    plan: &Plan,
    mut pending: Pending,
    journal: &Journal,
    worker: &Arc<Worker>,
) -> Result<Option<Error>> {
    let run = &worker.run;
    // If the answers of earlier runs already fail the check, the run ends before it sends a request.
    if let Some(reason) = worker.first.add_earlier(plan, &pending, journal)? {
        run.stop.drain(Error::Gaps { reason });
    }
    if has_parts(plan)? {
        spread_first(&mut pending.questions);
    }
    run.progress.total.store(pending.questions.len() as u64, Relaxed);
    run.progress.limit.store(run.limiter.limit() as u64, Relaxed);
    let mut in_flight: JoinSet<(Question, QuestionOutcome)> = JoinSet::new();
    let (mut deferred, mut n_begun) = (vec![], 0);
    let mut record =
        |ended: std::result::Result<(Question, QuestionOutcome), tokio::task::JoinError>| match ended {
            Ok((_, QuestionOutcome::Answered(_))) => drop(run.progress.done.fetch_add(1, Relaxed)),
            Ok((_, QuestionOutcome::Failed(_))) => {
                run.progress.done.fetch_add(1, Relaxed);
                run.progress.failed.fetch_add(1, Relaxed);
            }
            Ok((question, QuestionOutcome::Deferred)) => deferred.push(question),
            // The panic message is already on stderr. The question may have been sent; the next run records
            // it as possibly paid.
            Err(error) if error.is_panic() => run.stop.drain(panicked()),
            Err(_) => {}
        };
    // A question that waits for a retry has no request in flight. So the number of open questions is twice
    // the concurrency, to keep enough requests in flight.
    let most = 2 * run.policy.concurrency;
    for question in &pending.questions {
        while in_flight.len() >= most {
            in_flight.join_next().await.into_iter().for_each(&mut record);
        }
        if run.stop.is_draining() {
            break;
        }
        let prepared = match prepare(plan, question, journal, worker) {
            Ok(prepared) => prepared,
            // The requests in flight are billed in any case, so the run waits for their answers.
            Err(error) => {
                run.stop.drain(error);
                break;
            }
        };
        let (worker, question) = (worker.clone(), *question);
        in_flight.spawn(async move { (question, worker.ask(&prepared).await) });
        n_begun += 1;
    }
    let drained = async {
        while let Some(ended) = in_flight.join_next().await {
            record(ended);
        }
    };
    tokio::select! {
        () = drained => {}
        () = run.stop.aborting() => {}
    }
    let early = run.stop.take();
    if !worker.is_short.load(Relaxed) || !matches!(early, None | Some(Error::Budget { .. })) {
        return Ok(early);
    }
    deferred.extend(&pending.questions[n_begun..]);
    let (prompts, answers) = tokens::of(plan, &deferred)?;
    let usd = |prompt, answer| run.budget.cost_usd(prompt, answer).unwrap_or(0.0);
    let reason = format!(
        "the budget allows no further request: {1:.6} of --budget-usd {0} are spent{4}, and the remaining \
         questions would cost {2:.6} to {3:.6} USD",
        run.budget.cap_usd().unwrap_or(0.0),
        run.budget.spent_usd().unwrap_or(0.0),
        usd(prompts.0, answers.0),
        usd(prompts.1, answers.1),
        run.budget.held_text(),
    );
    Ok(Some(Error::Budget { reason }))
}

/// Whether the questions differ in their task or their number of shots.
fn has_parts(plan: &Plan) -> Result<bool> {
    let [task] = plan.tasks.as_slice() else { return Ok(plan.tasks.len() > 1) };
    let Some(last) = task.items.len().checked_sub(1) else { return Ok(false) };
    Ok(task.items.get(0)?.shots != task.items.get(last)?.shots)
}

/// Renders a question in the wire format.
fn prepare(plan: &Plan, question: &Question, journal: &Journal, worker: &Worker) -> Result<PreparedQuestion> {
    let item = plan.item(question)?;
    let request = plan.request(&item, question);
    let wire = plan.provider.render(&request)?;
    let key = plan.key(&wire, question.replicate);
    let (attempts, most) = (journal.index.attempts(&key), worker.most(&request));
    let checked = worker.first.question(plan, question, &item);
    let (task, item, replicate) = (item.task, item.id, question.replicate);
    Ok(PreparedQuestion { key, task, item, replicate, probe: false, attempts, checked, wire, most })
}

/// The error of a run in which surmise panicked.
pub fn panicked() -> Error {
    let reason = "surmise panicked (see above; please report this bug); all answers received so far are \
                  stored, and the same command continues the run";
    Error::Panicked { reason: reason.into() }
}
