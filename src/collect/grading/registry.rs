//! Lists the rules by which answers can be graded.

use super::Rule;
use super::rules::choice::Choice;
use super::rules::contains::Contains;
use super::rules::exact::Exact;
use super::rules::first_line::FirstLine;
use super::rules::json::Json;
use super::rules::letter::Letter;
use super::rules::logprob::{Logprob, LogprobPerByte};
use super::rules::number::Number;
use super::rules::pattern::Pattern;
use super::rules::prefix::Prefix;
use crate::names;

/// All rules, in the order in which help lists them.
pub static ALL: &[&dyn Rule] = &[
    &Exact,
    &Prefix,
    &Contains,
    &FirstLine,
    &Choice,
    &Letter,
    &Number,
    &Pattern,
    &Json,
    &Logprob,
    &LogprobPerByte,
];

/// Finds a rule by name.
pub fn find(name: &str) -> Option<&'static dyn Rule> {
    names::find(name, ALL, |rule| rule.name()).copied()
}

/// The names with the forms of their arguments, as on the command line.
pub fn names() -> Vec<String> {
    let typed = |rule: &&dyn Rule| match rule.argument_form() {
        Some(form) => format!("{}{form}", rule.name()),
        None => rule.name().to_owned(),
    };
    ALL.iter().map(typed).collect()
}
