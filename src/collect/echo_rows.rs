//! Checks whether the log-probabilities of the first scored prompts depend on the prompts. Some servers
//! return the same log-probabilities for every prompt, or 0 for the last token of every prompt, so all
//! choices of a question tie. Other servers give each token the log-probability of an adjacent token. Two
//! prompts with a common beginning reveal this shift.

use crate::provider::{Answer, TokenLogprob};

/// Number of scored items that are needed before a fault is reported.
const FEWEST_ITEMS: usize = 5;
/// Least number of positions at which prompts must differ from the first prompt before a fault is reported.
/// On a correct server, the log-probabilities at some of these positions differ, too.
const FEWEST_POSITIONS: usize = 10;

/// The log-probabilities of the first scored prompts of a run.
#[derive(Default)]
pub(super) struct EchoRows {
    /// Tokens and log-probabilities of the first prompt.
    first: Vec<(String, Option<f64>)>,
    n_items: usize,
    n_tied: usize,
    /// Number of positions at which the token of a prompt differs from the token of the first prompt.
    n_different: usize,
    /// Number of positions at which the tokens of a prompt and of the first prompt differ, but their
    /// log-probabilities are the same.
    n_same: usize,
    n_prompts: usize,
    /// Number of prompts whose last token has log-probability 0.
    n_certain: usize,
    pairs: Pairs,
}

/// Pairs of prompts with a common beginning. The log-probability of the first differing token depends on that
/// token; the log-probability of the token before it does not.
#[derive(Default)]
struct Pairs {
    /// Number of pairs.
    n: usize,
    /// Number of pairs with equal log-probabilities at the first differing token. Such a log-probability
    /// belongs to the previous token.
    n_late: usize,
    /// Number of pairs with different log-probabilities at the token before the first differing token. Such
    /// log-probabilities belong to the next token.
    n_early: usize,
}

impl Pairs {
    /// Largest difference of log-probabilities that count as equal. A server that processes prompts in
    /// batches may round equal log-probabilities differently.
    const SAME: f64 = 1e-3;
    /// Smallest difference of log-probabilities that count as different.
    const DIFFERENT: f64 = 0.1;

    fn add(&mut self, a: &[TokenLogprob], b: &[TokenLogprob]) {
        let differs = |at: &usize| a[*at].token != b[*at].token;
        let Some(at) = (0..a.len().min(b.len())).find(differs).filter(|at| *at > 1) else { return };
        let apart = |at: usize| Some((a[at].logprob? - b[at].logprob?).abs());
        let (Some(now), Some(before)) = (apart(at), apart(at - 1)) else { return };
        self.n += 1;
        self.n_late += usize::from(now < Self::SAME);
        self.n_early += usize::from(before > Self::DIFFERENT);
    }

    /// Whether the server gives each token the log-probability of an adjacent token.
    fn are_shifted(&self) -> bool {
        self.n >= FEWEST_ITEMS && (self.n_late == self.n || self.n_early == self.n)
    }
}

impl EchoRows {
    /// Adds the answers to the prompts of an item. `is_tied` states whether all choices of the item have the
    /// same log-probability.
    pub(super) fn add(&mut self, answers: &[Answer], is_tied: bool) {
        self.n_items += 1;
        self.n_tied += usize::from(is_tied);
        if let [first, second, ..] = answers
            && let (Some(first), Some(second)) = (&first.logprobs, &second.logprobs)
        {
            self.pairs.add(first, second);
        }
        for answer in answers {
            let tokens = answer.logprobs.as_deref().unwrap_or_default();
            // The last entry is the generated token, so the entry before it is the last token of the prompt.
            let last = tokens.len().checked_sub(2).and_then(|last| tokens[last].logprob);
            self.n_prompts += 1;
            self.n_certain += usize::from(last == Some(0.0));
            let row = || tokens.iter().map(|token| (token.token.clone(), token.logprob));
            if self.first.is_empty() {
                self.first = row().collect();
                continue;
            }
            for ((token, value), (other, known)) in row().zip(&self.first) {
                if let (Some(value), Some(known)) = (value, known)
                    && token != *other
                {
                    self.n_different += 1;
                    self.n_same += usize::from(value == *known);
                }
            }
        }
    }

