//! Chooses the estimand from flags and categories.

use super::flags::Flags;
use super::semantic_flags::Estimand;
use crate::cli::flags::WINDOWS;
use crate::corpus::Category;
use crate::emergence::Micro;
use crate::error::{Error, Result};
use crate::mi::{Channel, Scale};

/// The estimand that the flags and categories imply, and a note if `--estimand` was not given.
///
/// # Errors
/// [`Error::Parameter`] if flags and categories contradict each other.
pub(super) fn estimand(flags: &Flags, categories: &[Category]) -> Result<(Estimand, Option<String>)> {
    let fault = |name, reason: String| Err(Error::Parameter { name, reason });
    let without = categories.iter().find(|category| category.relations.len() < 2);
    let positional = |reason: &str| {
        let note = format!("{reason}: the estimand is positional (as with --estimand positional)");
        Ok((Estimand::Positional, Some(note)))
    };
    let given = positional_flag(flags);
    match flags.estimand {
        Some(Estimand::Positional) => Ok((Estimand::Positional, None)),
        Some(Estimand::Semantic) if flags.texts.has_texts() => fault(
            "--texts",
            "needs the positional estimand, because a text has no relations; leave out --estimand semantic"
                .into(),
        ),
        None if flags.texts.has_texts() => positional("a text has no relations"),
        None if !categories.is_empty() && categories.iter().all(|category| category.relations.len() < 2) => {
            let names: Vec<&str> = categories.iter().map(|category| category.name.as_str()).collect();
            positional(&format!("each corpus ({}) has fewer than two relations", names.join(", ")))
        }
        None if given.is_some() => {
            positional(&format!("{} applies to the positional estimand only", given.unwrap_or_default()))
        }
        None if without.is_some() => {
            let name = without.map_or("", |category| category.name.as_str());
            let reason = format!(
                "is required: the semantic estimand needs two or more relations; {name} has fewer, but other \
                 categories have enough. Measure the categories in separate runs, or all of them with \
                 --estimand positional"
            );
            fault("--estimand", reason)
        }
        Some(Estimand::Semantic) | None => {
            if let Some(name) = given {
                return fault(
                    name,
                    "applies to the positional estimand only; leave out this flag or --estimand semantic"
                        .into(),
                );
            }
            let note = "the estimand is semantic (for series of entities, as in the paper, give --estimand \
                        positional)";
            Ok((Estimand::Semantic, flags.estimand.is_none().then(|| note.into())))
        }
    }
}

/// The first given flag that has no effect on the semantic estimand.
fn positional_flag(flags: &Flags) -> Option<&'static str> {
    let Flags { sampling, estimator, micro, .. } = flags;
    let given = [
        ("--entities", sampling.entities.is_some()),
        ("--windows", sampling.windows != WINDOWS),
        ("--scale", sampling.scale != Scale::Spread),
        ("--estimator", estimator.name() != Channel::DEFAULT_NAME),
        ("--micro", *micro != Micro::Alone),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
}
