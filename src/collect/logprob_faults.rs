//! Checks, from one short answer, whether the log-probabilities of a server belong to the tokens that it
//! lists. Some servers do not echo the prompt, return 0 for every token, return numbers that are not
//! log-probabilities, or give each token the log-probability of the next or the previous position.

use crate::provider::{Answer, Outcome, TokenLogprob};

/// Minimum number of tokens with a log-probability in the answer to a probe whose prompt is scored. A server
/// that does not score the prompt returns at most one log-probability, which belongs to the generated token.
const FEWEST_ECHOED: usize = 2;
/// Probabilities of different tokens at one position sum to at most 1. Rounding does not explain a sum above
/// this value.
const LARGEST_SUM: f64 = 1.01;
/// A list of likely tokens fits a token if this token is the most likely in the list. The lists count as
/// shifted if the number of positions at which they fit the next token exceeds the number at which they fit
/// the present token by at least this value. Repetitive text alone can cause a difference of one or two
/// positions.
const SHIFTED_POSITIONS: usize = 3;

/// The log-probabilities count as delayed if at least this many positions list the previous token with the
/// log-probability that the present token has.
const OTHER_POSITIONS: usize = 2;

/// Minimum number of tokens for the check of equal log-probabilities. On a correct server, the
/// log-probabilities of this many tokens are never all equal.
const FEWEST_ALIKE: usize = 4;

const ELSEWHERE: &str = "use --grader letter, which needs no log-probabilities, or another server";

/// The reason why the log-probabilities of an echoed prompt cannot be used, if there is one.
pub(super) fn echo_fault(answer: &Answer, prompt: &str) -> Option<String> {
    let text = match &answer.outcome {
        Outcome::Answered { text } | Outcome::Truncated { text } => text.as_str(),
        Outcome::Empty => "",
        // Other outcomes do not show whether the log-probabilities have a fault.
        _ => return None,
    };
    let tokens = answer.logprobs.as_deref().unwrap_or_default();
    let listed: String = tokens.iter().map(|token| token.token.as_str()).collect();
    if answer.n_logprobs() < FEWEST_ECHOED {
        return Some(format!(
            "the server does not return the log-probabilities of a prompt (`echo` with `logprobs`), but \
             answers cannot be scored without them; {ELSEWHERE}"
        ));
    }
    if !covers(tokens, &listed, text, prompt) {
        return Some(format!(
            "the server ignores `echo`: it returns the log-probabilities of the generated text, not of the \
             prompt; {ELSEWHERE}"
        ));
    }
    let known: Vec<f64> = tokens.iter().filter_map(|token| token.logprob).collect();
    if known.iter().all(|value| *value == 0.0) {
        return Some(format!(
            "the server returns the log-probability 0 for every token, which is implausible; {ELSEWHERE}"
        ));
    }
    if known.len() >= FEWEST_ALIKE && known.iter().all(|value| *value == known[0]) {
        return Some(format!(
            "the server returns the log-probability {} for every token, which is implausible; {ELSEWHERE}",
            known[0]
        ));
    }
    if is_shifted(tokens, text, &listed) {
        return Some(format!(
            "the log-probabilities of the server are shifted by one token: its list of likely tokens at each \
             position belongs to the next position (llama-cpp-python does this for models whose tokenizer \
             adds no token at the start); {ELSEWHERE}"
        ));
    }
    if is_delayed(tokens, prompt) {
        return Some(format!(
            "the log-probabilities of the server are shifted by one token: each token has the \
             log-probability of the token before it; {ELSEWHERE}"
        ));
    }
    fault(answer)
}

/// Whether the list of tokens with log-probabilities contains the tokens of the prompt. An echoed text does
/// not suffice: some servers echo the text, but list only the generated tokens.
fn covers(tokens: &[TokenLogprob], listed: &str, text: &str, prompt: &str) -> bool {
    // Servers that list raw vocabulary tokens write a space as a special character.
    let plain = |text: &str| text.replace(['\u{120}', '\u{2581}', ' '], "");
    if plain(listed).contains(&plain(prompt)) {
        return true;
    }
    // Some servers list token ids instead of texts. A tokenizer produces at least one token per word.
    let is_text = |token: &TokenLogprob| !token.token.is_empty() && text.contains(&token.token);
    text.contains(prompt) && !tokens.iter().any(is_text) && tokens.len() >= prompt.split(' ').count()
}

