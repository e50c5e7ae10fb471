//! `number`: the number that the answer states is the right one: in `\boxed{}`, after "answer" or `####`,
//! else the last number. Thousands separators, decimal commas, minus signs, fractions, percent, powers of ten
//! and units are read. Words ("twelve"), ranges, dates and times are not numbers.
//!
//! Numbers are equal up to a relative difference of 1e-9; `number:0.5` sets an absolute tolerance,
//! `number:1%` a relative one, and a column `tolerance` of the items that of each item. "45 %" is right for
//! 45, for 45 % and for 0.45.

mod preparation;
mod scan;
mod value;

pub(crate) use self::value::check_tolerance;
use self::value::{Tolerance, Value};
use crate::collect::grading::grade::Grade;
use crate::collect::grading::rules::stated;
use crate::collect::grading::{Argument, Asked, Rule};
use crate::collect::item::Item;

/// The number that the answer states is the right one.
#[derive(Debug, Clone, Copy)]
pub struct Number;

impl Rule for Number {
    fn name(&self) -> &'static str {
        "number"
    }

    fn about(&self) -> &'static str {
        "The number that the answer states, else its last number, is a right one within a tolerance"
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
            Some(gold) => {
                Err(format!("has the answer {gold:?}, which is not a number; the grader number needs one"))
            }
            None => Ok(()),
        }
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let given = match (&asked.item.tolerance, asked.argument) {
            (Some(text), _) | (None, Argument::Text(text)) => Some(text),
            _ => None,
        };
        let tolerance = given.and_then(|text| Tolerance::read(text).ok()).unwrap_or_default();
        let Some(stated) = read(asked.text, asked.is_complete) else {
            return asked.unreadable(format!("the answer {:?} states no number", asked.text));
        };
        let gold = asked.item.gold.iter().filter_map(|gold| of(gold));
        let is_right = { gold }.any(|gold| gold.equals(&stated, tolerance));
        asked.scored(is_right, stated.to_string())
    }
}

/// The number that a text is, with its unit if it has one.
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
        let found = scan::last(&preparation::without_latex(content));
        if found.is_some() {
            return found;
        }
    }
    if !is_complete {
        return None;
    }
    let text = preparation::without_latex(&text);
    let led = stated::led(&text).into_iter().rev().find_map(|said| {
        let sentence = first_sentence(said);
        // A computation ends with its result; "5 = 2 + 3" begins with it.
        let before = sentence.split('=').next().unwrap_or_default();
        let is_result = scan::only(before).is_some() && !before.contains(['+', '*', '/', '\u{d7}', '^']);
        if sentence.contains('=') && !is_result { scan::last(sentence) } else { scan::first(sentence) }
    });
    led.or_else(|| scan::last(&text))
}

/// A line up to the end of its first sentence; a mark inside a number ends none.
fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let end = [". ", "! ", "? ", "; ", "\u{3002}"].iter().filter_map(|end| line.find(end)).min();
    &line[..end.unwrap_or(line.len())]
}
