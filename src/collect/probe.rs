//! The probe: one short request before all others, which shows whether the endpoint accepts the parameters.

use super::client::question::{PreparedQuestion, QuestionOutcome};
use super::client::worker::Worker;
use super::configuration::Configuration;
use super::journal::{Journal, JournalReader, QuestionKey, Record, RecordSpan};
use super::plan::Plan;
use super::results::decode;
use crate::error::Result;
use crate::provider::{Failure, FailureClass, Prompt, Request};

/// The prompt of the probe.
const PROBE: &str = "Reply with the word yes.";
/// Tokens with a log-probability in the answer to a probe whose prompt is scored: those of the prompt but the
/// first, and at most one that follows it.
const FEWEST_ECHOED: usize = 2;
/// Why a run ends whose server shows none.
const NO_ECHO: &str = "the server does not return the log-probabilities of a prompt (`echo` with \
                       `logprobs`), which scoring answers needs";

/// The probes of a plan, with the parameters of the task with most stop sequences: one for tasks that are
/// answered, one for those whose prompts are scored, where there are any.
pub(super) fn requests(plan: &Plan) -> Vec<Request> {
    let most_stops = |echo: bool| {
        plan.params
            .iter()
            .filter(|params| params.echo == echo)
            .max_by_key(|params| params.stop.len())
            .cloned()
    };
    let request = |params| Request { model: plan.model.clone(), prompt: Prompt::Text(PROBE.into()), params };
    [false, true].into_iter().filter_map(most_stops).map(request).collect()
}

/// Finds out, once per configuration, whether the endpoint accepts the parameters. Returns whether the
/// parameters have changed.
pub(super) async fn probe(
    configuration: &mut Configuration,
    plan: &mut Plan,
    journal: &Journal,
    worker: &Worker,
) -> Result<bool> {
    let run = &worker.run;
    let (mut has_changed, mut asked) = (false, vec![]);
    let mut attempts = journal.index.attempts(&QuestionKey::NONE);
    loop {
        let mut next = None;
        for request in requests(plan) {
            let wire = plan.provider.render(&request)?;
            let key = plan.key(&wire, 0);
            match journal.index.probed.get(&key) {
                // What ended an earlier run ends this one before it asks a question.
                Some(place) if request.params.echo && n_logprobs(plan, journal, *place)? < FEWEST_ECHOED => {
                    run.stop_for_endpoint(NO_ECHO.into());
                    return Ok(has_changed);
                }
                None if !asked.contains(&key) => {
                    next = Some((request, wire, key));
                    break;
                }
                _ => {}
            }
        }
        let Some((request, wire, key)) = next else { return Ok(has_changed) };
        asked.push(key);
        attempts = attempts.max(journal.index.attempts(&key));
        let most = worker.most(&request);
        let (task, item) = ("probe".into(), "probe".into());
        let (replicate, checked) = (0, None);
        let question =
            PreparedQuestion { key, task, item, replicate, probe: true, attempts, checked, wire, most };
        let outcome = worker.ask(&question).await;
        if let QuestionOutcome::Answered { n_logprobs } = outcome
            && request.params.echo
            && n_logprobs < FEWEST_ECHOED
        {
            run.stop_for_endpoint(NO_ECHO.into());
            return Ok(has_changed);
        }
        let QuestionOutcome::Failed(Failure { class: FailureClass::Unsupported { param }, message, .. }) =
            outcome
        else {
            // Any other failure has already ended the run, or may be specific to the probe.
            continue;
        };
        let adapted = request.params.without(&param).filter(|_| run.adapt);
        if adapted.is_none() || configuration.without.contains(&param) {
            let hint = if run.adapt {
                "--adapt-params cannot resolve this"
            } else {
                "omit it, or pass --adapt-params"
            };
            run.stop_for_endpoint(format!("the model does not support `{param}` ({message}); {hint}"));
            return Ok(has_changed);
        }
        run.progress
            .say(&format!("{} does not support `{param}`; it is omitted from all requests", plan.model));
        configuration.without.push(param);
        *plan = configuration.plan(std::mem::take(&mut plan.tasks))?;
        has_changed = true;
        worker.writer.append(&configuration.record()?)?.durable().await?;
    }
}

/// How many tokens of a stored answer have a log-probability.
fn n_logprobs(plan: &Plan, journal: &Journal, place: RecordSpan) -> Result<usize> {
    Ok(match JournalReader::open(&journal.path)?.record(place)? {
        Record::Outcome(arrival) => decode::answer(plan.provider, &arrival).n_logprobs(),
        _ => 0,
    })
}
