//! Sends the probe: a short request before all others, which shows whether the endpoint accepts the
//! parameters and whether its log-probabilities can be used.

use super::client::question::{PreparedQuestion, QuestionOutcome};
use super::client::worker::Worker;
use super::configuration::Configuration;
use super::journal::{Journal, JournalReader, QuestionKey, Record, RecordSpan};
use super::logprob_faults;
use super::parameter_change::{ParameterChange, trials};
use super::plan::Plan;
use super::results::decode;
use super::short_answers;
use crate::error::Result;
use crate::provider::{Answer, Failure, FailureClass, GenerationParams, Prompt, ReasoningEffort, Request};

/// The prompt of the probe.
const PROBE: &str = "Reply with the word yes.";

/// The probes of a plan: one if the plan has tasks that ask for answers, and one if it has tasks whose
/// prompts are scored. Each probe has the parameters of the task with the most stop sequences.
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

/// Checks, once per configuration, whether the endpoint accepts the parameters. Returns whether the
/// parameters have changed.
///
/// All requests omit a parameter that the server does not support, and lower a value that is too high, unless
/// the user disables this. If the model does not reason, short answers get a lower token limit. Each change
/// is recorded and reported once.
pub(super) async fn probe(
    configuration: &mut Configuration,
    plan: &mut Plan,
    journal: &Journal,
    worker: &Worker,
) -> Result<bool> {
    let run = &worker.run;
    let (mut has_changed, mut asked, mut reasons) = (false, vec![], None);
    loop {
        let mut next = None;
        for request in requests(plan) {
            let wire = plan.provider.render(&request)?;
            let key = plan.key(&wire, 0);
            match journal.index.probed.get(&key) {
                // A fault in the stored answer to a probe ended an earlier run, and also ends this run.
                Some(place) => {
                    let answer = stored(plan, journal, *place)?;
                    if ends(worker, &request, &answer) {
                        return Ok(has_changed);
                    }
                    note_reasoning(&request, &answer, &mut reasons);
                }
                None if !asked.contains(&key) => {
                    next = Some((request, key));
                    break;
                }
                _ => {}
            }
        }
        let Some((request, key)) = next else {
            if has_changed {
                run.progress.say(&adapted(configuration, plan));
            }
            if reasons == Some(false) && shortens(configuration, plan, journal) {
                configuration.short_answers = true;
                *plan = configuration.plan(std::mem::take(&mut plan.tasks))?;
                worker.writer.append(&configuration.record()?)?.durable().await?;
                run.progress.say(&format!(
                    "{} answers a short test request without reasoning: short answers are limited to {} \
                     tokens (recorded in summary.json; --max-tokens sets another limit)",
                    plan.model,
                    short_answers::MAX_TOKENS
                ));
                return Ok(true);
            }
            return Ok(has_changed);
        };
        asked.push(key);
        let question = question(plan, journal, worker, &request)?;
        let failure = match worker.ask(&question).await {
            QuestionOutcome::Answered(Some(answer)) => {
                if ends(worker, &request, &answer) {
                    return Ok(has_changed);
                }
                note_reasoning(&request, &answer, &mut reasons);
                continue;
            }
            QuestionOutcome::Failed(failure) => failure,
            _ => continue,
        };
        if run.stop.is_draining() {
            return Ok(has_changed);
        }
        let changes = ParameterChange::of(&failure, &request.params);
        let is_unnamed = changes.is_empty();
        if is_unnamed && !is_refusal(&failure) {
            // Any other failure has already ended the run or may be specific to the probe.
            continue;
        }
        let is_changed = if !run.adapt {
            false
        } else if is_unnamed {
            match without_some(plan, journal, worker, &request, &failure, &mut asked).await? {
                Some(names) => {
                    configuration.without.extend(names.into_iter().map(String::from));
                    true
                }
                None => false,
            }
        } else {
            changes.iter().any(|change| change.apply(configuration, &request.params))
        };
        if !is_changed {
            run.stop_for_endpoint(refused(changes.first(), &failure, run.adapt));
            return Ok(has_changed);
        }
        *plan = configuration.plan(std::mem::take(&mut plan.tasks))?;
        has_changed = true;
        worker.writer.append(&configuration.record()?)?.durable().await?;
    }
}

/// Records whether the model reasoned before it answered a probe.
fn note_reasoning(request: &Request, answer: &Answer, reasons: &mut Option<bool>) {
    if !request.params.echo {
        *reasons = Some(short_answers::may_have_reasoned(answer));
    }
}

