//! One question until it has an outcome: leave of the limiter, a reserve of the budget, the intent on disk, one request, what came on disk; and by the class of
//! what came, again or not.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

use super::breaker::{Breaker, MOST_ALIKE};
use super::budget::{Budget, Reserve};
use super::client::{Client, Fate, Reply};
use super::journal::{self, Arrival, Intent, Key, Record, Writer};
use super::limiter::{Limiter, Permit, Trouble, Waits};
use super::progress::Progress;
use super::reading;
use super::secrets::Secrets;
use super::stop::Stop;
use crate::error::{Error, Result};
use crate::provider::{Answer, Class, Failure, Hint, Outcome, Provider, Request, WireRequest};
use crate::seed;

/// Answers after which it is looked at how many were cut.
const PILOT: u32 = 20;
/// More of them than this share means that the limit is wrong, not the answers.
const MOST_TRUNCATED: f64 = 0.05;

/// How long a server is waited for that was never reached.
const FIRST_CONTACT: Duration = Duration::from_secs(20);

/// How patiently is asked.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Requests at a time, at most.
    pub concurrency: usize,
    /// Requests more to a question whose answer is a server's error.
    pub retries: u32,
    /// Requests more to a question whose request went and whose answer did not come whole.
    pub unknown_retries: u32,
    /// Waits between requests.
    pub waits: Waits,
    /// The run ends when nothing was answered for so long.
    pub silence: Duration,
    /// Whether answers may be cut at the limit of tokens, all of them if need be.
    pub keep_truncated: bool,
    /// The model that must answer.
    pub model_snapshot: Option<String>,
}

/// What is asked, rendered.
pub(super) struct Ask {
    pub(super) key: Key,
    pub(super) task: String,
    pub(super) item: String,
    pub(super) replicate: u32,
    pub(super) probe: bool,
    /// Requests to this question in earlier runs.
    pub(super) attempts: u32,
    pub(super) wire: WireRequest,
    pub(super) most: Reserve,
}

/// What all questions of a run share.
pub(super) struct Asker {
    pub(super) provider: &'static dyn Provider,
    pub(super) endpoint: String,
    pub(super) client: Client,
    pub(super) writer: Writer,
    pub(super) limiter: Limiter,
    pub(super) budget: Budget,
    pub(super) secrets: Arc<Secrets>,
    pub(super) breaker: Breaker,
    pub(super) stop: Arc<Stop>,
    pub(super) progress: Arc<Progress>,
    pub(super) patience: Patience,
    pub(super) seen: Mutex<Seen>,
}

/// What the answers of a run have in common, or not.
#[derive(Debug, Default)]
pub(super) struct Seen {
    snapshots: BTreeSet<String>,
    fingerprints: BTreeSet<String>,
    answers: u32,
    truncated: u32,
}

/// How a question ended.
pub(super) enum End {
    /// It has an answer, of whatever kind.
    Answered,
    /// It has none, and will not in this run.
    Failed(Failure),
    /// It was left for another run.
    Left,
}

/// What to do after an answer that is none.
enum Next {
    Again,
    AgainAfter(Duration),
    GiveUp,
}

impl Asker {
    /// The most a request can cost.
    pub(super) fn most(&self, request: &Request) -> Reserve {
        self.budget.most(&request.prompt, request.settings.max_tokens)
    }

