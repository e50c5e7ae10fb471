//! Rule `json:POINTER`: an answer is right if its JSON has a right answer at a JSON pointer (RFC 6901). The
//! JSON may be the whole answer, in a code block, or within a text. If there are several JSON documents, the
//! last document with a value at the pointer counts. Texts are compared after normalisation, numbers by
//! value.

use serde_json::Value;

use super::documents::documents;
use super::number;
use crate::collect::grading::grade::Grade;
use crate::collect::grading::{Argument, Asked, Rule};

/// The rule `json`.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Rule for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "Right if the value at a JSON pointer (/answer, /items/0) in the answer, normalised, equals a right \
         answer"
    }

    fn argument_form(&self) -> Option<&'static str> {
        Some(":POINTER")
    }

    fn argument(&self, text: Option<&str>) -> Result<Argument, String> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let text = text.ok_or("needs a JSON pointer, such as json:/answer")?;
        // The plain name of a member counts as a pointer to it.
        Ok(Argument::Text(if text.starts_with('/') { text.into() } else { format!("/{text}") }))
    }

    fn grade(&self, asked: &Asked<'_>) -> Grade {
        let Argument::Text(pointer) = asked.argument else { return asked.unreadable("no pointer") };
        let found = documents(asked.text).into_iter().rev().find_map(|json| json.pointer(pointer).cloned());
        let Some(found) = found else {
            return asked.unreadable(format!("no JSON with a value at {pointer} in {:?}", asked.text));
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
