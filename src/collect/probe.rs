//! The probe: one short request before all others, which shows whether the endpoint accepts the parameters,
//! and whether its log-probabilities can be used.

use super::client::question::{PreparedQuestion, QuestionOutcome};
use super::client::worker::Worker;
use super::configuration::Configuration;
use super::journal::{Journal, JournalReader, QuestionKey, Record, RecordSpan};
use super::logprob_faults;
use super::plan::Plan;
use super::results::decode;
use crate::error::Result;
use crate::provider::{Answer, Failure, FailureClass, GenerationParams, Prompt, Request};

/// The prompt of the probe.
const PROBE: &str = "Reply with the word yes.";

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
///
/// A parameter that the server does not support is left out of all requests, and one whose value is too high
/// is lowered for all, unless the user refuses that. Both are recorded and said once.
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
                Some(place) if ends(worker, &request, &stored(plan, journal, *place)?) => {
                    return Ok(has_changed);
                }
                None if !asked.contains(&key) => {
                    next = Some((request, wire, key));
                    break;
                }
                _ => {}
            }
        }
        let Some((request, wire, key)) = next else {
            if has_changed {
                run.progress.say(&adapted(configuration, plan));
            }
            return Ok(has_changed);
        };
        asked.push(key);
        attempts = attempts.max(journal.index.attempts(&key));
        let most = worker.most(&request);
        let (task, item) = ("probe".into(), "probe".into());
        let (replicate, checked) = (0, None);
        let question =
            PreparedQuestion { key, task, item, replicate, probe: true, attempts, checked, wire, most };
        let failure = match worker.ask(&question).await {
            QuestionOutcome::Answered(Some(answer)) if ends(worker, &request, &answer) => {
                return Ok(has_changed);
            }
            QuestionOutcome::Failed(failure) => failure,
            _ => continue,
        };
        let Some(change) = Change::of(&failure) else {
            // Any other failure has already ended the run, or may be specific to the probe.
            continue;
        };
        if !run.adapt || !change.apply(configuration, &request.params) {
            let hint = if run.adapt {
                "it cannot be left out or changed further"
            } else {
                "change it, or let it be adapted (without --no-adapt-params)"
            };
            run.stop_for_endpoint(format!("{} ({}); {hint}", change.problem(), failure.message));
            return Ok(has_changed);
        }
        *plan = configuration.plan(std::mem::take(&mut plan.tasks))?;
        has_changed = true;
        worker.writer.append(&configuration.record()?)?.durable().await?;
    }
}

/// A change of the parameters that a failure asks for.
enum Change {
    /// Leave out the first of these that is sent.
    Omit(Vec<String>),
    /// Lower this one.
    Lower(String),
}

impl Change {
    fn of(failure: &Failure) -> Option<Self> {
        match &failure.class {
            FailureClass::Unsupported { param, also } => {
                Some(Self::Omit([std::slice::from_ref(param), also].concat()))
            }
            FailureClass::TooHigh { param } => Some(Self::Lower(param.clone())),
            // The probe's prompt is short, so that the answer's limit is what is too large.
            FailureClass::TooLarge => Some(Self::Lower("max_tokens".into())),
            _ => None,
        }
    }

    /// Changes the configuration; `false` if that changes nothing.
    fn apply(&self, configuration: &mut Configuration, params: &GenerationParams) -> bool {
        match self {
            Self::Omit(names) => {
                let is_new =
                    |name: &&String| !configuration.without.contains(name) && params.without(name).is_some();
                let Some(name) = names.iter().find(is_new).cloned() else { return false };
                configuration.without.push(name);
            }
            Self::Lower(name) => {
                if params.lowered(name).is_none() {
                    return false;
                }
                configuration.lowered.push(name.clone());
            }
        }
        true
    }

    fn problem(&self) -> String {
        match self {
            Self::Omit(names) => {
                let name = names.first().map_or("a parameter", String::as_str);
                format!("the model does not support `{name}`")
            }
            Self::Lower(name) => format!("the value of `{name}` is too high for the model"),
        }
    }
}

/// What was adapted, in a sentence.
fn adapted(configuration: &Configuration, plan: &Plan) -> String {
    let sent = requests(plan).into_iter().map(|request| request.params).find(|params| !params.echo);
    let lowered = |name: &str| {
        let value = sent.as_ref().map(|params| match name {
            "logprobs" => params.logprobs.unwrap_or_default().into(),
            _ => params.max_tokens,
        });
        value.map_or_else(|| format!("`{name}` is lowered"), |value| format!("`{name}` is {value}"))
    };
    let renamed = |name: &str| match name {
        "max_tokens" => "`max_tokens` is sent as `max_completion_tokens`".to_owned(),
        "max_completion_tokens" => "`max_completion_tokens` is sent as `max_tokens`".to_owned(),
        name => format!("`{name}` is omitted"),
    };
    let mut changes: Vec<String> = configuration.without.iter().map(|name| renamed(name)).collect();
    for name in &configuration.lowered {
        let change = lowered(name);
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
    format!(
        "{} does not support all parameters: in all requests {} (recorded in summary.json; \
         --no-adapt-params ends the run instead)",
        plan.model,
        changes.join(", ")
    )
}

/// Ends the run if the answer to a probe shows that its log-probabilities cannot be used.
fn ends(worker: &Worker, request: &Request, answer: &Answer) -> bool {
    let run = &worker.run;
    let fault = if request.params.echo {
        logprob_faults::echo_fault(answer, PROBE)
    } else if request.params.logprobs.is_some() {
        if logprob_faults::are_missing(answer) {
            run.progress.say("the server ignores `logprobs`: what is computed from them stays empty");
        }
        logprob_faults::fault(answer)
    } else {
        None
    };
    if let Some(fault) = &fault {
        run.stop_for_endpoint(fault.clone());
    }
    fault.is_some()
}

/// The stored answer of a probe.
fn stored(plan: &Plan, journal: &Journal, place: RecordSpan) -> Result<Answer> {
    Ok(match JournalReader::open(&journal.path)?.record(place)? {
        Record::Outcome(arrival) => decode::answer(plan.provider, &arrival),
        _ => decode::not_asked(),
    })
}