    /// Asks until there is an outcome or the run ends.
    pub(super) async fn ask(&self, ask: &Ask) -> End {
        let (mut errors, mut unknowns, mut attempt) = (0, 0, ask.attempts);
        loop {
            attempt += 1;
            let permit = tokio::select! {
                biased;
                () = self.stop.draining() => return End::Left,
                permit = self.limiter.acquire() => permit,
            };
            let allowed = tokio::select! {
                biased;
                () = self.stop.draining() => return End::Left,
                allowed = self.budget.reserve(ask.most) => allowed,
            };
            if !allowed {
                self.stop.drain(Error::Budget { reason: "the budget allows no other request".into() });
                return End::Left;
            }
            let (answer, arrival, fate) = match self.request(ask, attempt, &permit).await {
                Ok(Some(came)) => came,
                Ok(None) => return End::Left,
                Err(error) => {
                    self.stop.drain(error);
                    return End::Left;
                }
            };
            drop(permit);
            let durable = match self.writer.append(&Record::Outcome(Box::new(arrival))) {
                Ok(commit) => commit.durable().await,
                Err(error) => Err(error),
            };
            if let Err(error) = durable {
                self.stop.drain(error);
                return End::Left;
            }
            self.note(ask, &answer);
            let Outcome::Failed(failure) = answer.outcome else {
                self.breaker.reset();
                return End::Answered;
            };
            match self.next(ask, &failure, fate, &answer.hint, &mut errors, &mut unknowns) {
                Next::GiveUp => return End::Failed(failure),
                Next::Again => {}
                Next::AgainAfter(wait) => tokio::select! {
                    biased;
                    () = self.stop.draining() => return End::Left,
                    () = tokio::time::sleep(wait) => {}
                },
            }
            self.progress.retries.fetch_add(1, Relaxed);
        }
    }

    /// One request, from its intent on disk to what came of it. `None` if the run was aborted before it came.
    async fn request(
        &self,
        ask: &Ask,
        attempt: u32,
        permit: &Permit<'_>,
    ) -> Result<Option<(Answer, Arrival, Option<Fate>)>> {
        let intent = Intent {
            key: ask.key,
            attempt,
            probe: ask.probe,
            at: journal::now(),
            task: ask.task.clone(),
            item: ask.item.clone(),
            replicate: ask.replicate,
            reserve_usd: self.budget.usd(ask.most),
            path: ask.wire.path.clone(),
            body: String::from_utf8_lossy(&ask.wire.body).into_owned(),
        };
        let kept = match self.writer.append(&Record::Intent(intent)) {
            Ok(commit) => commit.durable().await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            self.budget.release(ask.most);
            return Err(error);
        }
        // A pause may have begun while the intent was written.
        let go = tokio::select! {
            biased;
            () = self.stop.draining() => false,
            () = self.limiter.calm() => true,
        };
        let sent = Instant::now();
        let reply = if go {
            self.progress.sent.fetch_add(1, Relaxed);
            tokio::select! {
                biased;
                () = self.stop.aborting() => return Ok(None),
                reply = self.client.send(&ask.wire) => reply,
            }
        } else {
            Reply::not_sent("the run was stopped before the request was sent")
        };
        let fate = reply.lost.as_ref().map(|lost| lost.fate);
        let mut arrival = self.arrival(ask, attempt, reply, sent.elapsed());
        let answer = reading::answer(self.provider, &arrival);
        arrival.outcome = answer.outcome.kind().into();
        let class = if let Outcome::Failed(failure) = &answer.outcome {
            arrival.class = Some(failure.class.name().into());
            arrival.error.get_or_insert_with(|| failure.message.clone());
            Some(&failure.class)
        } else {
            None
        };
        arrival.possibly_paid = matches!(class, Some(Class::Unknown));
        arrival.cost_usd = match class {
            None => self.budget.settle(ask.most, answer.usage.as_ref()),
            Some(Class::Unknown) => self.budget.settle(ask.most, None),
            Some(_) => {
                self.budget.release(ask.most);
                None
            }
        };
        if let Some(usd) = self.budget.spent_usd() {
            self.progress.spent_micro_usd.store((usd * 1e6) as u64, Relaxed);
        }
        self.tell_limiter(ask, permit, class, go, &answer.hint);
        Ok(Some((answer, arrival, fate)))
    }

