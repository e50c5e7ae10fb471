//! Rule `regex:PATTERN`: an answer is right if the first match of a regular expression, normalised, is a
//! right answer. The rule compares the group named `answer`. Without this group, it compares the first group;
//! without any group, it compares the whole match. The pattern has the syntax of the crate `regex`, whose
//! matching time is linear in the length of an answer.

use regex::RegexBuilder;

use crate::collect::grading::grade::Grade;
use crate::collect::grading::{Argument, Asked, Rule};

/// Maximum size of a compiled pattern, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// Maximum length of a pattern, in bytes.
const LONGEST: usize = 2000;

/// The rule `regex`.
#[derive(Debug, Clone, Copy)]
pub struct Pattern;

impl Rule for Pattern {
    fn name(&self) -> &'static str {
        "regex"
    }

    fn about(&self) -> &'static str {
        "Right if the first match of a pattern (its group `answer`, or else its first group, or else the \
         whole match), normalised, equals a right answer"
    }

    fn argument_form(&self) -> Option<&'static str> {
        Some(":PATTERN")
    }

    fn argument(&self, text: Option<&str>) -> Result<Argument, String> {
        let text = text.filter(|text| !text.is_empty());
        let text = text.ok_or(r"needs a pattern, such as regex:Answer: (\w+)")?;
        if text.len() > LONGEST {
            return Err(format!(
                "has a pattern of {} bytes, which exceeds the limit of {LONGEST}",
                text.len()
            ));
        }
        let built = RegexBuilder::new(text).size_limit(MOST_BYTES).dfa_size_limit(MOST_BYTES).build();
        built.map(Argument::Pattern).map_err(|error| format!("needs a valid regular expression: {error}"))
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let Argument::Pattern(pattern) = asked.argument else { return asked.unreadable("no pattern") };
        let Some(groups) = pattern.captures(asked.text) else {
            return asked.unreadable(format!("the pattern {pattern} does not match {:?}", asked.text));
        };
        let end = groups.get(0).map_or(0, |whole| whole.end());
        let Some(found) = groups.name("answer").or_else(|| groups.get(1)).or_else(|| groups.get(0)) else {
            return asked.unreadable("no group of the pattern matches");
        };
        if !asked.is_complete && end == asked.text.len() {
            return asked.unreadable(found.as_str());
        }
        let normal = asked.normalisation;
        let extracted = normal.apply(found.as_str());
        let is_right = asked.item.gold.iter().any(|gold| normal.apply(gold) == extracted);
        asked.scored(is_right, extracted)
    }
}
