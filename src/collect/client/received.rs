//! Interprets a response: reads its answer and books its cost.

use super::run_context::RunContext;
use crate::collect::budget::reservation::Reservation;
use crate::collect::journal::OutcomeRecord;
use crate::collect::results::decode;
use crate::provider::{Answer, Failure, Outcome, Usage};

/// Reads the answer in a record, and sets the record's outcome and class. An answer that contains the key is
/// not stored.
pub(crate) fn read(run: &RunContext, record: &mut OutcomeRecord) -> Answer {
    let mut answer = decode::answer(run.provider, record);
    // An answer that is joined from several strings may contain the key even if none of the strings does.
    if run.secrets.is_in_answer(&answer) {
        record.hide("the answer contained the key, split over several strings, so it is not stored");
        let (usage, rate_limit) = (answer.usage, answer.rate_limit);
        answer = match answer.outcome {
            // The failure class is kept, because the decision whether to retry depends on it.
            Outcome::Failed(Failure { class, .. }) => {
                let message =
                    "the message contained the key, split over several strings, so it is not shown".into();
                Answer::of(Outcome::Failed(Failure {
                    class,
                    message,
                    code: None,
                    param: None,
                    names: vec![],
                }))
            }
            _ => decode::answer(run.provider, record),
        };
        (answer.usage, answer.rate_limit) = (usage, rate_limit);
    }
    record.outcome = answer.outcome.kind().into();
    if let Outcome::Failed(failure) = &answer.outcome {
        record.class = Some(failure.class.name().into());
        record.error.get_or_insert_with(|| failure.message.clone());
    }
    answer
}

/// Books the cost of an answer. Reports implausible counts and missing or wrong prices, each once.
pub(crate) fn charge(
    run: &RunContext,
    most: Reservation,
    answer: &Answer,
    record: &mut OutcomeRecord,
) -> Option<f64> {
    let usage = answer.usage.as_ref();
    if usage.is_some_and(|usage| most.is_exceeded_by(usage)) {
        record.implausible_usage = true;
        run.say_once(
            "usage",
            &format!(
                "{}: the server counts far more tokens than a request can have; the maximum cost of \
                 each affected request is booked",
                run.endpoint
            ),
        );
    }
    if usage.is_some_and(Usage::exceeds_prompt) {
        record.implausible_usage = true;
        run.say_once(
            "cached",
            &format!(
                "{}: the server counts more cached tokens than the prompt has; the surplus is ignored",
                run.endpoint
            ),
        );
    }
    let billing = &answer.billing;
    let cost_usd = run.budget.charge(most, usage, billing.service_tier.as_deref());
    if let Some(tier) = billing.service_tier.as_deref().filter(|tier| run.budget.is_unpriced(tier)) {
        let tier = run.secrets.redact_text(tier);
        run.say_once(
            "tier",
            &format!(
                "{}: requests were processed at the service tier {tier}, for which --prices has no \
                 price; the usual price is booked (add [models.\"NAME\".tiers.\"{tier}\"])",
                run.endpoint
            ),
        );
    }
    if let Some((ours, theirs)) = cost_usd.zip(billing.cost_usd)
        && let Some((ours, theirs)) = run.budget.compare(ours, theirs)
    {
        run.say_once(
            "cost",
            &format!(
                "{}: the server states a cost of {theirs:.6} USD for answers that cost {ours:.6} USD at the \
                 prices in --prices; check the prices",
                run.endpoint
            ),
        );
    }
    cost_usd
}
