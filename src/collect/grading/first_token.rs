//! Reads the log-probability of the first token of an answer. It is exact if the server echoes a prompt with
//! the answer appended. Otherwise, it is known only if the server lists the token among the most likely
//! tokens. The tokenizer of the server need not be known.

use super::rules::logprob::tokens_behind;
use crate::provider::{Answer, Outcome, TokenLogprob};

/// The first token of a text after a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstToken {
    /// Text of the token as the server returns it.
    pub text: String,
    /// Log-probability in nats.
    pub logprob_nats: f64,
    /// Whether no token is more likely; `None` if the server lists no other tokens at this position.
    pub is_top: Option<bool>,
}

impl FirstToken {
    /// Reads the first token after character `boundary` of an echoed prompt. Returns `Ok(None)` if there is
    /// no answer.
    ///
    /// # Errors
    /// Returns the reason why the answer of the server does not determine the token.
    pub fn echoed(answer: &Answer, prompt: &str, boundary: usize) -> Result<Option<Self>, String> {
        // The token limit truncates every answer, but only the echoed prompt matters.
        if !matches!(answer.outcome, Outcome::Answered { .. } | Outcome::Truncated { .. } | Outcome::Empty) {
            return Ok(None);
        }
        let tokens = tokens_behind(answer.logprobs.as_deref(), prompt, boundary)?;
        let token = tokens.first().ok_or("the answer has no token")?;
        let logprob_nats = token.logprob.ok_or("the first token of the answer has no log-probability")?;
        let most = token.top.iter().map(|(_, logprob)| *logprob).reduce(f64::max);
        let is_top = most.map(|most| logprob_nats >= most);
        Ok(Some(Self { text: token.token.clone(), logprob_nats, is_top }))
    }
}

/// The first token of a generated answer that is not white space, with the most likely tokens at its
/// position.
pub fn first_visible(answer: &Answer) -> Option<&TokenLogprob> {
    answer.logprobs.as_deref()?.iter().find(|token| !token.token.trim().is_empty())
}

/// Whether a token begins an answer: the token is a prefix of the answer, or begins with the whole answer.
pub fn begins(token: &str, answer: &str, ignore_case: bool) -> bool {
    if ignore_case {
        return begins(&token.to_lowercase(), &answer.to_lowercase(), false);
    }
    let token = token.trim_start();
    let ends_behind = |rest: &str| rest.chars().next().is_none_or(|next| !next.is_alphanumeric());
    !token.is_empty() && (answer.starts_with(token) || token.strip_prefix(answer).is_some_and(ends_behind))
}

/// Logarithm of the total probability of the listed tokens that begin an answer (`Par`, ` Paris`, `Paris,`),
/// in nats. `None` if no listed token begins the answer; the probability is then only known to be small.
pub fn listed_logprob(token: &TokenLogprob, answer: &str, ignore_case: bool) -> Option<f64> {
    let listed = token.top.iter().filter(|(text, _)| begins(text, answer, ignore_case));
    let share: f64 = listed.map(|(_, logprob)| logprob.exp()).sum();
    // The chosen token is not always among the most likely tokens.
    let own = token.logprob.filter(|_| begins(&token.token, answer, ignore_case)).map_or(0.0, f64::exp);
    let share = share.max(own);
    (share > 0.0).then(|| share.min(1.0).ln())
}

/// The most likely token at the position of a generated token.
pub fn most_likely(token: &TokenLogprob) -> &str {
    let own = (token.token.as_str(), token.logprob.unwrap_or(f64::NEG_INFINITY));
    let listed = token.top.iter().map(|(text, logprob)| (text.as_str(), *logprob));
    listed.fold(own, |best, other| if other.1 > best.1 { other } else { best }).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, logprob: f64, top: &[(&str, f64)]) -> TokenLogprob {
        let top = top.iter().map(|(text, p)| ((*text).into(), f64::ln(*p))).collect();
        TokenLogprob { token: text.into(), bytes: None, logprob: Some(logprob), top, offset: None }
    }

    /// A token, its log-probability, and the most likely tokens at its position with their probabilities.
    type Token<'a> = (&'a str, f64, &'a [(&'a str, f64)]);

    fn answer(outcome: Outcome, tokens: &[Token]) -> Answer {
        let mut at = 0;
        let mut one = |(text, logprob, top): &Token| {
            let offset = Some(at as u64);
            at += text.chars().count();
            TokenLogprob { offset, ..token(text, *logprob, top) }
        };
        let logprobs = Some(tokens.iter().map(&mut one).collect());
        Answer { logprobs, ..Answer::of(outcome) }
    }

    #[test]
    fn an_echo_shows_the_first_token_of_an_answer_and_whether_it_is_the_most_likely() {
        let echoed = |logprob: f64| {
            let cut = Outcome::Truncated { text: "Peru -> Lima,".into() };
            answer(
                cut,
                &[
                    ("Peru", 0.0, &[]),
                    (" ->", -1.0, &[]),
                    (" Li", logprob, &[(" The", 0.3)]),
                    ("ma", -0.1, &[]),
                ],
            )
        };
        let first = FirstToken::echoed(&echoed(-0.5), "Peru -> Lima", 7).unwrap().unwrap();
        assert_eq!((first.text.as_str(), first.logprob_nats, first.is_top), (" Li", -0.5, Some(true)));
        let less = FirstToken::echoed(&echoed(-1.5), "Peru -> Lima", 7).unwrap().unwrap();
        assert_eq!(less.is_top, Some(false));
        // The first token is unknown if the boundary is inside a token, or the answer is missing or has no
        // log-probabilities.
        assert!(FirstToken::echoed(&echoed(-0.5), "Peru -> Lima", 6).is_err());
        assert!(FirstToken::echoed(&Answer::of(Outcome::Empty), "Peru -> Lima", 7).is_err());
        let refused = Outcome::Refused { text: String::new() };
        assert_eq!(FirstToken::echoed(&Answer::of(refused), "Peru -> Lima", 7), Ok(None));
    }

    #[test]
    fn a_token_begins_an_answer_as_a_part_or_as_the_whole_of_it() {
        for right in ["P", " Par", "Paris", " Paris.", "Paris,"] {
            assert!(begins(right, "Paris", false), "{right}");
        }
        for wrong in ["", " ", "Parisian", "paris", "aris", " The"] {
            assert!(!begins(wrong, "Paris", false), "{wrong}");
        }
        assert!(begins("paris", "Paris", true) && !begins("aris", "Paris", true));
    }

    #[test]
    fn listed_tokens_that_begin_an_answer_add_up() {
        let list: &[(&str, f64)] = &[(" Paris", 0.5), ("Par", 0.2), (" Lyon", 0.1)];
        let one = token(" Paris", 0.5_f64.ln(), list);
        assert!((listed_logprob(&one, "Paris", false).unwrap() - 0.7_f64.ln()).abs() < 1e-12);
        assert_eq!(listed_logprob(&one, "Rome", false), None);
        assert_eq!(most_likely(&one), " Paris");
        assert_eq!(most_likely(&token("x", 0.1_f64.ln(), list)), " Paris");
        assert_eq!(most_likely(&token("x", -0.1, &[])), "x");
        let blank = answer(Outcome::Empty, &[("\n", -0.1, &[]), ("Paris", -0.2, &[])]);
        assert_eq!(first_visible(&blank).unwrap().token, "Paris");
    }
}
