//! Serves a model on this machine and asks it with the client for remote APIs, so that open and closed models
//! are observed in the same way.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::collect::client::in_process::InProcess;
use crate::collect::client::retry_policy::{Backoff, RetryPolicy};
use crate::collect::configuration::Configuration;
use crate::collect::plan::{RedoSelection, Replication};
use crate::collect::progress::Progress;
use crate::collect::results::check::Tolerated;
use crate::collect::results::semantic::{FILE, SemanticScore};
use crate::collect::run::Run;
use crate::collect::secrets::Secrets;
use crate::collect::tasks::{LogprobSource, Rendering, SemanticTask};
use crate::collect::{Grader, Grading, Normalisation};
use crate::corpus::FactorialDesign;
use crate::disk;
use crate::emergence::semantic::tokenize;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::provider::{GenerationParams, Provider};
use crate::serve::{Background, LocalServer, ServerSettings};

/// Number of concurrent requests.
const CONCURRENCY: usize = 16;
/// Number of sequences decoded at once. Results must be reproducible, and in a larger batch the last digits
/// of a log-probability depend on the other sequences.
const SEQUENCES: usize = 1;
/// Maximum number of tokens of an answer from a completion API. An answer ends at the first comma or line
/// break, and correct answers of the embedded categories have only a few tokens.
pub(super) const ANSWER_TOKENS: u32 = 16;
/// The base URL that is recorded for a model served within this process.
pub(super) const HERE: &str = "http://localhost/v1";
/// The wire format of served models. This is the only wire format that returns the log-probabilities of
/// prompts.
pub(super) const PROVIDER: &str = "openai-completions";

/// The questions for a model: the prompts of the designs of all categories.
#[derive(Debug, Clone)]
pub(super) struct SemanticQuestions {
    /// Names or files of the categories.
    pub corpora: Vec<String>,
    /// Numbers of examples in a prompt.
    pub shots: Vec<usize>,
    /// Example sets, S.
    pub sets: usize,
    /// Queries, X.
    pub queries: usize,
    /// The name of the prompt form.
    pub form: String,
    /// Seed for drawing entities.
    pub seed: u64,
    /// Whether to request log-probabilities if the API returns them. They are not needed for an open model,
    /// whose profile contains the same values, and they take one more request per relation.
    pub logprobs: bool,
}

impl SemanticQuestions {
    /// The configuration of a collection that asks these questions of a model behind an API.
    pub fn configuration(
        &self,
        provider: &'static dyn Provider,
        (base_url, model): (&str, &str),
        max_tokens: Option<u32>,
    ) -> Configuration {
        let can = provider.capabilities();
        let logprobs_from = if self.logprobs { LogprobSource::of(&can) } else { LogprobSource::None };
        let top = if logprobs_from == LogprobSource::Top { can.top_logprobs } else { None };
        let params = provider.defaults(model);
        let default_tokens = if can.chats { params.max_tokens } else { ANSWER_TOKENS };
        let max_tokens_now = max_tokens.unwrap_or(default_tokens);
        Configuration {
            provider: provider.name().into(),
            base_url: base_url.into(),
            model: model.into(),
            params: GenerationParams { max_tokens: max_tokens_now, logprobs: top, ..params },
            without: vec![],
            lowered: vec![],
            short_answers: false,
            sources: self.corpora.clone(),
            shots: self.shots.iter().copied().max().unwrap_or_default(),
            items: self.queries,
            seed: self.seed,
            rendering: Rendering::Text,
            repeats: Replication { replicates: 1, share: 0.0, seed: self.seed },
            grading: Grading {
                grader: Grader::default(),
                normalisation: Normalisation { ignore_case: true, ..Normalisation::default() },
                stops: vec![],
            },
            normalisation_version: 0,
            sends_task_stops: !can.chats,
            tasks: vec![],
            raw_csv: false,
            has_default_limit: can.chats && max_tokens.is_none(),
            semantic: Some(SemanticTask {
                shots: self.shots.clone(),
                sets: self.sets,
                queries: self.queries,
                form: self.form.clone(),
                logprobs_from,
            }),
        }
    }
}

