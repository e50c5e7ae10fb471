//! `json:POINTER`: the value at a JSON pointer (RFC 6901) in the answer is a right one. The answer is JSON,
//! stands in a block of code, or has JSON in its text; of several, the last that has the pointer counts. A
//! text is compared after normalisation, a number by its value.

use serde_json::Value;

use super::documents::documents;
use super::number;
use crate::collect::grading::grade::Grade;
use crate::collect::grading::{Argument, Asked, Rule};

/// A value in JSON is a right answer.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Rule for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "The value at a JSON pointer (/answer, /items/0) in the answer, normalised, is a right one"
    }

    fn argument_form(&self) -> Option<&'static str> {
        Some(":POINTER")
    }

    fn argument(&self, text: Option<&str>) -> Result<Argument, String> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let text = text.ok_or("needs a JSON pointer, such as json:/answer")?;
        // The name of a member alone is a pointer to it.
        Ok(Argument::Text(if text.starts_with('/') { text.into() } else { format!("/{text}") }))
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let Argument::Text(pointer) = asked.argument else { return asked.unreadable("no pointer") };
        let found = documents(asked.text).into_iter().rev().find_map(|json| json.pointer(pointer).cloned());
        let Some(found) = found else {
            return asked.unreadable(format!("no JSON with {pointer} in {:?}", asked.text));
        };
        let normal = asked.normalisation;
        let is_right = |gold: &String| match &found {
            Value::String(text) => normal.apply(text) == normal.apply(gold),
            Value::Number(number) => number::is_same(gold, &number.to_string()),
            Value::Bool(truth) => truth.to_string().eq_ignore_ascii_case(gold.trim()),
            other => serde_json::from_str::<Value>(gold).is_ok_and(|gold| gold == *other),
        };
        let extracted = match &found {
            Value::String(text) => normal.apply(text),
            Value::Null => return asked.unreadable(format!("{pointer} is null")),
            other => other.to_string(),
        };
        asked.scored(asked.item.gold.iter().any(is_right), extracted)
    }
}
