//! Groups questions into batches: reserves their maximum cost and writes their intents. Sends nothing.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::context::{Commits, Context};
use crate::collect::journal::{self, BatchRecord, BatchStage, Index, Intent, OpenBatch, QuestionKey, Record};
use crate::collect::plan::{Pending, Question};
use crate::error::Result;
use crate::provider::batch::{BatchLimits, BatchRequest};
use crate::seed;

/// Maximum number of batches per run that contain the same question.
const MOST_TRIES: u32 = 3;

/// For each question, the number of batches of this run that contained it, and its replicate number then.
pub(super) type Tries = HashMap<Question, (u32, u32)>;

/// A batch that is being filled.
#[derive(Default)]
struct Filling {
    name: String,
    n: usize,
    bytes: usize,
    commits: Commits,
}

/// Prepares batches of the pending questions, as far as limits and budget allow. Returns whether the rest of
/// the budget was too small for a question.
pub(super) async fn prepare(
    context: &Context<'_>,
    index: &Index,
    pending: &Pending,
    tries: &mut Tries,
    (limits, most_batches): (BatchLimits, usize),
) -> Result<bool> {
    let run = &context.worker.run;
    let (mut n_batches, mut is_short, mut filling) = (0, false, Filling::default());
    for question in &pending.questions {
        let n_tries = tries.get(&question.first_round()).map_or(0, |(n, _)| *n);
        if n_tries >= MOST_TRIES {
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
        tries.insert(question.first_round(), (n_tries + 1, question.replicate));
        if filling.n == 0 {
            filling.name = name(&key);
        }
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

/// Writes a record that all intents of a batch are durable, once they are.
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

/// The name of a new batch. It differs from that of any other batch with the same questions, even in another
/// folder, because the search in the provider's list relies on it.
fn name(first: &QuestionKey) -> String {
    let mut hash = Sha256::new();
    let nanoseconds = jiff::Timestamp::now().as_nanosecond();
    hash.update(format!("{first} {nanoseconds} {}", std::process::id()));
    format!("surmise-{}", &seed::hex(&hash.finalize())[..32])
}
