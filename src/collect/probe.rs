//! One request before all others: it costs a few tokens and finds out whether the endpoint takes the
//! settings.

use super::client::worker::{PreparedQuestion, QuestionOutcome, Worker};
use super::journal::{Journal, QuestionKey};
use super::plan::Plan;
use super::run::{Run, attempts};
use crate::error::{Error, Result};
use crate::provider::{Failure, FailureClass, Prompt, Request};

/// What is asked.
const PROBE: &str = "Reply with the word yes.";

/// The probe of a plan, with the settings of the task that asks for most; `None` where there is no task.
pub(super) fn request(plan: &Plan) -> Option<Request> {
    let params = plan.params.iter().max_by_key(|params| params.stop.len()).cloned()?;
    Some(Request { model: plan.model.clone(), prompt: Prompt::Text(PROBE.into()), params })
}

impl Run {
    /// Finds out, once per configuration, whether the endpoint takes the settings. Whether what is sent has
    /// changed.
    pub(super) async fn probe(&mut self, plan: &mut Plan, journal: &Journal, asker: &Worker) -> Result<bool> {
        let mut has_changed = false;
        let mut before = attempts(&journal.index, &QuestionKey::NONE);
        loop {
            let Some(request) = request(plan) else { return Ok(has_changed) };
            let wire = plan.provider.render(&request)?;
            let key = plan.key(&wire, 0);
            if journal.index.probed.contains(&key) {
                return Ok(has_changed);
            }
            before = before.max(attempts(&journal.index, &key));
            let most = asker.most(&request);
            let (task, item) = ("probe".into(), "probe".into());
            let ask =
                PreparedQuestion { key, task, item, replicate: 0, probe: true, attempts: before, wire, most };
            let QuestionOutcome::Failed(Failure {
                class: FailureClass::Unsupported { param }, message, ..
            }) = asker.ask(&ask).await
            else {
                // Whatever else went wrong has ended the run, or may not concern the items.
                return Ok(has_changed);
            };
            let spared = request.params.without(&param).filter(|_| self.adapt);
            if spared.is_none() || self.configuration.without.contains(&param) {
                let hint = if self.adapt {
                    "--adapt-params cannot mend that"
                } else {
                    "leave it away, or pass --adapt-params"
                };
                let reason = format!("the model does not support `{param}` ({message}); {hint}");
                asker.stop.drain(Error::Endpoint { endpoint: asker.endpoint.clone(), reason, source: None });
                return Ok(has_changed);
            }
            asker
                .progress
                .say(&format!("{} does not support `{param}`; all requests go without it", plan.model));
            self.configuration.without.push(param);
            *plan = self.configuration.plan(std::mem::take(&mut plan.tasks))?;
            has_changed = true;
            asker.writer.append(&self.record()?)?.durable().await?;
        }
    }
}
