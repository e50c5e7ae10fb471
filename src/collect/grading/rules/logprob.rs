//! Grades multiple choice by log-probability: the model scores each choice as a continuation of the question
//! (`echo`), and the most likely choice is its answer. The offsets that the server returns locate the choice,
//! so the server's tokenizer need not be known.

use crate::collect::grading::grade::{Grade, GradeKind, without_answer};
use crate::collect::grading::{Asked, QuestionForm, Rule};
use crate::collect::item::Item;
use crate::provider::{Answer, Outcome, Prompt, TokenLogprob};

/// The rule `logprob`.
#[derive(Debug, Clone, Copy)]
pub struct Logprob;

/// The rule `logprob-per-byte`.
#[derive(Debug, Clone, Copy)]
pub struct LogprobPerByte;

impl Rule for Logprob {
    fn name(&self) -> &'static str {
        "logprob"
    }

    fn about(&self) -> &'static str {
        "Right if the right choice has the highest log-probability, summed over the tokens of the choice"
    }

    fn question_form(&self) -> QuestionForm {
        QuestionForm::EachChoice
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        grade(asked.item, asked.answers, false)
    }
}

impl Rule for LogprobPerByte {
    fn name(&self) -> &'static str {
        "logprob-per-byte"
    }

    fn about(&self) -> &'static str {
        "Right if the right choice has the highest log-probability per byte of its text"
    }

    fn question_form(&self) -> QuestionForm {
        QuestionForm::EachChoice
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        grade(asked.item, asked.answers, true)
    }
}

/// Grades an item by the answers to its prompts, one per choice.
fn grade(item: &Item, answers: &[Answer], is_per_byte: bool) -> Grade {
    if answers.len() < item.prompts.len() {
        return Grade::none(GradeKind::Error, "some choices were not sent to the server");
    }
    let mut sums = vec![];
    for (answer, prompt) in answers.iter().zip(&item.prompts) {
        // The token limit of 1 truncates every answer, but only the echoed prompt matters.
        let echoed =
            matches!(answer.outcome, Outcome::Answered { .. } | Outcome::Truncated { .. } | Outcome::Empty);
        if !echoed {
            return without_answer(&answer.outcome);
        }
        let Prompt::Text(prompt) = prompt else {
            return Grade::none(GradeKind::Error, "a chat has no log-probabilities of the prompt");
        };
        match continuation(answer.logprobs.as_deref(), prompt, item.boundary) {
            Ok(sum) => sums.push(sum),
            Err(why) => return Grade::none(GradeKind::Unreadable, why),
        }
    }
    let gold: Vec<bool> = item.choices.iter().map(|choice| item.gold.contains(choice)).collect();
    let per_byte: Vec<f64> =
        sums.iter().zip(&item.choices).map(|(sum, choice)| sum / choice.len() as f64).collect();
    let (by_sum, by_byte) = (credit(&sums, &gold), credit(&per_byte, &gold));
    let chosen = if is_per_byte { &per_byte } else { &sums };
    let first = (0..chosen.len()).reduce(|best, i| if chosen[i] > chosen[best] { i } else { best });
    let right = sums.iter().zip(&gold).filter(|(_, gold)| **gold).map(|(sum, _)| *sum);
    Grade {
        kind: GradeKind::Scored,
        credit: Some(if is_per_byte { by_byte } else { by_sum }),
        credit_per_byte: Some(by_byte),
        logprob: right.reduce(f64::max),
        extracted: first.map(|first| item.choices[first].clone()).unwrap_or_default(),
    }
}

/// The share of right choices among the choices with the highest value: 1 or 0, unless choices tie.
fn credit(values: &[f64], gold: &[bool]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let best: Vec<bool> =
        values.iter().zip(gold).filter(|(value, _)| **value == most).map(|(_, gold)| *gold).collect();
    best.iter().filter(|right| **right).count() as f64 / best.len().max(1) as f64
}

/// Log-probability in nats of the text after character `boundary` of an echoed prompt, without generated
/// tokens.
///
/// # Errors
/// Returns the reason why the log-probability cannot be computed.
fn continuation(tokens: Option<&[TokenLogprob]>, prompt: &str, boundary: usize) -> Result<f64, String> {
    let ours = tokens_behind(tokens, prompt, boundary)?;
    let known = |token: &TokenLogprob| {
        token.logprob.ok_or_else(|| "a token of the choice has no log-probability".to_owned())
    };
    ours.into_iter().map(known).sum()
}