/// Serves a model on a loopback port. Port 0 selects a free port.
///
/// # Errors
/// [`Error::Serve`] if the port is in use or the model cannot be served.
pub(super) fn serve(model: Model, port: u16, seed: u64) -> Result<Background> {
    Background::start(vec![model], &server_settings(port, seed))
}

/// Serves a model within this process, without a port.
///
/// # Errors
/// [`Error::Serve`] if the model cannot be served.
pub(super) fn serve_here(model: Model, seed: u64) -> Result<Arc<dyn InProcess>> {
    Ok(Arc::new(Here(LocalServer::start(vec![model], &server_settings(0, seed))?)))
}

fn server_settings(port: u16, seed: u64) -> ServerSettings {
    ServerSettings {
        host: std::net::Ipv4Addr::LOCALHOST.into(),
        port,
        max_concurrent: SEQUENCES,
        max_waiting: 1024,
        timeout: Duration::from_secs(300),
        key: None,
        seed,
    }
}

struct Here(LocalServer);

impl InProcess for Here {
    fn post(&self, path: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = (u16, Vec<u8>)> + Send>> {
        Box::pin(self.0.clone().post(path, body))
    }
}

/// Checks that every prompt of a design fits into the context of the model, together with an answer of
/// `answer_tokens`. Returns `None` if all prompts fit, and otherwise the number of tokens of the longest
/// prompt and the number of positions of the model.
///
/// # Errors
/// Returns the errors of [`tokenize`] if the tokenizer cannot encode the corpus.
pub(super) fn lacking_positions(
    model: &Model,
    design: &FactorialDesign,
    answer_tokens: u32,
) -> Result<Option<(usize, usize)>> {
    let prompts = tokenize(model, design)?;
    let longest = prompts.windows.iter().map(Vec::len).max().unwrap_or_default();
    let positions = model.decoder.spec().max_positions;
    Ok((longest + answer_tokens as usize > positions).then_some((longest, positions)))
}

/// Asks a served model the questions that have no answer in the folder yet.
///
/// # Errors
/// Errors of the client; [`Error::Gaps`] if a question has no answer.
pub(super) fn ask_served(
    configuration: Configuration,
    server: Option<Arc<dyn InProcess>>,
    folder: &Path,
    progress: &Arc<Progress>,
) -> Result<()> {
    let run = Run {
        folder: folder.into(),
        configuration,
        // An interrupted run may have used another port, but its answers are still valid.
        new_config: true,
        redo: RedoSelection::default(),
        adapt: false,
        tolerated: Tolerated { wrong: true, ungraded: true, truncated: true },
        policy: RetryPolicy {
            concurrency: CONCURRENCY,
            retries: 4,
            unknown_retries: 1,
            backoff: Backoff { first_s: 0.1, longest_s: 5.0 },
            idle_timeout: Duration::from_secs(300),
            keep_truncated: true,
            model_snapshot: None,
        },
        timeout: Duration::from_secs(300),
        price: None,
        cap_usd: None,
        batch: None,
        key_header: None,
        ca_cert: None,
        in_process: server,
        is_claimed: true,
        // Asking a local model again is free, so the journal need not survive a crash.
        durable: false,
    };
    disk::make_folder(folder)?;
    let ended = run.collect(Ok(Arc::new(Secrets::new("EMPTY"))), progress, |_| {})?;
    if let Some(error) = ended.early {
        return Err(error);
    }
    let gaps = ended.summary.n_gaps();
    if gaps > 0 {
        let n = ended.summary.n_questions;
        let reason = format!("{gaps} of {n} questions of {} have no answer", folder.display());
        return Err(Error::Gaps { reason });
    }
    Ok(())
}

/// The scores of a folder, one row for each corpus and number of examples. Collection times are removed,
/// because derived files must not depend on them.
///
/// # Errors
/// [`Error::Read`] or [`Error::Csv`] if the file of scores cannot be read or parsed.
pub(super) fn semantic_scores(folder: &Path) -> Result<Vec<SemanticScore>> {
    let rows: Vec<SemanticScore> = disk::read_csv(&folder.join(FILE), csv::Trim::None)?;
    Ok(rows.into_iter().map(|row| SemanticScore { collected_at: None, ..row }).collect())
}