    /// Describes the fault of the log-probabilities; `None` if there is no fault, or too few items to detect
    /// a fault.
    pub(super) fn finding(&self) -> Option<String> {
        if self.n_items < FEWEST_ITEMS {
            return None;
        }
        let what = if self.n_tied == self.n_items {
            format!(
                "the log-probabilities are the same for all choices of each of the first {} questions",
                self.n_items
            )
        } else if self.n_different >= FEWEST_POSITIONS && self.n_same == self.n_different {
            "the server returns the same log-probabilities for every prompt".to_owned()
        } else if self.n_prompts >= FEWEST_POSITIONS && self.n_certain == self.n_prompts {
            "the server returns the log-probability 0 for the last token of every prompt".to_owned()
        } else if self.pairs.are_shifted() {
            "the log-probabilities of the server are shifted by one token: each belongs to the token before \
             or after it"
                .to_owned()
        } else {
            return None;
        };
        Some(format!(
            "{what}, so they cannot rank choices; use --grader letter, which needs no log-probabilities, or \
             another server"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Outcome, TokenLogprob};

    fn answer(texts: &[&str], value: impl Fn(&str, usize) -> f64) -> Answer {
        let token = |(i, text): (usize, &&str)| TokenLogprob {
            token: (*text).into(),
            bytes: None,
            logprob: (i > 0).then(|| value(text, i)),
            top: vec![],
            offset: None,
        };
        let logprobs = Some(texts.iter().enumerate().map(token).collect());
        Answer { logprobs, ..Answer::of(Outcome::Empty) }
    }

    #[test]
    fn numbers_that_do_not_depend_on_the_prompt_are_found_and_others_are_not() {
        let words = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff"];
        let finding = |value: &dyn Fn(&str, usize) -> f64, n: usize, is_tied: bool| {
            let mut rows = EchoRows::default();
            for word in &words[..n] {
                let answers = words.map(|choice| answer(&["Is", " it", word, choice], value));
                rows.add(&answers, is_tied);
            }
            rows.finding().unwrap_or_default()
        };
        let real = |text: &str, i: usize| -(text.len() as f64) - i as f64;
        assert_eq!(finding(&real, 6, false), "");
        let by_place = |_: &str, i: usize| -(i as f64);
        assert!(finding(&by_place, 6, false).contains("the same log-probabilities for every prompt"));
        assert_eq!(finding(&by_place, 4, false), "", "too few items");
        let certain = |text: &str, i: usize| if i == 2 { 0.0 } else { real(text, i) };
        assert!(finding(&certain, 5, false).contains("0 for the last token of every prompt"));
        assert!(finding(&real, 5, true).contains("all choices of each of the first 5 questions"));
    }

    #[test]
    fn numbers_of_a_neighbour_are_found_by_two_prompts_that_begin_alike() {
        // The log-probability of a token depends on all tokens up to and including it.
        let truth = |texts: &[&str], upto: usize| -> f64 {
            -texts[..=upto].iter().enumerate().map(|(i, text)| (text.len() * (i + 3) % 7) as f64).sum::<f64>()
        };
        let finding = |shift: isize| {
            let mut rows = EchoRows::default();
            for word in ["a", "bb", "ccc", "dddd", "eeeee"] {
                let texts = ["red", "crimson"].map(|choice| ["Is", " it", word, choice, "."]);
                let answers = texts.map(|texts| {
                    answer(&texts, |_, i| {
                        let at = (i as isize + shift).clamp(0, texts.len() as isize - 1);
                        truth(&texts, at as usize)
                    })
                });
                rows.add(&answers, false);
            }
            rows.finding().unwrap_or_default()
        };
        assert_eq!(finding(0), "");
        assert!(finding(1).contains("shifted by one token"), "{}", finding(1));
        assert!(finding(-1).contains("shifted by one token"), "{}", finding(-1));
    }
}
