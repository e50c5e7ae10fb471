//! Flags whose value is one of a few names: the library's enums know nothing of clap.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// Parses one of `all` by its `name`. Help and completions list the names, each with its description where
/// `describe` gives one that is not empty.
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
        .try_map(move |given| all.iter().copied().find(|one| name(*one) == given).ok_or("no such value"))
}
