//! The probe: one short request before all others, which shows whether the endpoint accepts the parameters.

use super::client::question::{PreparedQuestion, QuestionOutcome};
use super::client::worker::Worker;
use super::configuration::Configuration;
use super::journal::{Journal, QuestionKey};
use super::plan::Plan;
use crate::error::Result;
use crate::provider::{Failure, FailureClass, Prompt, Request};

/// The prompt of the probe.
const PROBE: &str = "Reply with the word yes.";

/// The probe of a plan, with the parameters of the task with most stop sequences; `None` without a task.
pub(super) fn request(plan: &Plan) -> Option<Request> {
    let params = plan.params.iter().max_by_key(|params| params.stop.len()).cloned()?;
    Some(Request { model: plan.model.clone(), prompt: Prompt::Text(PROBE.into()), params })
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
    let mut has_changed = false;
    let mut attempts = journal.index.attempts(&QuestionKey::NONE);
    loop {
        let Some(request) = request(plan) else { return Ok(has_changed) };
        let wire = plan.provider.render(&request)?;
        let key = plan.key(&wire, 0);
        if journal.index.probed.contains(&key) {
            return Ok(has_changed);
        }
        attempts = attempts.max(journal.index.attempts(&key));
        let most = worker.most(&request);
        let (task, item) = ("probe".into(), "probe".into());
        let question = PreparedQuestion { key, task, item, replicate: 0, probe: true, attempts, wire, most };
        let QuestionOutcome::Failed(Failure { class: FailureClass::Unsupported { param }, message, .. }) =
            worker.ask(&question).await
        else {
            // Any other failure has already ended the run, or may be specific to the probe.
            return Ok(has_changed);
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
