//! Monitors the answers of a run, and ends a run whose answers are not the wanted ones: another model
//! snapshot answers, or too many answers are truncated at the token limit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::run_context::RunContext;
use crate::collect::budget::pilot::{self, Pilot};
use crate::error::Error;
use crate::provider::{Answer, Outcome};

/// A larger share of truncated answers shows that the token limit is too low.
const MOST_TRUNCATED: f64 = 0.05;

/// Totals of the answers of a run.
#[derive(Debug, Default)]
pub(crate) struct AnswerMonitor {
    totals: Mutex<Totals>,
}

#[derive(Debug, Default)]
struct Totals {
    snapshots: BTreeSet<String>,
    fingerprints: BTreeSet<String>,
    answers: u32,
    truncated: u32,
    pilot: Pilot,
}

impl AnswerMonitor {
    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an answer.
    pub(crate) fn add(&self, run: &RunContext, is_probe: bool, answer: &Answer, elapsed_s: f64) {
        let mut totals = self.totals();
        if let Some(snapshot) = &answer.model_snapshot {
            let is_new = totals.snapshots.insert(snapshot.clone());
            if is_new && totals.snapshots.len() == 2 {
                let names: Vec<_> = totals.snapshots.iter().map(String::as_str).collect();
                run.progress.say(&format!(
                    "{}: the model snapshot changed during the run: {}; scores.csv lists all of \
                     them",
                    run.endpoint,
                    names.join(" and ")
                ));
            }
            if let Some(wanted) = run.policy.model_snapshot.as_ref().filter(|wanted| *wanted != snapshot) {
                run.stop_for_endpoint(format!(
                    "model snapshot {snapshot} answered, but --require-model-snapshot is {wanted}"
                ));
            }
        }
        if let Some(fingerprint) = &answer.system_fingerprint
            && totals.fingerprints.insert(fingerprint.clone())
            && totals.fingerprints.len() == 2
        {
            run.progress.say(&format!(
                "{}: the system fingerprint changed during the run, which can change answers",
                run.endpoint
            ));
        }
        if is_probe || matches!(answer.outcome, Outcome::Failed(_)) {
            return;
        }
        if totals.pilot.add(answer.usage.as_ref(), elapsed_s) {
            let forecast =
                totals.pilot.forecast(run.progress.total.load(Relaxed), run.limiter.limit(), &run.budget);
            forecast.iter().for_each(|line| run.progress.say(line));
        }
        totals.answers += 1;
        totals.truncated += u32::from(matches!(answer.outcome, Outcome::Truncated { .. }));
        if totals.answers == pilot::ANSWERS {
            totals.check_truncated(run);
        }
    }

    /// Adds the answers of earlier runs by their kinds, so that a condition that ended one of them ends the
    /// next run before it sends a request.
    pub(crate) fn add_earlier(&self, run: &RunContext, answered: &BTreeMap<&str, u32>) {
        let mut totals = self.totals();
        totals.answers += answered.values().sum::<u32>();
        totals.truncated += answered.get("truncated").copied().unwrap_or(0);
        if totals.answers >= pilot::ANSWERS {
            totals.check_truncated(run);
        }
    }
}

impl Totals {
    /// Ends the run if too many answers are truncated.
    fn check_truncated(&self, run: &RunContext) {
        let is_too_many = f64::from(self.truncated) > MOST_TRUNCATED * f64::from(self.answers);
        if is_too_many && !run.policy.keep_truncated {
            let reason = format!(
                "{} of the first {} answers were truncated at the token limit; raise --max-tokens and choose \
                 another folder (or --new-config), or keep them with --keep-truncated",
                self.truncated, self.answers
            );
            run.stop.drain(Error::Gaps { reason });
        }
    }
}
