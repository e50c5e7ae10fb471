//! Finds batches that were created twice because the provider's list was out of date, and books their
//! requests, which may be billed twice, as possibly billed again.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};

use super::calls::{CallFault, Repeat};
use super::context::{Context, Held};
use super::submission::listed;
use crate::collect::journal::{QuestionKey, as_storage};
use crate::error::{Error, Result};
use crate::provider::batch::BatchStatus;
use crate::provider::json;

/// How a listed batch relates to a batch that may have been created twice.
enum Kin {
    /// The listed batch has the same requests.
    Twin,
    /// The listed batch has the same number of requests, but is still in progress or cannot be downloaded, so
    /// its requests cannot be compared.
    Unknown,
    /// The listed batch has other requests.
    None,
}

/// Books the requests of each duplicate of the batch `id`, and cancels a duplicate if the wire format
/// identifies batches by name. Returns whether the run continues. Does nothing if at most one attempt may
/// have created the batch.
pub(super) async fn book_twins(
    context: &Context<'_>,
    held: &Held,
    id: &str,
    others: &[String],
) -> Result<bool> {
    let run = &context.worker.run;
    if held.batch.n_submitted < 2 {
        return Ok(true);
    }
    let known: Vec<String> = others.iter().map(String::as_str).chain([id]).map(Into::into).collect();
    let found = match listed(context, held, &known).await {
        Ok(found) => found.into_iter().filter(|other| other.id != id).collect::<Vec<_>>(),
        Err(CallFault::Stopped { .. }) => return Ok(false),
        Err(_) => {
            context.book_attempts(held).await?;
            return Ok(true);
        }
    };
    let mut n = 0;
    for twin in &found {
        let n_requests = held.intents.len();
        match kin(context, held, twin).await? {
            Kin::None => continue,
            Kin::Twin => run.progress.say(&format!(
                "batch {id} was created twice: the {n_requests} requests of its duplicate, {}, count as \
                 possibly billed a second time",
                twin.id
            )),
            Kin::Unknown => run.progress.say(&format!(
                "batch {id} may have been created twice: batch {} has the same number of requests, and its \
                 results cannot be compared yet. Its requests count as possibly billed a second time. It is \
                 not cancelled, because it may belong to another user",
                twin.id
            )),
        }
        if twin.end.is_none() && context.wire.is_named() {
            // Even if the cancellation succeeds, the requests may have been billed.
            context
                .call(&context.wire.cancel(&twin.id), Repeat::UnlessConflict)
                .await
                .map(drop)
                .unwrap_or_default();
        }
        n += 1;
        let why = format!("the batch was created a second time, as {}", twin.id);
        context.book_again(held, n, &why).await?;
    }
    Ok(true)
}

/// Determines how a listed batch relates to this batch. If batches have names, `listed` has already selected
/// the batches with the right name. Otherwise the ids of the results are compared.
async fn kin(context: &Context<'_>, held: &Held, twin: &BatchStatus) -> Result<Kin> {
    if context.wire.is_named() {
        return Ok(Kin::Twin);
    }
    if twin.end.is_none() {
        return Ok(Kin::Unknown);
    }
    let fault = |source| as_storage(Error::Read { path: std::env::temp_dir(), source });
    let mut is_unreadable = false;
    for call in context.wire.results(twin) {
        let mut file: File = tempfile::tempfile().map_err(fault)?;
        let reply = context.worker.client.download(&call, &mut file).await;
        if reply.status.is_none_or(|status| !(200..300).contains(&status)) {
            return Ok(Kin::Unknown);
        }
        file.rewind().map_err(fault)?;
        // One readable id is enough, because all requests of a batch come from the same collection.
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(fault)?;
            let result = json::parse(&line).ok().map(|value| context.wire.read_result(&value));
            match result.and_then(|result| result.id).map(|id| QuestionKey::parse(&id)) {
                Some(Some(key)) if held.intents.iter().any(|intent| intent.key == key) => {
                    return Ok(Kin::Twin);
                }
                Some(_) => break,
                None => is_unreadable |= !line.trim_ascii().is_empty(),
            }
        }
    }
    Ok(if is_unreadable { Kin::Unknown } else { Kin::None })
}