    /// A record of what came, without secrets.
    fn arrival(&self, ask: &Ask, attempt: u32, reply: Reply, elapsed: Duration) -> Arrival {
        let mut redacted = false;
        let mut clean = |text: &str| {
            let clean = self.secrets.redact_text(text);
            redacted |= clean != text;
            clean.into_owned()
        };
        let headers = reply.headers.iter().map(|(name, value)| (name.to_owned(), clean(value))).collect();
        let error = reply.lost.as_ref().map(|lost| clean(&lost.message));
        let body = self.secrets.redact(&reply.body);
        let redacted = redacted || body.as_ref() != reply.body;
        let (outcome, class) = match reply.lost.as_ref().map(|lost| lost.fate) {
            None => ("", None),
            Some(Fate::TooLarge) => ("unreadable", None),
            Some(Fate::Unknown) => ("failed", Some(Class::Unknown)),
            Some(Fate::NotSent | Fate::Insecure) => ("failed", Some(Class::NotSent)),
        };
        let mut arrival = Arrival {
            key: ask.key,
            attempt,
            probe: ask.probe,
            at: journal::now(),
            elapsed_s: (elapsed.as_secs_f64() * 1e4).round() / 1e4,
            outcome: outcome.into(),
            class: class.map(|class| class.name().into()),
            error,
            status: reply.status,
            headers,
            body: None,
            body_base64: None,
            redacted,
            cost_usd: None,
            possibly_paid: false,
            incomplete: reply.lost.is_some(),
            crashed: false,
        };
        if reply.status.is_some() {
            arrival.set_body(body.into_owned());
        }
        arrival
    }

    /// What came says something about the server, for all who wait.
    fn tell_limiter(&self, ask: &Ask, permit: &Permit, class: Option<&Class>, was_sent: bool, hint: &Hint) {
        let trouble = match class {
            Some(Class::Rejected) => Trouble::Rejected,
            Some(Class::Overloaded) => Trouble::Overloaded,
            Some(Class::NotSent) if was_sent => Trouble::Unreachable,
            Some(Class::NotSent | Class::Unknown) => return,
            _ => return self.limiter.answered(hint),
        };
        let jitter = seed::stream("collect", "jitter", u64::from(ask.attempts)).random();
        if let Some(wait_s) = self.limiter.troubled(permit, trouble, hint, jitter) {
            let what = match trouble {
                Trouble::Rejected => "turns requests away",
                Trouble::Overloaded => "is overloaded",
                Trouble::Unreachable => "cannot be reached",
            };
            let asks = match hint.retry_after_s.filter(|hint_s| *hint_s > self.patience.waits.longest_s) {
                Some(hint_s) => format!(" (it asks for {hint_s:.0} s; no wait is longer than --max-wait-s)"),
                None => String::new(),
            };
            self.progress.pause(self.limiter.paused_until());
            self.progress.say(&format!("{} {what}; all wait {wait_s:.1} s{asks}", self.endpoint));
        }
        self.progress.limit.store(self.limiter.limit() as u64, Relaxed);
    }

    /// Keeps what the answers of a run have in common, and ends a run that cannot give what is wanted.
    fn note(&self, ask: &Ask, answer: &Answer) {
        let mut seen: MutexGuard<Seen> = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &answer.model_snapshot {
            let is_new = seen.snapshots.insert(snapshot.clone());
            if is_new && seen.snapshots.len() == 2 {
                let names: Vec<_> = seen.snapshots.iter().map(String::as_str).collect();
                self.progress.say(&format!(
                    "{}: the model changed during the run, answers came from {}; scores.csv names all of them",
                    self.endpoint,
                    names.join(" and ")
                ));
            }
            if let Some(wanted) = self.patience.model_snapshot.as_ref().filter(|wanted| *wanted != snapshot) {
                let reason = format!("{snapshot} answers, and --require-model-snapshot asks for {wanted}");
                self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
            }
        }
        if let Some(fingerprint) = &answer.system_fingerprint
            && seen.fingerprints.insert(fingerprint.clone())
            && seen.fingerprints.len() == 2
        {
            self.progress.say(&format!(
                "{}: the system fingerprint changed during the run; answers may differ from it",
                self.endpoint
            ));
        }
        if ask.probe || matches!(answer.outcome, Outcome::Failed(_)) {
            return;
        }
        seen.answers += 1;
        seen.truncated += u32::from(matches!(answer.outcome, Outcome::Truncated { .. }));
        let is_much = f64::from(seen.truncated) > MOST_TRUNCATED * f64::from(PILOT);
        if seen.answers == PILOT && is_much && !self.patience.keep_truncated {
            let reason = format!(
                "{} of the first {PILOT} answers were cut at the limit of tokens; raise --max-tokens and take another folder (or --new-config), or keep them with --keep-truncated",
                seen.truncated
            );
            self.stop.drain(Error::Gaps { reason });
        }
    }

