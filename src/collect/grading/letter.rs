//! Multiple choice by letter: the first letter of the answer, and the log-probability of the right letter
//! where the answer has log-probabilities.

use super::grade::{Grade, GradeKind};
use crate::collect::tasks::Item;
use crate::collect::tasks::choices::{letter, letter_index};
use crate::provider::{Answer, TokenLogprob};

/// Grades an answer that should be a letter.
pub(crate) fn grade(item: &Item, answer: &Answer, text: &str) -> Grade {
    let gold = item.gold.first().and_then(|gold| item.choices.iter().position(|choice| choice == gold));
    let chosen =
        first(text).and_then(|letter| letter_index(&letter.to_string())).filter(|i| *i < item.choices.len());
    match (gold, chosen) {
        (Some(gold), Some(chosen)) => Grade {
            logprob: answer.logprobs.as_ref().and_then(|tokens| logprob(tokens.first()?, letter(gold))),
            ..Grade::scored(f64::from(u8::from(chosen == gold)), letter(chosen).to_string())
        },
        _ => Grade::none(
            GradeKind::Unreadable,
            format!("the answer {text:?} does not begin with the letter of a choice"),
        ),
    }
}

/// The capital letter that a text begins with, alone or in brackets: `B`, ` (B)`, `B. because`, but not
/// `Because`.
pub(crate) fn first(text: &str) -> Option<char> {
    let text = text.trim_start();
    let mut rest = text.strip_prefix('(').unwrap_or(text).chars();
    let letter = rest.next().filter(char::is_ascii_uppercase)?;
    let next = rest.next();
    next.is_none_or(|next| !next.is_alphanumeric() && next != '_').then_some(letter)
}

/// Log-probability that the first token is a letter: the sum over its variants (`A`, ` A`, `(A`). `None` if
/// none of them is among the reported tokens: the probability is then only known to be small.
fn logprob(token: &TokenLogprob, gold: char) -> Option<f64> {
    let is_gold = |text: &str| text.trim().trim_start_matches('(').trim_end_matches(')') == gold.to_string();
    let share: f64 =
        token.top.iter().filter(|(text, _)| is_gold(text)).map(|(_, logprob)| logprob.exp()).sum();
    // The chosen token is not always among the most likely tokens.
    let own = token.logprob.filter(|_| is_gold(&token.token)).map_or(0.0, f64::exp);
    let share = share.max(own);
    (share > 0.0).then(|| share.min(1.0).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_stands_alone() {
        for (text, letter) in [
            ("B", Some('B')),
            (" (B) because", Some('B')),
            ("B. Paris", Some('B')),
            ("\nC\n", Some('C')),
            ("Because", None),
            ("b", None),
            ("The answer is B", None),
            ("", None),
        ] {
            assert_eq!(first(text), letter, "{text}");
        }
    }

    #[test]
    fn the_variants_of_a_letter_add_up() {
        let of = |top: &[(&str, f64)]| TokenLogprob {
            token: "A".into(),
            bytes: None,
            logprob: Some(0.5_f64.ln()),
            top: top.iter().map(|(token, p)| ((*token).into(), f64::ln(*p))).collect(),
            offset: None,
        };
        let close = |value: Option<f64>, p: f64| assert!((value.unwrap() - p.ln()).abs() < 1e-12);
        close(logprob(&of(&[("A", 0.5), (" A", 0.2), ("(A", 0.1), ("An", 0.1)]), 'A'), 0.8);
        close(logprob(&of(&[]), 'A'), 0.5);
        assert_eq!(logprob(&of(&[("A", 0.5), ("C", 0.2)]), 'B'), None);
    }
}
