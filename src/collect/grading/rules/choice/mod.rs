//! Rule `choice`: an answer is right if it names the right choice by its letter or its text: `B`, `(B)`,
//! `b.`, `**B**`, `\boxed{B}`, `B) blood`, "Answer: B", "The answer is B.", "答案：B", `{"answer": "B"}`. The
//! article A, the pronoun I and denied letters ("not A") do not count. An answer that names two letters is
//! unreadable.

pub(super) mod letters;
mod named;
mod rivals;
mod statement;
pub(super) mod suffixes;
mod words;

use self::letters::Read;
use super::letter::{letter, letter_index};
use crate::collect::grading::grade::Grade;
use crate::collect::grading::normalisation::Normalisation;
use crate::collect::grading::plain::{ends, folding, markdown};
use crate::collect::grading::rules::stated;
use crate::collect::grading::{Asked, QuestionForm, Rule};
use crate::collect::item::Item;

/// Number of possible letters if an item has no `choices`.
const MOST_CHOICES: usize = 26;

/// The rule `choice`.
#[derive(Debug, Clone, Copy)]
pub struct Choice;

impl Rule for Choice {
    fn name(&self) -> &'static str {
        "choice"
    }

    fn about(&self) -> &'static str {
        "Right if the answer names the right choice by its letter or text, anywhere in the answer"
    }

    fn question_form(&self) -> QuestionForm {
        QuestionForm::Letters
    }

    fn check(&self, item: &Item) -> Result<(), String> {
        match item.gold.iter().find(|gold| item.choices.is_empty() && gold_letter(gold).is_none()) {
            Some(gold) => Err(format!(
                "has the answer {gold:?}, which is not a letter; the grader choice needs `choices`, or an \
                 answer that is the letter of a choice in the prompt"
            )),
            None => Ok(()),
        }
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let item = asked.item;
        let folded = folding::fold(asked.text);
        let folded = suffixes::remove(&folded);
        let choices = Choices { texts: &item.choices, normal: asked.normalisation };
        let chosen = match choices.read(&folded, asked.is_complete) {
            Read::Letter(index) => index,
            Read::Several => {
                return asked.unreadable(format!("the answer {:?} names several letters", asked.text));
            }
            Read::None => return asked.unreadable(format!("the answer {:?} names no choice", asked.text)),
        };
        let is_right = match item.choices.get(chosen) {
            Some(choice) => item.gold.contains(choice),
            None => item.gold.iter().any(|gold| gold_letter(gold) == Some(chosen)),
        };
        let tokens = asked.answers.first().and_then(|answer| answer.logprobs.as_ref());
        let gold = item.choices.iter().position(|choice| item.gold.contains(choice));
        Grade {
            logprob: tokens.and_then(|tokens| super::letter::letter_logprob(tokens.first()?, letter(gold?))),
            ..asked.scored(is_right, letter(chosen).to_string())
        }
    }
}

/// The index of the letter, if a right answer is a letter: `B`, `b`, `(B)`, `B.`.
fn gold_letter(gold: &str) -> Option<usize> {
    let bare = gold.trim().trim_matches(['(', ')', '[', ']', '.', ':']).to_ascii_uppercase();
    letter_index(&bare)
}

/// The choices of an item.
struct Choices<'a> {
    texts: &'a [String],
    normal: Normalisation,
}

