//! Groups questions into batches. For each request, it reserves the maximum cost and writes an intent, which
//! contains the request, to the journal. It sends nothing.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::context::{Commits, Context};
use crate::collect::journal::{self, BatchRecord, BatchStage, Index, Intent, OpenBatch, QuestionKey, Record};
use crate::collect::plan::{Pending, Question};
use crate::error::Result;
use crate::provider::batch::{BatchLimits, BatchRequest};
use crate::seed;

/// Maximum number of batches of a run that contain the same question. Batches that were refused for their
/// size do not count.
const MOST_TRIES: u32 = 3;

/// Counts how often this run has asked each question in a batch.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// For each question, the number of batches that contained it, and its replicate number in the last of
    /// these batches.
    questions: HashMap<Question, (u32, u32)>,
    /// The questions of each open batch, by the name of the batch.
    batches: HashMap<String, Vec<Question>>,
}

impl Tries {
    fn of(&self, question: &Question) -> u32 {
        self.questions.get(&question.first_round()).map_or(0, |(n, _)| *n)
    }

    fn add(&mut self, question: &Question, batch: &str) {
        let (n, replicate) = self.questions.entry(question.first_round()).or_default();
        (*n, *replicate) = (*n + 1, question.replicate);
        match self.batches.get_mut(batch) {
            Some(questions) => questions.push(question.first_round()),
            None => drop(self.batches.insert(batch.into(), vec![question.first_round()])),
        }
    }

    /// Decrements the counts of the questions in a batch that was refused for its size. These questions were
    /// not asked.
    pub(super) fn take_back(&mut self, batch: &str) {
        for question in self.batches.remove(batch).unwrap_or_default() {
            if let Some((n, _)) = self.questions.get_mut(&question) {
                *n = n.saturating_sub(1);
            }
        }
    }

    /// Whether this run has asked the question in a different `--redo` round.
    pub(super) fn is_other_round(&self, question: &Question) -> bool {
        let asked = self.questions.get(&question.first_round());
        asked.is_some_and(|(_, replicate)| *replicate != question.replicate)
    }
}

/// A batch that is being filled.
#[derive(Default)]
struct Filling {
    name: String,
    n: usize,
    bytes: usize,
    commits: Commits,
}

/// Prepares batches of the pending questions within the limits and the budget. Returns true if the remaining
/// budget was too small for the next question.
pub(super) async fn prepare(
    context: &Context<'_>,
    index: &Index,
    pending: &Pending,
    tries: &mut Tries,
    (limits, most_batches): (BatchLimits, usize),
) -> Result<bool> {
    let run = &context.worker.run;
    let (mut n_batches, mut is_short, mut filling) = (0, false, Filling::default());
    tries.batches.retain(|name, _| index.batches.contains_key(name));
    for question in &pending.questions {
        if tries.of(question) >= MOST_TRIES {
            continue;
        }
        let item = context.plan.item(question)?;
        let request = context.plan.request(&item, question);
        let wire = context.plan.provider.render(&request)?;
        let key = context.plan.key(&wire, question.replicate);
        let body = String::from_utf8_lossy(&wire.identity()).into_owned();
        let id = key.to_string();
        let member = context.wire.member(&BatchRequest { id: &id, path: &wire.path, body: &body });
        let n_bytes = member.len() + 1;
        if filling.n == limits.requests || (filling.n > 0 && filling.bytes + n_bytes > limits.bytes) {
            finish(context, &mut filling).await?;
            n_batches += 1;
            if n_batches == most_batches {
                return Ok(false);
            }
        }
        let most = run.budget.most_by_batch(&request.prompt, request.params.max_tokens);
        if !run.budget.reserve_now(most) {
            is_short = true;
            break;
        }
        if filling.n == 0 {
            filling.name = name(&key);
        }
        tries.add(question, &filling.name);
        filling.n += 1;
        filling.bytes += n_bytes;
        let intent = Intent {
            key,
            attempt: index.attempts(&key) + 1,
            probe: false,
            at: journal::now(),
            task: item.task,
            item: item.id,
            replicate: question.replicate,
            reserve_usd: run.budget.usd(most),
            batch: Some(filling.name.clone()),
            path: wire.path,
            body,
        };
        filling.commits.add(context.worker.writer.append(&Record::Intent(intent))?).await?;
    }
    if filling.n > 0 {
        finish(context, &mut filling).await?;
    }
    Ok(is_short)
}

/// Waits until all intents of a batch are durable, then records that the batch is prepared.
async fn finish(context: &Context<'_>, filling: &mut Filling) -> Result<()> {
    filling.commits.durable().await?;
    let record = BatchRecord {
        n: Some(filling.n as u64),
        endpoint: Some(context.endpoint()),
        ..BatchRecord::new(&filling.name, journal::now(), BatchStage::Prepared)
    };
    context.note(&mut OpenBatch::default(), record).await?;
    *filling = Filling::default();
    Ok(())
}

/// Creates a unique name for a new batch. Two batches with the same questions have different names, even in
/// different folders, because the search in the provider's list relies on the name.
fn name(first: &QuestionKey) -> String {
    let mut hash = Sha256::new();
    let nanoseconds = jiff::Timestamp::now().as_nanosecond();
    hash.update(format!("{first} {nanoseconds} {}", std::process::id()));
    format!("surmise-{}", &seed::hex(&hash.finalize())[..32])
}