/// Whether each token has the log-probability of the next position.
///
/// A server that shifts the lists has no entry for the generated token, so the text is longer than the listed
/// tokens. In this case, one shifted position suffices.
fn is_shifted(tokens: &[TokenLogprob], text: &str, listed: &str) -> bool {
    let best = |token: &TokenLogprob| {
        token.top.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(token, _)| token.clone())
    };
    let pairs = || tokens.windows(2).filter_map(|pair| Some((best(&pair[0])?, pair)));
    let now = pairs().filter(|(best, pair)| *best == pair[0].token).count();
    let next = pairs().filter(|(best, pair)| *best == pair[1].token && *best != pair[0].token).count();
    let is_uncovered = text.len() > listed.len() && text.starts_with(listed);
    // The first token has no context and thus no log-probability. If the first token has a log-probability
    // and the last token has none, the log-probabilities are shifted.
    let has_first = tokens.first().is_some_and(|token| token.logprob.is_some());
    let has_last = tokens.last().is_some_and(|token| token.logprob.is_some());
    if has_first && (is_uncovered || !has_last) {
        return true;
    }
    if is_uncovered { next > now } else { next >= now + SHIFTED_POSITIONS }
}

/// Whether each token has the log-probability of the previous position.
fn is_delayed(tokens: &[TokenLogprob], prompt: &str) -> bool {
    // Whether the list at position `at` contains `token` with the log-probability of that position.
    let has = |at: usize, token: &TokenLogprob| {
        let TokenLogprob { top, logprob: Some(logprob), .. } = &tokens[at] else { return false };
        top.iter().any(|(text, value)| *text == token.token && (value - logprob).abs() < 1e-9)
    };
    let n_own = (1..tokens.len()).filter(|at| has(*at, &tokens[*at])).count();
    let n_before = (1..tokens.len())
        .filter(|at| tokens[*at].token != tokens[at - 1].token && has(*at, &tokens[at - 1]))
        .count();
    // The first token of a text has no context and thus no log-probability. If the second token has none
    // either, the log-probabilities are delayed, unless the first token is a special token before the prompt.
    let is_late = tokens.len() > 2
        && prompt.starts_with(tokens[0].token.trim_start())
        && !tokens[0].token.trim().is_empty()
        && tokens[..2].iter().all(|token| token.logprob.is_none())
        && tokens[2..].iter().all(|token| token.logprob.is_some());
    is_late || n_own == 0 && n_before >= OTHER_POSITIONS
}

/// Whether an answer whose log-probabilities were requested has none.
pub(super) fn are_missing(answer: &Answer) -> bool {
    matches!(answer.outcome, Outcome::Answered { .. } | Outcome::Truncated { .. }) && answer.n_logprobs() == 0
}

