//! Computes bounds of the number of tokens, for use before a server has counted them.

use crate::collect::plan::{Plan, Question};
use crate::error::Result;
use crate::provider::{Prompt, Request};

/// Upper bound of the number of tokens that a message needs in addition to its text, for its role and for
/// separators.
const TOKENS_PER_MESSAGE: u64 = 16;

/// Lower and upper bound of the number of tokens of a prompt. A text never has more tokens than bytes, and
/// its tokens rarely have more than eight bytes on average.
pub fn prompt_tokens(prompt: &Prompt) -> (u64, u64) {
    let (bytes, messages) = match prompt {
        Prompt::Text(text) => (text.len() as u64, 1),
        Prompt::Messages(messages) => {
            (messages.iter().map(|message| message.content.len() as u64).sum(), messages.len() as u64)
        }
    };
    (bytes.div_ceil(8), bytes + TOKENS_PER_MESSAGE * messages)
}

/// Lower and upper bound of a number of tokens.
pub(crate) type TokenBounds = (u64, u64);

/// Bounds of the numbers of tokens in the prompts of these questions, and in their answers.
pub(crate) fn of(plan: &Plan, questions: &[Question]) -> Result<(TokenBounds, TokenBounds)> {
    let (mut prompts, mut answers) = ((0, 0), (0, 0));
    for question in questions {
        add(&plan.request(&plan.item(question)?, question), &mut prompts, &mut answers);
    }
    Ok((prompts, answers))
}

pub(super) fn add(request: &Request, prompts: &mut TokenBounds, answers: &mut TokenBounds) {
    let (low, high) = prompt_tokens(&request.prompt);
    *prompts = (prompts.0 + low, prompts.1 + high);
    *answers = (answers.0 + 1, answers.1 + u64::from(request.params.max_tokens));
}
