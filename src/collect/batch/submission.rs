//! Creates a batch at the provider exactly once. Once the journal contains the record `submitting`, the batch
//! may exist, so the provider's list is searched for the batch before another attempt to create it.

use super::calls::{CallFault, Repeat};
use super::context::{Context, Held};
use crate::collect::journal::{BatchStage, JournalReader, OpenBatch};
use crate::error::Result;
use crate::provider::batch::{BatchRequest, BatchStatus, NewBatch};

/// Number of searches without a match after which a batch counts as not created. The list may be out of date,
/// so the searches are spread over about a minute, with doubling pauses.
const LOOKS: u32 = 7;
/// Maximum number of pages of the list that are read.
const MOST_PAGES: usize = 50;

/// How the creation of a batch ended.
pub(super) enum Submitted {
    /// The batch exists, and its id is durable.
    Created,
    /// The provider refused the batch for its size, and all requests have outcomes.
    TooLarge(String),
    /// The batch does not exist or was given up, and all requests have outcomes.
    Closed,
    /// The run ends and leaves the batch unchanged.
    Stopped,
}

/// The result of a search for a batch that may exist.
enum Found {
    Yes(BatchStatus),
    No,
    /// The server has no usable list of batches.
    Unlisted,
    Stopped,
}

/// Searches for a batch that may exist and, if `creates`, creates it if it does not exist. `others` contains
/// the ids of the other known batches.
pub(super) async fn submit(
    context: &Context<'_>,
    held: &mut Held,
    others: &[String],
    creates: bool,
) -> Result<Submitted> {
    let run = &context.worker.run;
    let mut n_unclear = 0;
    loop {
        if held.batch.n_submitted > 0 {
            match look(context, held, others, LOOKS).await {
                Found::Yes(status) => {
                    adopt(context, held, &status).await?;
                    return Ok(Submitted::Created);
                }
                Found::No if !creates => {
                    lose(
                        context,
                        held,
                        "the provider's list does not contain the batch, but the list may be out of date",
                    )
                    .await?;
                    return Ok(Submitted::Closed);
                }
                Found::No => {}
                Found::Unlisted => {
                    lose(
                        context,
                        held,
                        "the server has no list of batches in which the batch can be identified",
                    )
                    .await?;
                    return Ok(Submitted::Closed);
                }
                Found::Stopped => return Ok(Submitted::Stopped),
            }
        }
        if n_unclear > run.policy.unknown_retries {
            run.stop_for_endpoint(
                "no attempt to create the batch got a clear answer; run the same command again later".into(),
            );
            return Ok(Submitted::Stopped);
        }
        // Even if the server refuses this attempt, an earlier attempt may have created the batch.
        let may_exist = held.batch.n_submitted > 0;
        let fault = match create(context, held, others).await? {
            Ok(()) => return Ok(Submitted::Created),
            Err(fault) => fault,
        };
        match fault {
            CallFault::Unclear(message) => {
                run.progress.say(&format!(
                    "{}: it is unclear whether a batch was created ({message}); surmise searches the \
                     provider's list for the batch",
                    run.endpoint
                ));
                n_unclear += 1;
            }
            CallFault::TooLarge(message) => {
                close(context, held, may_exist, "the batch was too large").await?;
                return Ok(Submitted::TooLarge(message));
            }
            CallFault::Missing(message) => {
                close(context, held, may_exist, "the server has no batch API").await?;
                run.stop_for_endpoint(format!(
                    "the server has no batch API at this address or for this model ({message}); check \
                     --base-url and --api-model, or collect without --batch"
                ));
                return Ok(Submitted::Stopped);
            }
            CallFault::Refused(message) => {
                close(context, held, may_exist, "the batch was refused").await?;
                run.stop_for_endpoint(format!(
                    "the batch is refused ({message}); resolve the cause, or collect without --batch"
                ));
                return Ok(Submitted::Stopped);
            }
            CallFault::Stopped { .. } | CallFault::Late => return Ok(Submitted::Stopped),
        }
    }
}

/// Ends a batch whose last creation attempt was refused.
async fn close(context: &Context<'_>, held: &mut Held, may_exist: bool, why: &str) -> Result<()> {
    if may_exist {
        return lose(
            context,
            held,
            "an earlier attempt had no clear answer, and the last attempt was refused",
        )
        .await;
    }
    context.withdraw(held, "refused", |_| why.into()).await
}

