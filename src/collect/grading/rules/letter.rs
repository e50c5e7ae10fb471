//! Rule `letter`: an answer is right if it begins with the capital letter of the right choice: alone, in
//! brackets or before a punctuation mark. If the answer has log-probabilities, the grade contains the
//! log-probability of the right letter.

use super::choice::letters::{self, Read};
use super::choice::suffixes;
use crate::collect::grading::grade::Grade;
use crate::collect::grading::plain::{ends, folding, markdown};
use crate::collect::grading::{Asked, QuestionForm, Rule};
use crate::provider::TokenLogprob;

/// The rule `letter`.
#[derive(Debug, Clone, Copy)]
pub struct Letter;

impl Rule for Letter {
    fn name(&self) -> &'static str {
        "letter"
    }

    fn about(&self) -> &'static str {
        "Right if the answer begins with the capital letter of the right choice"
    }

    fn question_form(&self) -> QuestionForm {
        QuestionForm::Letters
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let item = asked.item;
        let plain = markdown::strip(&suffixes::remove(&folding::fold(asked.text)));
        let mut text = plain.trim();
        while let Some(inner) = ends::surrounded(text) {
            text = inner;
        }
        let gold = item.choices.iter().position(|choice| item.gold.contains(choice));
        let chosen = match letters::leading(text, item.choices.len(), false) {
            Read::Letter(index) => Some(index),
            Read::None | Read::Several => None,
        };
        let (Some(gold), Some(chosen)) = (gold, chosen) else {
            let why = format!("the answer {:?} does not begin with the letter of a choice", asked.text);
            return asked.unreadable(why);
        };
        let tokens = asked.answers.first().and_then(|answer| answer.logprobs.as_ref());
        Grade {
            logprob: tokens.and_then(|tokens| letter_logprob(tokens.first()?, letter(gold))),
            ..asked.scored(item.gold.contains(&item.choices[chosen]), letter(chosen).to_string())
        }
    }
}

/// The letter of an index: A for 0, B for 1, ...
pub(crate) fn letter(index: usize) -> char {
    char::from(b'A' + u8::try_from(index.min(25)).unwrap_or(25))
}

/// The index of a letter: 0 for "A", 1 for "B", ...; `None` for any text other than one capital letter.
pub(crate) fn letter_index(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [byte @ b'A'..=b'Z'] => Some(usize::from(byte - b'A')),
        _ => None,
    }
}

/// Logarithm of the probability that the first token is a letter, summed over the variants of the letter
/// (`A`, ` A`, `(A`). `None` if no variant is among the listed tokens; the probability is then only known to
/// be small.
pub(crate) fn letter_logprob(token: &TokenLogprob, gold: char) -> Option<f64> {
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
    fn the_variants_of_a_letter_add_up() {
        let of = |top: &[(&str, f64)]| TokenLogprob {
            token: "A".into(),
            bytes: None,
            logprob: Some(0.5_f64.ln()),
            top: top.iter().map(|(token, p)| ((*token).into(), f64::ln(*p))).collect(),
            offset: None,
        };
        let close = |value: Option<f64>, p: f64| assert!((value.unwrap() - p.ln()).abs() < 1e-12);
        close(letter_logprob(&of(&[("A", 0.5), (" A", 0.2), ("(A", 0.1), ("An", 0.1)]), 'A'), 0.8);
        close(letter_logprob(&of(&[]), 'A'), 0.5);
        assert_eq!(letter_logprob(&of(&[("A", 0.5), ("C", 0.2)]), 'B'), None);
    }
}
