//! The flags of `surmise collect semantic`, and the configuration that they describe.

use clap::Args;

use super::batch_flags::BatchFlags;
use super::flags::{BudgetFlags, NormalisationFlags, ResumeFlags, TargetFlags};
use super::request_flags::RequestFlags;
use super::wire_flags::WireFlags;
use crate::cli::choice::{choice, form};
use crate::collect::configuration::Configuration;
use crate::collect::plan::Replication;
use crate::collect::tasks::{LogprobSource, Rendering, SemanticTask};
use crate::collect::{Grader, Grading};
use crate::corpus::{DesignSettings, PromptForm};
use crate::error::Result;
use crate::provider::{GenerationParams, Provider};

/// Token limit of a short answer from a completion API. The longest correct answers of the embedded
/// categories have a few tokens.
const MAX_TOKENS: u32 = 16;

#[derive(Debug, Args)]
pub(super) struct SemanticFlags {
    /// Category with two or more relations: a name from `surmise list corpora`, or a CSV file with a column
    /// `entity`; may be given several times
    #[arg(long = "corpus", required = true, value_name = "NAME|FILE")]
    corpora: Vec<String>,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    design: DesignFlags,
    #[command(flatten)]
    pub(super) money: BudgetFlags,
    #[command(flatten)]
    answers: AnswerFlags,
    #[command(flatten)]
    pub(super) resume: ResumeFlags,
    #[command(flatten)]
    pub(super) wire: WireFlags,
    #[command(flatten)]
    pub(super) batch: BatchFlags,
    #[command(flatten)]
    pub(super) request: RequestFlags,
}

/// The design of the prompts. The same values give the same design in `surmise measure`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Design")]
struct DesignFlags {
    /// Numbers of examples in a prompt, separated by commas [default: 1,4]
    #[arg(long, value_delimiter = ',', value_name = "K,...")]
    shots: Vec<usize>,
    /// Number of example sets, S; a set is a list of entities with their answers
    #[arg(long, default_value_t = 16, value_name = "S")]
    sets: usize,
    /// Number of queries, X; a query is an entity that a prompt asks about
    #[arg(long, default_value_t = 16, value_name = "X")]
    queries: usize,
    /// Form of a prompt: arrow ("France -> Paris, Peru ->"), colon, sentence, or chat (an instruction, then
    /// arrows) [default: chat for chat APIs, arrow for completion APIs]
    #[arg(long, value_name = "NAME", value_parser = form)]
    form: Option<PromptForm>,
    /// Seed for drawing the entities
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Questions and answers")]
struct AnswerFlags {
    /// Source of log-probabilities [default: echo for completion APIs, top for chat APIs that return
    /// log-probabilities]
    #[arg(long, value_parser = choice(&LogprobSource::ALL, LogprobSource::name, LogprobSource::describe))]
    logprobs_from: Option<LogprobSource>,
    /// Token limit of an answer, including reasoning [default: 2048 for chat APIs, or 128 if a probe request
    /// shows no reasoning; 16 for completion APIs]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    #[command(flatten)]
    normal: NormalisationFlags,
}

impl SemanticFlags {
    /// The configuration that the flags describe, in the form that the folder records.
    ///
    /// # Errors
    /// Returns the errors of [`WireFlags::add_to`].
    pub(super) fn configuration(&self, provider: &'static dyn Provider) -> Result<Configuration> {
        let (can, model) = (provider.capabilities(), self.target.model.clone().unwrap_or_default());
        let logprobs_from = self.answers.logprobs_from.unwrap_or_else(|| LogprobSource::of(&can));
        let top = if logprobs_from == LogprobSource::Top { can.top_logprobs } else { None };
        let params = provider.defaults(&model);
        let DesignFlags { shots, sets, queries, form, seed } = &self.design;
        let default_form = if can.chats { PromptForm::find("chat") } else { None };
        let form = form.or(default_form).unwrap_or(DesignSettings::default().form);
        let shots = if shots.is_empty() { DesignSettings::default().shots } else { shots.clone() };
        let normalisation = self.answers.normal.into();
        let max_tokens = if can.chats { params.max_tokens } else { MAX_TOKENS };
        let max_tokens = self.answers.max_tokens.unwrap_or(max_tokens);
        let params = self.wire.add_to(GenerationParams { max_tokens, logprobs: top, ..params })?;
        Ok(Configuration {
            provider: provider.name().into(),
            base_url: self.target.base_url.clone().unwrap_or_else(|| provider.default_base_url().into()),
            model,
            params,
            without: vec![],
            lowered: vec![],
            short_answers: false,
            sources: self.corpora.clone(),
            shots: shots.iter().copied().max().unwrap_or_default(),
            items: *queries,
            seed: *seed,
            rendering: Rendering::Text,
            repeats: Replication { replicates: 1, share: 0.0, seed: *seed },
            grading: Grading { grader: Grader::default(), normalisation, stops: vec![] },
            normalisation_version: 0,
            sends_task_stops: !can.chats,
            tasks: vec![],
            raw_csv: self.resume.raw_csv,
            has_default_limit: can.chats && self.answers.max_tokens.is_none(),
            semantic: Some(SemanticTask {
                shots,
                sets: *sets,
                queries: *queries,
                form: form.name.into(),
                logprobs_from,
            }),
        })
    }
}
