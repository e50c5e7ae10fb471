//! The closed side: each member is served on this machine and queried by the client that queries real APIs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::api_answers::ApiAnswers;
use super::context;
use super::context::TOKENS;
use super::family::{Family, Member};
use super::questions::Questions;
use super::settings::BlindSettings;
use crate::collect::client::retry_policy::{Backoff, RetryPolicy};
use crate::collect::configuration::Configuration;
use crate::collect::plan::{RedoSelection, Replication};
use crate::collect::progress::Progress;
use crate::collect::results::check::Tolerated;
use crate::collect::results::replay;
use crate::collect::run::Run;
use crate::collect::secrets::Secrets;
use crate::collect::tasks::Rendering;
use crate::collect::{Grading, Normalisation, Score};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::provider::{self, Answer, GenerationParams, Outcome};
use crate::seed;
use crate::serve::{self, Background};

/// Requests at a time.
const CONCURRENCY: usize = 16;
/// Sequences decoded at once. The last digits of a log-probability depend on the other sequences of its
/// batch, and results must not.
const SEQUENCES: usize = 1;
/// Tokens of a text.
const TEXT_TOKENS: u32 = 40;
/// Most tokens of an answer to a question.
const ANSWER_TOKENS: u32 = 12;

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
    let questions = Questions::write(settings, &folder.join("questions"))?;
    let is_needed = |member: &&Member| {
        hidden.iter().any(|h| h.id == member.id || family.others(h).iter().any(|other| other.id == member.id))
    };
    let mut answers = BTreeMap::new();
    for member in family.members.iter().filter(is_needed) {
        let own = folder.join("answers").join(disk::id_in_file_names(&member.id));
        let kept = own.join("answers.json");
        let known = if kept.is_file() {
            ApiAnswers::read(&kept)?
        } else {
            step(&format!("{}, served", member.id));
            let known = Worker::new(family, member, settings, port, &own, &questions)?.answers()?;
            disk::write_json(&kept, &known)?;
            known
        };
        answers.insert(member.id.clone(), known);
    }
    Ok(answers)
}

/// One served member and its questions.
struct Worker<'a> {
    server: Background,
    model: String,
    settings: &'a BlindSettings,
    folder: &'a Path,
    questions: &'a Questions,
}

impl<'a> Worker<'a> {
    fn new(
        family: &Family,
        member: &Member,
        settings: &'a BlindSettings,
        port: u16,
        folder: &'a Path,
        questions: &'a Questions,
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
        Ok(Self { server, model: member.id.clone(), settings, folder, questions })
    }

    fn answers(&self) -> Result<ApiAnswers> {
        let files =
            |paths: &[std::path::PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
        let exact = GenerationParams { max_tokens: ANSWER_TOKENS, ..GenerationParams::default() };
        let scores =
            self.collect("completion", "openai-completions", self.settings.corpora.clone(), "exact", exact)?;
        let echoed =
            GenerationParams { max_tokens: 1, logprobs: Some(1), echo: true, ..GenerationParams::default() };
        let asked = files(&self.questions.choices);
        let likelihoods = self.collect("likelihood", "openai-completions", asked, "logprob", echoed)?;
        // Of completions five likely tokens can be had, of chats twenty. A model without a template reads the
        // bare contents.
        let next = GenerationParams { max_tokens: 1, logprobs: Some(TOKENS), ..GenerationParams::default() };
        let asked = files(std::slice::from_ref(&self.questions.context));
        let context = self.collect("context", "openai-chat", of_texts(asked), "exact", next)?;
        let answers = context.answers.into_iter().collect();
        let texts = GenerationParams {
            max_tokens: TEXT_TOKENS,
            temperature: Some(1.0),
            seed: Some(seed::derive("blind", "texts", self.settings.seed) >> 1),
            ..GenerationParams::default()
        };
        let asked = files(std::slice::from_ref(&self.questions.beginnings));
        let texts = self.collect("texts", "openai-completions", of_texts(asked), "exact", texts)?;
        let said = texts.answers.into_iter().filter_map(|(_, answer)| match answer.outcome {
            Outcome::Answered { text } | Outcome::Truncated { text } => Some(text),
            _ => None,
        });
        let (name, version) = ApiAnswers::SCHEMA;
        Ok(ApiAnswers {
            schema: Schema::new(name, version),
            model: self.model.clone(),
            scores: scores.scores,
            likelihoods: likelihoods.scores,
            context_nats: context::context_nats(&self.questions.series, &answers, self.settings.seed)?,
            texts: said.collect(),
        })
    }

    /// Asks the missing questions of one kind, and reads all answers from the journal.
    fn collect(
        &self,
        kind: &str,
        provider: &str,
        sources: Vec<String>,
        grader: &str,
        params: GenerationParams,
    ) -> Result<Collected> {
        let grader = grader.parse().map_err(|reason| Error::Parameter { name: "--grader", reason })?;
        let folder = self.folder.join(kind);
        let limits = provider::find(provider)?.capabilities();
        let seed = params.seed.map(|seed| limits.max_seed.map_or(seed, |most| seed % most));
        let normalisation = Normalisation { ignore_case: true, ..Normalisation::default() };
        let configuration = Configuration {
            provider: provider.into(),
            base_url: self.server.url().into(),
            model: self.model.clone(),
            params: GenerationParams { seed, ..params },
            without: vec![],
            lowered: vec![],
            short_answers: false,
            sources,
            shots: self.settings.task_shots,
            items: self.settings.items,
            seed: self.settings.seed,
            rendering: Rendering::Text,
            repeats: Replication { replicates: 1, share: 0.0, seed: self.settings.seed },
            grading: Grading { grader, normalisation, stops: vec![] },
            normalisation_version: 0,
            sends_task_stops: true,
            tasks: vec![],
            raw_csv: false,
            has_default_limit: false,
            semantic: None,
        };
        let run = Run {
            folder: folder.clone(),
            configuration: configuration.clone(),
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
        disk::make_folder(&folder)?;
        let progress = Arc::new(Progress::new(|_| {}));
        let ended = run.collect(Ok(Arc::new(Secrets::new("EMPTY"))), &progress, |_| {})?;
        if let Some(error) = ended.early {
            return Err(error);
        }
        let gaps = ended.summary.n_gaps();
        if gaps > 0 {
            let reason = format!(
                "{gaps} of {} questions of {} have no answer",
                ended.summary.n_questions,
                folder.display()
            );
            return Err(Error::Gaps { reason });
        }
        let graded = folder.join("scores.csv");
        let mut scores: Vec<Score> = vec![];
        if graded.is_file() {
            let bytes =
                std::fs::read(&graded).map_err(|source| Error::Read { path: graded.clone(), source })?;
            for row in csv::Reader::from_reader(bytes.as_slice()).deserialize() {
                let fault = |error: csv::Error| Error::Csv {
                    path: graded.clone(),
                    line: 1,
                    reason: error.to_string(),
                };
                // The journal has the time of each answer; derived files must not depend on it.
                scores.push(Score { collected_at: None, ..row.map_err(fault)? });
            }
        }
        let answers = replay::answers(&folder, &ended.summary.configuration)?;
        Ok(Collected {
            scores,
            answers: answers.into_iter().map(|(item, answer)| (item.id, answer)).collect(),
        })
    }
}

/// The contents of a folder: grades, if any, and answers by item.
struct Collected {
    scores: Vec<Score>,
    answers: Vec<(String, Answer)>,
}

/// The files as prompts without a right answer.
fn of_texts(files: Vec<String>) -> Vec<String> {
    files.into_iter().map(|file| format!("texts:{file}")).collect()
}