/// The reason why the returned numbers cannot be log-probabilities, if there is one.
pub(super) fn fault(answer: &Answer) -> Option<String> {
    let tokens = answer.logprobs.as_deref().unwrap_or_default();
    let sum = |token: &TokenLogprob| token.top.iter().map(|(_, value)| value.exp()).sum::<f64>();
    let largest = tokens.iter().map(sum).fold(0.0, f64::max);
    if largest > LARGEST_SUM {
        return Some(format!(
            "the server returns numbers that are not log-probabilities: the probabilities of the tokens that \
             it lists at one position sum to {largest:.2}; omit --logprobs, and {ELSEWHERE}"
        ));
    }
    let highest = tokens.iter().filter_map(|token| token.logprob).fold(f64::NEG_INFINITY, f64::max);
    (highest > LARGEST_SUM.ln()).then(|| {
        format!(
            "the server returns numbers that are not log-probabilities: one of them is {highest}, but a \
             log-probability is at most 0; omit --logprobs, and {ELSEWHERE}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entry<'a> = (&'a str, Option<f64>, &'a [(&'a str, f64)]);

    fn answer(text: &str, tokens: &[Entry<'_>]) -> Answer {
        let token = |(token, logprob, top): &Entry<'_>| TokenLogprob {
            token: (*token).into(),
            bytes: None,
            logprob: *logprob,
            top: top.iter().map(|(token, value)| ((*token).to_owned(), *value)).collect(),
            offset: None,
        };
        let logprobs = Some(tokens.iter().map(token).collect());
        Answer { logprobs, ..Answer::of(Outcome::Truncated { text: text.into() }) }
    }

    #[test]
    fn an_echo_is_used_only_if_its_numbers_belong_to_its_tokens() {
        let says = |answer: &Answer| echo_fault(answer, "a b c d").unwrap_or_default();
        let good = answer(
            "a b c d e",
            &[
                ("a", None, &[]),
                (" b", Some(-1.0), &[(" x", -0.6), (" b", -1.0)]),
                (" c", Some(-0.2), &[(" c", -0.2)]),
                (" d", Some(-2.0), &[(" d", -0.5)]),
                (" e", Some(-0.5), &[(" e", -0.5)]),
            ],
        );
        assert_eq!(says(&good), "");
        // Every list belongs to the next token, and the generated token has no entry.
        let shifted = answer(
            "a b c d e",
            &[
                ("a", None, &[]),
                (" b", Some(-9.0), &[(" c", -0.2)]),
                (" c", Some(-9.0), &[(" d", -0.5)]),
                (" d", Some(-9.0), &[(" e", -0.5)]),
            ],
        );
        assert!(says(&shifted).contains("shifted by one token"));
        // Every log-probability and list belongs to the previous token.
        let delayed = answer(
            "a b c d e",
            &[
                ("a", None, &[]),
                (" b", Some(-3.0), &[("a", -3.0), (" x", -0.6)]),
                (" c", Some(-1.0), &[(" b", -1.0), (" x", -0.6)]),
                (" d", Some(-0.2), &[(" c", -0.2)]),
                (" e", Some(-2.0), &[(" y", -0.5), (" d", -2.0)]),
            ],
        );
        assert!(says(&delayed).contains("of the token before it"), "{}", says(&delayed));
        let n = |token, value| (token, value, &[] as &[(&str, f64)]);
        let late =
            [n("a", None), n(" b", None), n(" c", Some(-1.0)), n(" d", Some(-2.0)), n(" e", Some(-0.1))];
        assert!(says(&answer("a b c d e", &late)).contains("of the token before it"));
        let with_start = [&[n("<s>", None)], &late[..1], &[n(" b", Some(-1.5))], &late[2..]].concat();
        assert_eq!(says(&answer("<s>a b c d e", &with_start)), "");
        let alike = answer("a b c d", &[("a b", Some(0.0), &[]), (" c d", Some(0.0), &[])]);
        assert!(says(&alike).contains("log-probability 0 for every token"));
        for value in [-1.0, -9999.0, -1e-7] {
            let one = |token| (token, Some(value), &[] as &[(&str, f64)]);
            let same = answer("a b c d e", &[("a", None, &[]), one(" b"), one(" c"), one(" d"), one(" e")]);
            assert!(says(&same).contains("for every token"), "{value}");
        }
        // Without lists of likely tokens, a shift is detected if the first token has a log-probability and
        // the generated token has no entry.
        let rows = [n("a", Some(-3.0)), n(" b", Some(-1.0)), n(" c", Some(-2.0)), n(" d", Some(-0.5))];
        assert!(says(&answer("a b c d e", &rows)).contains("shifted"));
        assert_eq!(says(&answer("a b c d", &rows)), "", "a server that puts a token before the prompt");
        let last = [&rows[..], &[n(" e", None)]].concat();
        assert!(says(&answer("a b c d e", &last)).contains("shifted"));
        // The text is echoed, but the log-probabilities belong to the generated tokens.
        let echoed = answer("a b c d e f", &[n(" e", Some(-1.0)), n(" f", Some(-2.0))]);
        assert!(says(&echoed).contains("ignores `echo`"));
        let generated = answer(" e f", &[(" e", Some(-1.0), &[]), (" f", Some(-2.0), &[])]);
        assert!(says(&generated).contains("ignores `echo`"));
        assert!(says(&answer(" e", &[(" e", Some(-1.0), &[])])).contains("does not return"));
        assert!(says(&answer("", &[])).contains("does not return"));
    }

    #[test]
    fn numbers_that_are_no_log_probabilities_are_refused() {
        let one = |logprob, top: &[(&str, f64)]| fault(&answer("x", &[("x", Some(logprob), top)]));
        assert_eq!(one(-0.1, &[("x", -0.1), ("y", -3.0)]), None);
        assert_eq!(one(0.0, &[("x", 0.0)]), None, "a certain token");
        assert!(one(0.0, &[("x", 0.0), ("y", 0.0), ("z", 0.0)]).is_some_and(|why| why.contains("3.00")));
        assert!(one(0.7, &[]).is_some_and(|why| why.contains("0.7")));
        assert!(are_missing(&Answer::of(Outcome::Answered { text: "yes".into() })));
    }
}
