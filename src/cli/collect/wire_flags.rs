//! The flags for features of particular wire formats and servers.

use clap::Args;
use clap::builder::TypedValueParser;

use crate::cli::choice::choice;
use crate::error::Result;
use crate::provider::{GenerationParams, ReasoningEffort, body_json};

/// A sampling temperature from the command line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Temperature {
    /// No temperature is sent.
    Omitted,
    /// This temperature is sent.
    Value(f64),
}

/// Reads a number or the word `none`.
pub(super) fn temperature(text: &str) -> std::result::Result<Temperature, String> {
    if text == "none" {
        return Ok(Temperature::Omitted);
    }
    text.parse().map(Temperature::Value).map_err(|_| {
        "must be a number, or `none` to omit the \
                                                      temperature"
            .into()
    })
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Questions and answers")]
pub(super) struct WireFlags {
    /// How much the model reasons before it answers, if the wire format supports it [default: the model's own
    /// default]
    #[arg(long, value_parser = effort())]
    reasoning_effort: Option<ReasoningEffort>,
    /// JSON object whose members are added to the body of every request and stored with the request; they
    /// cannot replace the prompt, the model, or a parameter that has a flag
    #[arg(long, value_name = "JSON")]
    body_json: Option<String>,
}

fn effort() -> impl TypedValueParser<Value = ReasoningEffort> {
    choice(&ReasoningEffort::ALL, ReasoningEffort::name, ReasoningEffort::describe)
}

impl WireFlags {
    /// Adds the values of these flags to the parameters.
    ///
    /// # Errors
    /// Returns the errors of [`body_json::parse`].
    pub(super) fn add_to(&self, params: GenerationParams) -> Result<GenerationParams> {
        let body_json = self.body_json.as_deref().map(body_json::parse).transpose()?;
        Ok(GenerationParams {
            reasoning_effort: self.reasoning_effort.or(params.reasoning_effort),
            body_json: body_json.unwrap_or(params.body_json),
            ..params
        })
    }
}
