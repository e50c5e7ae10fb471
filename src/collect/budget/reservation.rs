//! The money reserved for a request, and whether the token counts of a server fit it.

use crate::provider::Usage;

/// The money reserved for a request in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    pub(super) prompt: u64,
    pub(super) completion: u64,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    /// Whether the request is part of a batch.
    pub(super) by_batch: bool,
}

/// A token count of a server is plausible up to the request's maximum times this factor, plus
/// [`BELIEVED_TOKENS`]. A server may count its own system prompt, or reasoning beyond the limit of the
/// answer.
const BELIEVED_FACTOR: u64 = 4;
/// Number of plausible tokens above the multiple of the request's maximum.
const BELIEVED_TOKENS: u64 = 4096;
/// Maximum number of plausible reasoning tokens beyond the limit, if a server counts them separately.
const BELIEVED_REASONING: u64 = 1 << 17;

impl Reservation {
    pub(super) fn sum(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }

    /// Maximum number of tokens of the answer.
    pub(crate) fn max_tokens(self) -> u64 {
        self.completion_tokens
    }

    /// Whether the token counts of a server are far above what the request can have.
    pub fn is_exceeded_by(&self, usage: &Usage) -> bool {
        // A request whose record is damaged has no known maximum.
        if (self.prompt_tokens, self.completion_tokens) == (0, 0) {
            return false;
        }
        let most = |tokens: u64| tokens.saturating_mul(BELIEVED_FACTOR).saturating_add(BELIEVED_TOKENS);
        let reasoning = usage.reasoning_tokens.unwrap_or(0).min(BELIEVED_REASONING);
        usage.prompt_tokens.is_some_and(|tokens| tokens > most(self.prompt_tokens))
            || usage
                .completion_tokens
                .is_some_and(|tokens| tokens.saturating_sub(reasoning) > most(self.completion_tokens))
    }
}