/// Whether short answers of a model that does not reason get a lower token limit. This requires that the user
/// gave no limit, and that no question was asked with a different limit.
fn shortens(configuration: &Configuration, plan: &Plan, journal: &Journal) -> bool {
    let asks_for_reasoning =
        configuration.params.reasoning_effort.is_some_and(|e| e != ReasoningEffort::None);
    let earlier = journal.index.configuration.as_ref();
    let was_short = earlier.is_some_and(|earlier| earlier["short_answers"] == true);
    configuration.has_default_limit
        && !configuration.short_answers
        && !asks_for_reasoning
        && plan.may_shorten()
        && (was_short || !journal.index.has_outcomes())
}

/// Whether the server refuses the probe itself. It would then refuse every question.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Invalid | FailureClass::Unsupported { .. })
}

/// The reason why the run ends after a refused probe.
fn refused(change: Option<&ParameterChange>, failure: &Failure, adapts: bool) -> String {
    let message = &failure.message;
    let named = match &failure.class {
        FailureClass::Unsupported { param, .. } => format!("; the error names `{param}`"),
        _ => String::new(),
    };
    match change {
        Some(change) if adapts => {
            format!("{} ({message}); the parameter cannot be omitted or changed further", change.problem())
        }
        Some(change) => format!(
            "{} ({message}); change the parameter, or omit --no-adapt-params to let surmise adapt it",
            change.problem()
        ),
        None if adapts => format!(
            "the server refuses a short request, even without optional parameters ({message}{named}); check \
             --provider, --api-model and the parameters"
        ),
        None => format!(
            "the server refuses a short request ({message}{named}); change the parameters, or omit \
             --no-adapt-params to let surmise adapt them"
        ),
    }
}

/// Sends the probe without each of its optional parameters, one at a time, then without all of them. Returns
/// the parameters whose omission prevents the refusal or changes the error.
async fn without_some(
    plan: &Plan,
    journal: &Journal,
    worker: &Worker,
    request: &Request,
    failure: &Failure,
    asked: &mut Vec<QuestionKey>,
) -> Result<Option<Vec<&'static str>>> {
    for names in trials(&request.params) {
        let omit = |params: GenerationParams, name: &&str| params.without(name).unwrap_or(params);
        let params = names.iter().fold(request.params.clone(), omit);
        let request = Request { params, ..request.clone() };
        let question = question(plan, journal, worker, &request)?;
        let key = question.key;
        match worker.ask(&question).await {
            QuestionOutcome::Answered(answer) => {
                asked.push(key);
                if let Some(answer) = answer {
                    ends(worker, &request, &answer);
                }
                return Ok(Some(names));
            }
            // If the failure is the same or names no parameter, the next trial follows.
            QuestionOutcome::Failed(other)
                if is_refusal(&other)
                    && (other.message == failure.message
                        || ParameterChange::of(&other, &request.params).is_empty()) => {}
            // Omitting these parameters helped; the new failure concerns another parameter.
            QuestionOutcome::Failed(_) if !worker.run.stop.is_draining() => return Ok(Some(names)),
            QuestionOutcome::Failed(_) | QuestionOutcome::Deferred => return Ok(None),
        }
    }
    Ok(None)
}

/// Prepares a probe as a question.
fn question(plan: &Plan, journal: &Journal, worker: &Worker, request: &Request) -> Result<PreparedQuestion> {
    let wire = plan.provider.render(request)?;
    let key = plan.key(&wire, 0);
    let attempts = journal.index.attempts(&QuestionKey::NONE).max(journal.index.attempts(&key));
    let (task, item) = ("probe".into(), "probe".into());
    let most = worker.most(request);
    let (replicate, checked) = (0, None);
    Ok(PreparedQuestion { key, task, item, replicate, probe: true, attempts, checked, wire, most })
}

/// The probe that is sent again after many consecutive questions failed.
pub(super) fn again(plan: &Plan, journal: &Journal, worker: &Worker) -> Result<Option<PreparedQuestion>> {
    requests(plan).first().map(|request| question(plan, journal, worker, request)).transpose()
}

/// Describes the adaptations in a sentence.
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
        "{} does not support all parameters; in all requests, {} (recorded in summary.json; \
         --no-adapt-params ends the run instead)",
        plan.model,
        changes.join(", ")
    )
}

/// Ends the run if the answer to a probe shows that the log-probabilities of the server cannot be used.
/// Returns whether the run ends.
fn ends(worker: &Worker, request: &Request, answer: &Answer) -> bool {
    let run = &worker.run;
    let fault = if request.params.echo {
        logprob_faults::echo_fault(answer, PROBE)
    } else if request.params.logprobs.is_some() {
        if logprob_faults::are_missing(answer) {
            run.progress
                .say("the server ignores `logprobs`: values that depend on log-probabilities stay empty");
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

/// Reads the stored answer to a probe.
fn stored(plan: &Plan, journal: &Journal, place: RecordSpan) -> Result<Answer> {
    Ok(match JournalReader::open(&journal.path)?.record(place)? {
        Record::Outcome(arrival) => decode::answer(plan.provider, &arrival),
        _ => decode::not_asked(),
    })
}