/// Gives up a batch if it is unknown whether the provider created it.
pub(super) async fn lose(context: &Context<'_>, held: &mut Held, why: &str) -> Result<()> {
    let times = match held.batch.n_submitted {
        0 | 1 => String::new(),
        n => format!(", {n} times, because each of {n} attempts may have succeeded"),
    };
    context.worker.run.progress.say(&format!(
        "it is unknown whether a batch of {} requests was created ({why}); {} of these requests count as \
         possibly billed{times}",
        held.batch.n,
        held.open.len()
    ));
    context.book_attempts(held).await?;
    context.give_up(held, "lost", "it is unknown whether the batch was created").await
}

/// Searches once for a batch that may exist, without creating it.
pub(super) async fn find(context: &Context<'_>, held: &mut Held, others: &[String]) -> Result<()> {
    match look(context, held, others, 1).await {
        Found::Yes(status) => adopt(context, held, &status).await,
        Found::No | Found::Unlisted | Found::Stopped => Ok(()),
    }
}

/// Records the id of a listed batch as the id of this batch. If batches have no names, the id is recorded as
/// a probable match.
async fn adopt(context: &Context<'_>, held: &mut Held, status: &BatchStatus) -> Result<()> {
    let is_named = context.wire.is_named();
    let stage = if is_named { BatchStage::Created } else { BatchStage::Found };
    context.note_stage(&mut held.batch, stage, Some(&status.id)).await?;
    let what = if is_named { "was" } else { "was probably" };
    context.worker.run.progress.say(&format!(
        "batch {} of {} requests {what} created before its id could be stored; the run continues with this \
         batch",
        status.id, held.batch.n
    ));
    Ok(())
}

