//! The flags of the semantic estimand.

use clap::Args;

use crate::cli::choice::{choice, form};
use crate::corpus::{Category, DesignSettings, PromptForm};
use crate::emergence::semantic::SemanticSettings;
use crate::error::Result;

/// The quantity that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Estimand {
    Semantic,
    Positional,
}

impl Estimand {
    pub(super) const ALL: [Self; 2] = [Self::Semantic, Self::Positional];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Positional => "positional",
        }
    }

    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Semantic => {
                "How well the states distinguish the relations that the examples of a prompt \
                               show"
            }
            Self::Positional => {
                "Macro minus micro information of each block at each position, as in the \
                                 paper"
            }
        }
    }
}

/// A switch with the values on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
}

impl Switch {
    const ALL: [Self; 2] = [Self::On, Self::Off];

    fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::On => "Measure the randomly initialised model",
            Self::Off => "Do not measure the randomly initialised model",
        }
    }
}

/// A control that needs additional prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromptControl {
    PermutedAnswers,
    ForeignQuery,
}

impl PromptControl {
    const ALL: [Self; 2] = [Self::PermutedAnswers, Self::ForeignQuery];

    fn name(self) -> &'static str {
        match self {
            Self::PermutedAnswers => "permuted-answers",
            Self::ForeignQuery => "foreign-query",
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::PermutedAnswers => "Permute the answers of the examples within their relation",
            Self::ForeignQuery => "Use entities of another category as queries",
        }
    }
}

/// The flags of the semantic estimand.
#[derive(Debug, Clone, Args)]
pub(super) struct SemanticFlags {
    /// Semantic: number of example sets, S; a set is a list of entities with their answers
    #[arg(long, default_value_t = 16, value_name = "S")]
    sets: usize,
    /// Semantic: number of queries, X; a query is an entity that a prompt asks about
    #[arg(long, default_value_t = 16, value_name = "X")]
    queries: usize,
    /// Semantic: form of a prompt: arrow ("France -> Paris, Peru ->"), colon, sentence, or chat (an
    /// instruction, then arrows, in the model's chat template)
    #[arg(long, default_value = "arrow", value_name = "NAME", value_parser = form)]
    form: PromptForm,
    /// Semantic: also measure the model with random weights [default: on for up to 300 million parameters]
    #[arg(long, value_parser = choice(&Switch::ALL, Switch::name, Switch::describe))]
    random_init: Option<Switch>,
    /// Semantic: control that needs additional prompts; may be given several times
    #[arg(
        long = "with-control",
        value_parser = choice(&PromptControl::ALL, PromptControl::name, PromptControl::describe)
    )]
    controls: Vec<PromptControl>,
    /// Semantic: category of the foreign queries: a name from `surmise list corpora`, or a CSV file
    #[arg(long, default_value = "animals", value_name = "NAME|FILE")]
    foreign: String,
}

/// Models with more parameters than this are measured with random weights only on request.
const MOST_PARAMS_OF_RANDOM_INIT: usize = 300_000_000;

impl SemanticFlags {
    /// The settings for drawing designs.
    pub(super) fn design(&self, shots: &[usize], seed: u64) -> DesignSettings {
        let shots = if shots.is_empty() { DesignSettings::default().shots } else { shots.into() };
        DesignSettings { sets: self.sets, queries: self.queries, shots, seed, form: self.form }
    }

    /// Whether the randomly initialised copy of a model may be measured.
    pub(super) fn may_need_random_init(&self) -> bool {
        self.random_init != Some(Switch::Off)
    }

    /// The measurement settings for a model with `n_params` parameters.
    pub(super) fn settings(&self, seed: u64, n_params: usize) -> Result<SemanticSettings> {
        let random_init = match self.random_init {
            Some(switch) => switch == Switch::On,
            None => n_params <= MOST_PARAMS_OF_RANDOM_INIT,
        };
        let has = |control| self.controls.contains(&control);
        let foreign = has(PromptControl::ForeignQuery).then(|| Category::load(&self.foreign)).transpose()?;
        Ok(SemanticSettings {
            permuted_answers: has(PromptControl::PermutedAnswers),
            foreign,
            ..SemanticSettings::new(seed, random_init.then_some(seed))
        })
    }
}