    /// What to do after a failure, by its class.
    fn next(
        &self,
        ask: &Ask,
        failure: &Failure,
        fate: Option<Fate>,
        hint: &Hint,
        errors: &mut u32,
        unknowns: &mut u32,
    ) -> Next {
        let say = self.secrets.redact_text(&failure.message);
        let endpoint = |reason: String| Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None };
        let account = |reason: String| Error::Account { endpoint: self.endpoint.clone(), reason };
        if fate == Some(Fate::Insecure) {
            let reason = format!(
                "the connection cannot be secured ({say}); check the URL, or name the server's authority with --ca-cert"
            );
            self.stop.drain(endpoint(reason));
            return Next::GiveUp;
        }
        let may_help = hint.should_retry != Some(false);
        match &failure.class {
            Class::NotSent | Class::Rejected | Class::Overloaded if may_help => {
                let (silence, was_there) = self.limiter.silence();
                // A host that never was there is most likely a wrong URL.
                let is_new = failure.class == Class::NotSent && !was_there;
                if silence < if is_new { self.patience.silence.min(FIRST_CONTACT) } else { self.patience.silence } {
                    return Next::Again;
                }
                let reason = match failure.class {
                    Class::NotSent => format!("cannot be reached ({say})"),
                    _ => format!("has turned every request away for {:.0} s ({say})", silence.as_secs_f64()),
                };
                self.stop.drain(endpoint(reason + "; run the same command again later"));
                return Next::GiveUp;
            }
            Class::Unknown => {
                let (used, most) = match fate {
                    // The server said itself that it failed: most likely nothing is billed.
                    None => (errors, self.patience.retries),
                    Some(_) => (unknowns, self.patience.unknown_retries),
                };
                *used += 1;
                let n = *used;
                if n <= most && may_help && !self.trips(ask, failure) {
                    let jitter: f64 = seed::stream("collect", &ask.key.to_string(), n.into()).random();
                    let wait_s = self.patience.waits.first_s * 2.0_f64.powi(n.min(30) as i32 - 1) * (0.5 + 0.5 * jitter);
                    let wait_s = wait_s.max(hint.retry_after_s.unwrap_or(0.0)).min(self.patience.waits.longest_s);
                    return Next::AgainAfter(Duration::from_secs_f64(wait_s));
                }
            }
            Class::Quota => self.stop.drain(account(format!(
                "the account may ask no more ({say}); every answer so far is kept: run the same command again when it may"
            ))),
            Class::Credentials => self.stop.drain(account(format!(
                "the key is refused ({say}); set {} to a key that may use this model",
                self.provider.key_variable()
            ))),
            Class::NoModel => {
                self.stop.drain(endpoint(format!("no such model or path ({say}); check --model and --base-url")));
            }
            Class::Redirect { host } => self.stop.drain(endpoint(format!(
                "the server points to {}, and nothing is sent there; if that is where you want to ask, set --base-url yourself",
                self.secrets.redact_text(host)
            ))),
            // A probe hears of it first, and may adapt.
            Class::Unsupported { .. } if ask.probe => {}
            Class::Unsupported { param } => self.stop.drain(endpoint(format!(
                "the model does not support `{param}` ({say}); leave it away, or pass --adapt-params"
            ))),
            Class::Invalid | Class::NotSent | Class::Rejected | Class::Overloaded => {
                self.trips(ask, failure);
            }
        }
        Next::GiveUp
    }

    /// Ends the run if this failure is one of many that are alike.
    fn trips(&self, ask: &Ask, failure: &Failure) -> bool {
        let trips = self.breaker.trips(ask.key, failure);
        if trips {
            let reason = format!(
                "{MOST_ALIKE} questions in a row failed in the same way ({}); every answer so far is kept: run the same command again when that is mended",
                self.secrets.redact_text(&failure.message)
            );
            self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
        }
        trips
    }
}