/// The tokens of the text after character `boundary` of an echoed prompt.
///
/// # Errors
/// Returns the reason why these tokens cannot be located.
pub(crate) fn tokens_behind<'a>(
    tokens: Option<&'a [TokenLogprob]>,
    prompt: &str,
    boundary: usize,
) -> Result<Vec<&'a TokenLogprob>, String> {
    let tokens = tokens.filter(|tokens| !tokens.is_empty());
    let tokens = tokens
        .ok_or("the answer has no log-probabilities; the server may not support `echo` with `logprobs`")?;
    let offset = |token: &TokenLogprob| token.offset.and_then(|offset| usize::try_from(offset).ok());
    // Some servers count a special token before the prompt in their offsets. Other servers list this token
    // but do not count it.
    let first = &tokens[0];
    let special = tokens.len() > 1 && !first.token.is_empty() && !prompt.starts_with(&first.token);
    let shift =
        if special { offset(&tokens[1]).unwrap_or(0).saturating_sub(offset(first).unwrap_or(0)) } else { 0 };
    let start = offset(first).unwrap_or(0) + shift;
    let (from, to) = (start + boundary, start + prompt.chars().count());
    let begins = tokens.iter().any(|token| offset(token) == Some(from));
    if !begins {
        return Err(format!("no token begins at character {boundary}, where the choice begins"));
    }
    let ours: Vec<&TokenLogprob> =
        tokens.iter().filter(|token| offset(token).is_some_and(|o| (from..to).contains(&o))).collect();
    // If a token is only a part of a character, its text cannot be compared.
    let text: String = ours.iter().map(|token| token.token.as_str()).collect();
    let is_comparable = !text.contains('\u{fffd}') && !text.contains("bytes:") && !text.contains("token_id:");
    let expected: String = prompt.chars().skip(boundary).collect();
    if is_comparable && text.trim() != expected.trim() {
        return Err(format!("the server's offsets point to {text:?} instead of the choice {expected:?}"));
    }
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens with offsets as in vLLM, which counts from the first token on, even if it is a special token.
    fn tokens(list: &[(&str, Option<f64>)]) -> Vec<TokenLogprob> {
        let mut at = 0;
        let one = |(token, logprob): &(&str, Option<f64>)| {
            let offset = Some(at as u64);
            at += token.chars().count();
            TokenLogprob { token: (*token).into(), bytes: None, logprob: *logprob, top: vec![], offset }
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn the_sum_is_over_the_choice_alone() {
        let echoed = tokens(&[
            ("Café", None),
            (":", Some(-2.0)),
            (" New", Some(-0.5)),
            (" York", Some(-0.25)),
            (" is", Some(-9.0)),
        ]);
        assert_eq!(continuation(Some(&echoed), "Café: New York", 5), Ok(-0.75));
    }

    #[test]
    fn a_token_before_the_prompt_moves_the_offsets() {
        let echoed = tokens(&[("<s>", None), ("Q:", Some(-2.0)), (" A", Some(-0.5)), ("x", Some(-9.0))]);
        assert_eq!(continuation(Some(&echoed), "Q: A", 2), Ok(-0.5));
    }

    #[test]
    fn a_boundary_inside_a_token_is_refused() {
        let echoed = tokens(&[("Q", None), (": A", Some(-2.0)), ("x", Some(-9.0))]);
        assert!(continuation(Some(&echoed), "Q: A", 2).unwrap_err().contains("no token begins"));
        assert!(continuation(None, "Q: A", 2).is_err());
        assert!(continuation(Some(&tokens(&[("Q:", None), (" A", None)])), "Q: A", 2).is_err());
        let wrong = tokens(&[("Q:", None), (" B", Some(-1.0)), ("x", Some(-1.0))]);
        assert!(continuation(Some(&wrong), "Q: A", 2).unwrap_err().contains("point to"));
    }

    #[test]
    fn ties_share_the_credit() {
        assert_eq!(credit(&[-1.0, -2.0], &[true, false]), 1.0);
        assert_eq!(credit(&[-2.0, -1.0], &[true, false]), 0.0);
        assert_eq!(credit(&[-1.0, -1.0, -3.0], &[true, false, false]), 0.5);
    }
}
