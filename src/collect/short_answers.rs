//! Sets the token limit of questions whose answers are a few words long.
//!
//! The default limit of a chat has room for the reasoning of a model. A model that does not reason needs
//! fewer tokens for questions that are drawn from a category, and a small model that never stops would use up
//! the whole limit. The probe shows whether the model reasons.

use super::grading::answer_text::AnswerText;
use crate::provider::{Answer, Outcome};

/// The token limit of a short answer without reasoning. Answers of the embedded categories have fewer than 10
/// tokens; a sentence that contains such an answer has fewer than 60 tokens in every script.
pub const MAX_TOKENS: u32 = 128;

/// Number of tokens that servers may count in addition to the text: blanks, and tokens that begin or end a
/// turn.
const OTHER_TOKENS: u64 = 8;

/// Whether the model reasoned, or may have reasoned, before this answer.
pub(super) fn may_have_reasoned(answer: &Answer) -> bool {
    let (Outcome::Answered { text } | Outcome::Truncated { text }) = &answer.outcome else { return true };
    let read = AnswerText::read(text);
    let has_marks = read.has_reasoning || read.text.trim().is_empty();
    let usage = answer.usage.unwrap_or_default();
    // A token has at least one byte, so more tokens than bytes mean reasoning that the server neither shows
    // nor counts separately.
    let is_hidden = usage.completion_tokens.is_some_and(|n| n > text.len() as u64 + OTHER_TOKENS);
    answer.has_reasoning || has_marks || usage.reasoning_tokens.is_some_and(|n| n > 0) || is_hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Usage;

    #[test]
    fn reasoning_is_found_in_every_form() {
        let answered = |text: &str| Answer::of(Outcome::Answered { text: text.into() });
        let counted = |completion: u64, reasoning: Option<u64>| Answer {
            usage: Some(Usage {
                completion_tokens: Some(completion),
                reasoning_tokens: reasoning,
                ..Usage::default()
            }),
            ..answered("yes")
        };
        for (reasons, answer) in [
            (false, answered("yes")),
            (false, answered("Yes, I can do that.")),
            (false, counted(2, Some(0))),
            (false, counted(3, None)),
            (false, Answer::of(Outcome::Truncated { text: "yes yes yes".into() })),
            (true, counted(40, Some(38))),
            (true, counted(40, None)),
            (true, answered("<think>The user wants yes.</think>yes")),
            (true, answered("The user wants yes.</think>\n\nyes")),
            (true, answered("<|channel|>analysis<|message|>yes<|end|><|channel|>final<|message|>yes")),
            (true, Answer { has_reasoning: true, ..answered("yes") }),
            (true, Answer::of(Outcome::Truncated { text: String::new() })),
            (true, Answer::of(Outcome::Truncated { text: "<think>hm".into() })),
            (true, Answer::of(Outcome::Empty)),
            (true, Answer::of(Outcome::Unreadable { reason: "no text".into() })),
        ] {
            assert_eq!(may_have_reasoned(&answer), reasons, "{answer:?}");
        }
    }
}
