//! Parses flags whose value is one of a few names, so that the library's enums and tables do not depend on
//! clap.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::corpus::PromptForm;
use crate::names;

/// Help text for a flag that takes a name from a table: the description, then the names.
pub(super) fn listed<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    format!("{what}: {}", names.collect::<Vec<_>>().join(", "))
}

/// Parses one of `all` by its `name`. Help and completions list the names, each with its description if
/// `describe` returns a non-empty one.
pub(super) fn choice<T>(
    all: &'static [T],
    name: fn(T) -> &'static str,
    describe: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let values = all.iter().map(|one| {
        let value = PossibleValue::new(name(*one));
        if describe(*one).is_empty() { value } else { value.help(describe(*one)) }
    });
    PossibleValuesParser::new(values.collect::<Vec<_>>())
        .try_map(move |given| names::find(&given, all, |one| name(**one)).copied().ok_or("no such value"))
}

/// Finds the form of a prompt by its name.
pub(super) fn form(name: &str) -> Result<PromptForm, String> {
    PromptForm::find(name).ok_or_else(|| {
        let known: Vec<&str> = PromptForm::names().collect();
        let near = names::suggestion(name, known.iter().copied());
        format!("{near}the forms are {}", known.join(", "))
    })
}
