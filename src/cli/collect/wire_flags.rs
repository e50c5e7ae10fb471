//! Flags for what single wire formats and servers can do beside the usual parameters.

use clap::Args;
use clap::builder::TypedValueParser;

use crate::cli::choice::choice;
use crate::error::Result;
use crate::provider::{GenerationParams, ReasoningEffort, body_json};

/// The sampling temperature of the command line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Temperature {
    /// None is sent.
    Omitted,
    /// This one is sent.
    Value(f64),
}

/// Reads a number or the word `none`.
pub(super) fn temperature(text: &str) -> std::result::Result<Temperature, String> {
    if text == "none" {
        return Ok(Temperature::Omitted);
    }
    text.parse().map(Temperature::Value).map_err(|_| "must be a number, or `none` to send none".into())
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Questions and answers")]
pub(super) struct WireFlags {
    /// How much a model reasons before it answers, where the wire format can ask for it [default: the
    /// model's own]
    #[arg(long, value_parser = effort())]
    reasoning_effort: Option<ReasoningEffort>,
    /// JSON object whose members are added to the body of every request; the prompt, the model and parameters
    /// that have a flag cannot be replaced, and it is stored with every request
    #[arg(long, value_name = "JSON")]
    body_json: Option<String>,
}

fn effort() -> impl TypedValueParser<Value = ReasoningEffort> {
    choice(&ReasoningEffort::ALL, ReasoningEffort::name, ReasoningEffort::describe)
}

impl WireFlags {
    /// The parameters with what these flags add.
    ///
    /// # Errors
    /// As [`body_json::parse`].
    pub(super) fn add_to(&self, params: GenerationParams) -> Result<GenerationParams> {
        let body_json = self.body_json.as_deref().map(body_json::parse).transpose()?;
        Ok(GenerationParams {
            reasoning_effort: self.reasoning_effort.or(params.reasoning_effort),
            body_json: body_json.unwrap_or(params.body_json),
            ..params
        })
    }
}
