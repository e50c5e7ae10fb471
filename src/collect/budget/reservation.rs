//! Represents the money reserved for a request, and detects implausible token counts of a server.

use crate::provider::Usage;

/// The money reserved for a request, in picodollars, and the maximum numbers of tokens that it pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    pub(super) prompt: u64,
    pub(super) completion: u64,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    /// Whether the request is part of a batch.
    pub(super) by_batch: bool,
}

/// A server's token count is plausible if it is at most the request's maximum times this factor plus
/// [`BELIEVED_TOKENS`]. A plausible count may exceed the maximum, because a server may also count its own
/// system prompt, or reasoning beyond the limit of the answer.
const BELIEVED_FACTOR: u64 = 4;
/// Number of tokens that are added to the multiple of the request's maximum.
const BELIEVED_TOKENS: u64 = 4096;
/// Maximum number of reasoning tokens that are subtracted from the server's count of answer tokens before the
/// count is checked.
const BELIEVED_REASONING: u64 = 1 << 17;

impl Reservation {
    pub(super) fn sum(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }

    /// Maximum number of tokens of the answer.
    pub(crate) fn max_tokens(self) -> u64 {
        self.completion_tokens
    }

    /// Whether a token count of the server is implausibly high for the request.
    pub fn is_exceeded_by(&self, usage: &Usage) -> bool {
        // If the journal record of the request is damaged, the maximum number of tokens is unknown.
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