/// Uploads the requests, if the provider needs a file, and creates the batch.
async fn create(
    context: &Context<'_>,
    held: &mut Held,
    others: &[String],
) -> Result<std::result::Result<(), CallFault>> {
    let wire = context.wire;
    // Ids are stored without redaction, so an id that contains an API key is rejected.
    let holds_key = |id: &str| context.worker.run.secrets.holds_key(id);
    let mut reader = JournalReader::open(context.journal)?;
    let (mut members, mut path) = (vec![], String::new());
    for intent in &held.intents {
        let Some(sent) = context.intent(&mut reader, intent)? else { continue };
        let id = intent.key.to_string();
        members.push(wire.member(&BatchRequest { id: &id, path: &sent.path, body: &sent.body }));
        path = sent.path;
    }
    if held.batch.file.is_none()
        && let Some(upload) = wire.upload(&held.batch.name, &members)
    {
        // An upload costs nothing, so it is repeated if the response is lost.
        let file = match context.call(&upload, Repeat::Always).await {
            Ok(value) => wire.read_upload(&value).filter(|id| !holds_key(id)),
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(file) = file else {
            return Ok(Err(CallFault::Refused("the response to the upload request has no file id".into())));
        };
        context.note_stage(&mut held.batch, BatchStage::Uploaded, Some(&file)).await?;
    }
    let mut newest_before = None;
    if !wire.is_named() {
        newest_before = match context.call(&wire.list(None), Repeat::Always).await {
            Ok(value) => {
                let page = wire.read_list(&value).unwrap_or_default();
                let is_ours = |status: &&BatchStatus| may_be(held, others, status);
                // The list may show the batch of an earlier attempt only now.
                let newer = page.batches.iter().take_while(|status| !is_mark(held, status));
                if held.batch.n_submitted > 0
                    && let Some(status) = newer.filter(is_ours).find(|status| !holds_key(&status.id))
                {
                    adopt(context, held, status).await?;
                    return Ok(Ok(()));
                }
                page.batches.first().map(|first| first.id.clone()).filter(|id| !holds_key(id))
            }
            // Without a list, the batch cannot be searched for later, so the newest existing batch need not
            // be known.
            Err(CallFault::Missing(_) | CallFault::Refused(_)) => None,
            Err(fault) => return Ok(Err(fault)),
        };
    }
    context.note_stage(&mut held.batch, BatchStage::Submitting, newest_before.as_deref()).await?;
    let file = held.batch.file.clone();
    let new = NewBatch { name: &held.batch.name, path: &path, file: file.as_deref(), members: &members };
    let value = match context.call(&wire.create(&new), Repeat::IfNotDone).await {
        Ok(value) => value,
        Err(fault) => {
            let may_be_done = matches!(
                fault,
                CallFault::Unclear(_) | CallFault::Late | CallFault::Stopped { may_be_done: true }
            );
            if !may_be_done {
                context.note_stage(&mut held.batch, BatchStage::NotCreated, None).await?;
            }
            return Ok(Err(fault));
        }
    };
    let Some(status) = wire.read(&value).filter(|status| !holds_key(&status.id)) else {
        return Ok(Err(CallFault::Unclear("the response to the creation request has no batch id".into())));
    };
    context.note_stage(&mut held.batch, BatchStage::Created, Some(&status.id)).await?;
    let n = held.batch.n;
    context.worker.run.progress.say(&format!("batch {} with {n} requests is created", status.id));
    Ok(Ok(()))
}

/// Searches up to `n_looks` times for a batch that may exist, because the list may be out of date.
async fn look(context: &Context<'_>, held: &Held, others: &[String], n_looks: u32) -> Found {
    for n in 0..n_looks {
        if n > 0 {
            context.pause(n - 1, None).await;
        }
        match listed(context, held, others).await {
            Ok(found) => {
                if let Some(status) = found.into_iter().next() {
                    return Found::Yes(status);
                }
            }
            Err(CallFault::Stopped { .. } | CallFault::Late) => return Found::Stopped,
            Err(CallFault::Missing(_) | CallFault::Refused(_)) => return Found::Unlisted,
            Err(CallFault::TooLarge(message) | CallFault::Unclear(message)) => {
                context.worker.run.stop_for_endpoint(format!(
                    "the list of batches cannot be read ({message}); run the same command again later"
                ));
                return Found::Stopped;
            }
        }
    }
    Found::No
}

/// The batches in the provider's list that match this batch. If batches have names, the name or the uploaded
/// file must match. Otherwise a match has the same number of requests and is newer than all batches that
/// existed before the first attempt.
pub(super) async fn listed(
    context: &Context<'_>,
    held: &Held,
    others: &[String],
) -> std::result::Result<Vec<BatchStatus>, CallFault> {
    let (wire, batch) = (context.wire, &held.batch);
    let (mut found, mut after, mut is_unclear) = (vec![], None, false);
    for _ in 0..MOST_PAGES {
        let value = context.call(&wire.list(after.as_deref()), Repeat::Always).await?;
        let Some(page) = wire.read_list(&value) else {
            return Err(CallFault::Refused("the list of batches cannot be read".into()));
        };
        let is_safe = |status: &BatchStatus| !context.worker.run.secrets.holds_key(&status.id);
        for status in page.batches.into_iter().filter(is_safe) {
            if wire.is_named() {
                match is_ours(batch, &status) {
                    Some(true) => found.push(status),
                    Some(false) => {}
                    None => is_unclear = true,
                }
            } else if is_mark(held, &status) {
                return Ok(found);
            } else if may_be(held, others, &status) {
                found.push(status);
            }
        }
        match page.next {
            Some(next) if after.as_ref() != Some(&next) => after = Some(next),
            _ => break,
        }
    }
    if is_unclear && found.is_empty() {
        return Err(CallFault::Refused("the list of batches shows neither names nor files".into()));
    }
    Ok(found)
}

/// Whether a listed batch has the name or the uploaded file of this batch; `None` if the list states neither,
/// because some servers store no names.
fn is_ours(batch: &OpenBatch, status: &BatchStatus) -> Option<bool> {
    if status.name.is_none() && status.file.is_none() && batch.file.is_some() {
        return None;
    }
    let is_same_file = status.file.is_some() && status.file == batch.file;
    Some(is_same_file || status.name.as_ref() == Some(&batch.name))
}

/// Whether a listed batch without a name may be this batch, because it has the same number of requests and is
/// not known to be a different batch.
fn may_be(held: &Held, others: &[String], status: &BatchStatus) -> bool {
    let is_other = held.batch.foreign.contains(&status.id) || others.contains(&status.id);
    status.n_requests == Some(held.batch.n) && !is_other
}

/// Whether a listed batch is the newest batch that existed before the first attempt to create this batch.
fn is_mark(held: &Held, status: &BatchStatus) -> bool {
    held.batch.newest_before.as_ref() == Some(&status.id)
}
