//! Rule `number`: an answer is right if the number that it states equals a right answer. The rule searches
//! for the stated number in `\boxed{}`, after `####`, directly after "the answer is", before "is the answer",
//! alone on the first line, and at the beginning of an equation that computes it. If it finds none, it takes
//! the last number. It reads thousands separators, decimal commas, minus signs, fractions, percentages,
//! powers of ten and units. Words ("twelve"), ranges, dates and times do not count as numbers. An answer is
//! unreadable if its number is part of a root, of a multiple of π or of a pair. If no right answer of an item
//! is a number, all answers to the item are unreadable.
//!
//! By default, numbers are equal up to a relative difference of 1e-9. `number:0.5` sets an absolute
//! tolerance, `number:1%` a relative one. A column `tolerance` sets the tolerance of each item. "45 %" is
//! right for 45, for 45 % and for 0.45.

mod fractions;
mod preparation;
mod said;
mod scan;
mod surroundings;
mod value;

pub(crate) use self::value::check_tolerance;
use self::value::{Tolerance, Value};
use crate::collect::grading::grade::Grade;
use crate::collect::grading::rules::stated;
use crate::collect::grading::{Argument, Asked, Rule};
use crate::collect::item::Item;

/// The rule `number`.
#[derive(Debug, Clone, Copy)]
pub struct Number;

impl Rule for Number {
    fn name(&self) -> &'static str {
        "number"
    }

    fn about(&self) -> &'static str {
        "Right if the number that the text gives as its result (or else its last number) equals a right \
         answer within a tolerance"
    }

    fn argument_form(&self) -> Option<&'static str> {
        Some("[:TOLERANCE]")
    }

    fn argument(&self, text: Option<&str>) -> Result<Argument, String> {
        let Some(text) = text else { return Ok(Argument::None) };
        Tolerance::read(text).map(|_| Argument::Text(text.trim().to_owned()))
    }

    fn check(&self, item: &Item) -> Result<(), String> {
        match item.gold.iter().find(|gold| of(gold).is_none()) {
            Some(gold) => Err(format!(
                "has the answer {gold:?}, which is not a number; the grader number needs numeric answers"
            )),
            None => Ok(()),
        }
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let given = match (&asked.item.tolerance, asked.argument) {
            (Some(text), _) | (None, Argument::Text(text)) => Some(text),
            _ => None,
        };
        let tolerance = given.and_then(|text| Tolerance::read(text).ok()).unwrap_or_default();
        if asked.item.gold.iter().all(|gold| of(gold).is_none()) {
            return asked.unreadable("no right answer is a number");
        }
        let Some(stated) = read(asked.text, asked.is_complete) else {
            return asked.unreadable(format!("the answer {:?} states no number", asked.text));
        };
        let gold = asked.item.gold.iter().filter_map(|gold| of(gold));
        let is_right = { gold }.any(|gold| gold.equals(&stated, tolerance));
        asked.scored(is_right, stated.to_string())
    }
}

/// The number in a text that consists of one number, with or without a unit.
fn of(text: &str) -> Option<Value> {
    scan::only(&preparation::without_latex(&preparation::prepare(text)))
}

/// Whether two texts are the same number.
pub(super) fn is_same(right: &str, other: &str) -> bool {
    of(right).zip(of(other)).is_some_and(|(right, other)| right.equals(&other, Tolerance::default()))
}

/// The number that an answer states.
fn read(text: &str, is_complete: bool) -> Option<Value> {
    let text = preparation::prepare(text);
    let boxed = stated::boxed(&text).pop().map(str::to_owned);
    let marked =
        boxed.or_else(|| stated::tagged(&text).map(str::to_owned)).or_else(|| stated::in_json(&text));
    if let Some(content) = marked.as_deref().or_else(|| stated::hashed(&text).filter(|_| is_complete)) {
        let content = preparation::without_latex(content);
        let found = scan::last(&content);
        // A root or a pair of numbers is also a stated answer, but cannot be read.
        if found.is_some() || content.contains(|c: char| c.is_ascii_digit()) {
            return found;
        }
    }
    if !is_complete {
        return None;
    }
    let text = preparation::without_latex(&text);
    said::stated_number(&text)
        .or_else(|| alone(&text))
        .or_else(|| said::equated(&text))
        .or_else(|| scan::last(&text))
}

/// The number that is alone on the first line of a text, if the other lines explain it.
fn alone(text: &str) -> Option<Value> {
    let (first, rest) = text.trim().split_once('\n')?;
    let is_bare = !first.contains(char::is_alphabetic) && !first.contains('=');
    let explains = rest.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '(');
    if is_bare && explains { scan::only(first.trim().trim_end_matches(['.', ':', '!'])) } else { None }
}
