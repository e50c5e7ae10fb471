//! The closed side: each member is served on this machine and asked by the client that asks real APIs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::api_answers::ApiAnswers;
use super::family::{Family, Member};
use super::settings::BlindSettings;
use crate::collect::client::retry_policy::{Backoff, RetryPolicy};
use crate::collect::configuration::Configuration;
use crate::collect::plan::{RedoSelection, Replication};
use crate::collect::progress::Progress;
use crate::collect::results::check::Tolerated;
use crate::collect::results::semantic::FILE;
use crate::collect::run::Run;
use crate::collect::secrets::Secrets;
use crate::collect::tasks::{LogprobSource, Rendering, SemanticTask};
use crate::collect::{Grader, Grading, Normalisation};
use crate::disk::{self, Lines};
use crate::error::{Error, Result};
use crate::provider::GenerationParams;
use crate::serve::{self, Background};

/// Requests at a time.
const CONCURRENCY: usize = 16;
/// Sequences decoded at once. The last digits of a log-probability depend on the other sequences of its
/// batch, and results must not.
const SEQUENCES: usize = 1;
/// Most tokens of an answer.
pub(super) const ANSWER_TOKENS: u32 = 4;
/// The wire format: log-probabilities of prompts can be had of it alone.
const PROVIDER: &str = "openai-completions";

/// Queries the hidden members and all members that their predictions need. Answers that the folder holds are
/// reused.
///
/// # Errors
/// [`Error::Serve`] if the port is in use; whatever the client finds wrong; [`Error::Gaps`] if a question has
/// no answer.
pub(crate) fn ask(
    family: &Family,
    hidden: &[&Member],
    settings: &BlindSettings,
    port: u16,
    folder: &Path,
    step: &dyn Fn(&str),
) -> Result<BTreeMap<String, ApiAnswers>> {
    let mut answers = BTreeMap::new();
    for member in family.members.iter().filter(|member| is_needed(family, hidden, member)) {
        let own = folder.join("answers").join(disk::id_in_file_names(&member.id));
        let kept = own.join("answers.json");
        let known = if kept.is_file() {
            ApiAnswers::read(&kept)?
        } else {
            step(&format!("{}, served and asked", member.id));
            let known = Worker::new(family, member, settings, port, &own)?.answers()?;
            disk::write_json(&kept, &known)?;
            known
        };
        answers.insert(member.id.clone(), known);
    }
    Ok(answers)
}

/// Whether a member is hidden, or known where one is.
pub(super) fn is_needed(family: &Family, hidden: &[&Member], member: &Member) -> bool {
    hidden.iter().any(|h| h.id == member.id || family.others(h).iter().any(|other| other.id == member.id))
}

/// One served member.
struct Worker<'a> {
    server: Background,
    model: String,
    settings: &'a BlindSettings,
    folder: &'a Path,
}

impl<'a> Worker<'a> {
    fn new(
        family: &Family,
        member: &Member,
        settings: &'a BlindSettings,
        port: u16,
        folder: &'a Path,
    ) -> Result<Self> {
        let how = serve::ServerSettings {
            host: std::net::Ipv4Addr::LOCALHOST.into(),
            port,
            max_concurrent: SEQUENCES,
            max_waiting: 1024,
            timeout: Duration::from_secs(300),
            key: None,
            seed: settings.seed,
        };
        let server = Background::start(vec![family.load(member)?], &how)?;
        Ok(Self { server, model: member.id.clone(), settings, folder })
    }

    /// Asks the prompts that have no answer yet, and reads what all answers tell.
    fn answers(&self) -> Result<ApiAnswers> {
        let configuration = self.configuration();
        let run = Run {
            folder: self.folder.into(),
            configuration,
            // An interrupted run has answers from another port; they stay valid.
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
            key_header: None,
            ca_cert: None,
            // Asking again costs nothing here.
            durable: false,
        };
        disk::make_folder(self.folder)?;
        let progress = Arc::new(Progress::new(|_| {}));
        let ended = run.collect(Ok(Arc::new(Secrets::new("EMPTY"))), &progress, |_| {})?;
        if let Some(error) = ended.early {
            return Err(error);
        }
        let gaps = ended.summary.n_gaps();
        if gaps > 0 {
            let n = ended.summary.n_questions;
            let reason = format!("{gaps} of {n} questions of {} have no answer", self.folder.display());
            return Err(Error::Gaps { reason });
        }
        let path = self.folder.join(FILE);
        let bytes = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows = reader.deserialize().collect::<std::result::Result<_, csv::Error>>();
        let rows = rows.map_err(|error| Error::Csv {
            path: path.clone(),
            line: Lines::at(&bytes, error.position()),
            reason: error.to_string(),
        })?;
        Ok(ApiAnswers::new(&self.model, rows))
    }

    fn configuration(&self) -> Configuration {
        let BlindSettings { corpora, shots, sets, queries, seed } = self.settings.clone();
        Configuration {
            provider: PROVIDER.into(),
            base_url: self.server.url().into(),
            model: self.model.clone(),
            params: GenerationParams { max_tokens: ANSWER_TOKENS, ..GenerationParams::default() },
            without: vec![],
            lowered: vec![],
            short_answers: false,
            sources: corpora,
            shots: shots.iter().copied().max().unwrap_or_default(),
            items: queries,
            seed,
            rendering: Rendering::Text,
            repeats: Replication { replicates: 1, share: 0.0, seed },
            grading: Grading {
                grader: Grader::default(),
                normalisation: Normalisation { ignore_case: true, ..Normalisation::default() },
                stops: vec![],
            },
            normalisation_version: 0,
            sends_task_stops: true,
            tasks: vec![],
            raw_csv: false,
            has_default_limit: false,
            semantic: Some(SemanticTask {
                shots,
                sets,
                queries,
                form: BlindSettings::form().into(),
                logprobs_from: LogprobSource::Echo,
            }),
        }
    }
}
