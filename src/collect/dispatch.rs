//! Sends all pending questions, a bounded number at a time, until all have an outcome or the run ends.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinSet;

use super::budget::tokens;
use super::client::question::{PreparedQuestion, QuestionOutcome};
use super::client::worker::Worker;
use super::journal::Journal;
use super::plan::{Pending, Plan, Question};
use crate::error::{Error, Result};

/// Asks all questions. Returns the reason if the run ended early.
pub(super) async fn ask_all(
    plan: &Plan,
    pending: &Pending,
    journal: &Journal,
    worker: &Arc<Worker>,
) -> Result<Option<Error>> {
    let run = &worker.run;
    worker.monitor.add_earlier(run, &pending.answered);
    run.progress.total.store(pending.questions.len() as u64, Relaxed);
    run.progress.limit.store(run.limiter.limit() as u64, Relaxed);
    let mut under_way: JoinSet<(Question, QuestionOutcome)> = JoinSet::new();
    let (mut left, mut n_begun) = (vec![], 0);
    let mut end =
        |ended: std::result::Result<(Question, QuestionOutcome), tokio::task::JoinError>| match ended {
            Ok((_, QuestionOutcome::Answered)) => drop(run.progress.done.fetch_add(1, Relaxed)),
            Ok((_, QuestionOutcome::Failed(_))) => {
                run.progress.done.fetch_add(1, Relaxed);
                run.progress.failed.fetch_add(1, Relaxed);
            }
            Ok((question, QuestionOutcome::Deferred)) => left.push(question),
            // What panicked has said so on stderr. Its question was asked, perhaps, and is booked as possibly
            // paid by the next run.
            Err(error) if error.is_panic() => run.stop.drain(panicked()),
            Err(_) => {}
        };
    // Some wait for their next attempt and hold no request; others may go on meanwhile.
    let most = 2 * run.policy.concurrency;
    for question in &pending.questions {
        while under_way.len() >= most {
            under_way.join_next().await.into_iter().for_each(&mut end);
        }
        if run.stop.is_draining() {
            break;
        }
        let prepared = match prepare(plan, question, journal, worker) {
            Ok(prepared) => prepared,
            // What is under way is paid, and waited for.
            Err(error) => {
                run.stop.drain(error);
                break;
            }
        };
        let (worker, question) = (worker.clone(), *question);
        under_way.spawn(async move { (question, worker.ask(&prepared).await) });
        n_begun += 1;
    }
    let drained = async {
        while let Some(ended) = under_way.join_next().await {
            end(ended);
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
    left.extend(&pending.questions[n_begun..]);
    let (prompts, answers) = tokens::of(plan, &left)?;
    let usd = |prompt, answer| run.budget.cost_usd(prompt, answer).unwrap_or(0.0);
    let reason = format!(
        "the budget allows no other request: of --budget-usd {}, {:.6} are spent, and what is left \
         costs {:.6} to {:.6} USD more",
        run.budget.cap_usd().unwrap_or(0.0),
        run.budget.spent_usd().unwrap_or(0.0),
        usd(prompts.0, answers.0),
        usd(prompts.1, answers.1),
    );
    Ok(Some(Error::Budget { reason }))
}

/// Renders a question for the wire.
fn prepare(plan: &Plan, question: &Question, journal: &Journal, worker: &Worker) -> Result<PreparedQuestion> {
    let item = plan.item(question)?;
    let request = plan.request(&item, question);
    let wire = plan.provider.render(&request)?;
    let key = plan.key(&wire, question.replicate);
    let (attempts, most) = (journal.index.attempts(&key), worker.most(&request));
    let (task, item, replicate) = (item.task, item.id, question.replicate);
    Ok(PreparedQuestion { key, task, item, replicate, probe: false, attempts, wire, most })
}

/// The error of a run in which the program panicked.
pub fn panicked() -> Error {
    let reason = "surmise made a mistake (see above; please report it): every answer that came is kept, the \
                  same command goes on";
    Error::Panicked { reason: reason.into() }
}
