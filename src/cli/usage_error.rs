//! Improves the messages for wrong arguments: sorts the suggestions, and adds advice on missing arguments.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::names;

/// Missing arguments that need advice, as clap's message shows them, each with its advice.
const MISSING: [(&str, &str); 1] = [(
    "--calibration <CARD>",
    "`surmise calibrate TABLE --target COL -o card.json` makes a card from rows whose target is known",
)];

/// Returns the error with its suggestions sorted by distance, and with advice on missing arguments.
pub(super) fn improved(mut error: clap::Error) -> clap::Error {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let typed = text(ContextKind::InvalidSubcommand);
    if let (Some(typed), Some(ContextValue::Strings(similar))) =
        (typed, error.get(ContextKind::SuggestedSubcommand))
    {
        let sorted = names::by_distance(&typed, similar);
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(sorted));
    }
    let missing = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => missing.clone(),
        _ => vec![],
    };
    let advice = MISSING.iter().filter(|(name, _)| missing.iter().any(|missing| missing == name));
    let advice: Vec<_> = advice.map(|(_, advice)| (*advice).into()).collect();
    if !advice.is_empty() {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(advice));
    }
    error
}