impl Choices<'_> {
    fn n(&self) -> usize {
        if self.texts.is_empty() { MOST_CHOICES } else { self.texts.len() }
    }

    /// The choice that an answer names. Kinds of statements are tried from the most to the least explicit;
    /// the first kind that names a letter decides.
    fn read(&self, folded: &str, is_complete: bool) -> Read {
        let boxes = stated::boxed(folded).into_iter().map(|inner| self.stated(inner));
        let boxed = boxes.fold(Read::None, Read::and);
        if boxed != Read::None {
            return boxed;
        }
        let in_json = stated::in_json(folded);
        let marked = [stated::tagged(folded), in_json.as_deref(), stated::hashed(folded)];
        for content in marked.into_iter().flatten() {
            let read = self.stated(content);
            if read != Read::None {
                return read;
            }
        }
        let plain = markdown::strip(folded);
        let text = plain.trim();
        if !is_complete {
            // In a truncated text, another letter might follow, so only a letter at the beginning counts.
            return letters::leading(unwrapped(text), self.n(), true);
        }
        for said in stated::led(text).into_iter().rev() {
            let read = self.said(said);
            if read != Read::None {
                return read;
            }
        }
        let first = || text.lines().next().unwrap_or_default();
        let last = || text.lines().next_back().unwrap_or_default();
        self.by_text(text)
            .or(|| named::chosen(text, self.n()))
            .or(|| letters::leading(unwrapped(text), self.n(), true))
            .or(|| self.by_lettered_text(text))
            .or(|| letters::emphasised(folded, self.n()))
            .or(|| letters::only(text, self.n()))
            .or(|| self.by_text(first()).and(self.by_text(last())))
            .or(|| named::small(text, self.n()))
    }

    /// The choice that a short statement names.
    fn stated(&self, content: &str) -> Read {
        let plain = markdown::strip(content);
        let text = unwrapped(plain.trim());
        self.by_text(text)
            .or(|| letters::leading(text, self.n(), true))
            .or(|| letters::all(text, self.n()))
            .or(|| self.by_text(text.lines().next_back().unwrap_or_default()))
    }

    /// The choice that follows a word for "answer".
    fn said(&self, said: &str) -> Read {
        // "the best answer because A is ..." does not state an answer.
        let begins = said.trim_start_matches([' ', ',', ';', '-', '(']);
        if words::REASONS.contains(&words::word(begins).as_str()) {
            return Read::None;
        }
        let rest = statement::without_link(said);
        self.by_text(rest)
            .or(|| letters::leading(unwrapped(rest), self.n(), true))
            .or(|| self.by_text(statement::sentence(rest)))
            .or(|| self.by_lettered_text(statement::sentence(rest)))
            .or(|| letters::all(statement::sentence(rest), self.n()))
    }

    /// The only choice that a text contains, among the choices whose text has a letter as a separate word:
    /// "hepatitis B".
    fn by_lettered_text(&self, text: &str) -> Read {
        let lower = text.to_lowercase();
        let stands = |choice: &str| {
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            lower.match_indices(choice).any(|(at, found)| {
                let (before, behind) = (&lower[..at], &lower[at + found.len()..]);
                !is_word(before.chars().next_back()) && !is_word(behind.chars().next())
            })
        };
        let has_letter = |choice: &str| choice.len() > 1 && letters::all(choice, MOST_CHOICES) != Read::None;
        let found = self.texts.iter().enumerate().filter(|(_, choice)| has_letter(choice));
        let found = found.filter(|(_, choice)| stands(&self.normal.apply(choice).to_lowercase()));
        found.map(|(index, _)| Read::Letter(index)).fold(Read::None, Read::and)
    }

    /// The choice with this text, ignoring case.
    fn by_text(&self, text: &str) -> Read {
        if self.texts.is_empty() {
            return Read::None;
        }
        let normal = |text: &str| self.normal.apply(text).to_lowercase();
        let text = normal(text);
        // A single letter is not compared with the texts of the choices, because it is read as the letter of
        // a choice.
        if text.is_empty() || text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Read::None;
        }
        let same: Vec<usize> = (0..self.texts.len()).filter(|i| normal(&self.texts[*i]) == text).collect();
        match same.as_slice() {
            [index] => Read::Letter(*index),
            _ => Read::None,
        }
    }
}

/// Removes quotes, LaTeX, tags, symbols and a list number around a text.
fn unwrapped(mut text: &str) -> &str {
    while let Some(inner) = ends::surrounded(text) {
        text = inner;
    }
    // Symbols such as ticks and pointing hands.
    let is_symbol =
        |c: char| c > '\u{2100}' && !c.is_alphanumeric() && !('\u{3000}'..'\u{3020}').contains(&c);
    let text = text.trim_start_matches(is_symbol).trim_start();
    let text = text.trim_start_matches(['"', '\'', '*', '$', ':', '\u{2192}']).trim();
    // An item of a list may begin with its number.
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered =
        rest.strip_prefix(['.', ')']).filter(|rest| rest.starts_with(' ') && rest.len() < text.len());
    numbered.map_or(text, str::trim_start)
}
