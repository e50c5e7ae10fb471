//! Which of the two estimands is meant.

use super::flags::Flags;
use super::semantic_flags::Estimand;
use crate::cli::flags::WINDOWS;
use crate::corpus::Category;
use crate::emergence::Micro;
use crate::error::{Error, Result};
use crate::mi::{Channel, Scale};

/// The estimand that flags and categories mean, and what to say if it was not named.
///
/// # Errors
/// [`Error::Parameter`] where they contradict each other.
pub(super) fn estimand(flags: &Flags, categories: &[Category]) -> Result<(Estimand, Option<String>)> {
    let fault = |name, reason: String| Err(Error::Parameter { name, reason });
    let without = categories.iter().find(|category| category.relations.len() < 2);
    let positional = |reason: &str| {
        let note = format!("{reason}: the estimand is positional (--estimand positional says so)");
        Ok((Estimand::Positional, Some(note)))
    };
    let given = positional_flag(flags);
    match flags.estimand {
        Some(Estimand::Positional) => Ok((Estimand::Positional, None)),
        Some(Estimand::Semantic) if flags.texts.has_texts() => fault(
            "--texts",
            "is for the positional estimand: a text has no relations; leave --estimand semantic out".into(),
        ),
        None if flags.texts.has_texts() => positional("a text has no relations"),
        None if !categories.is_empty() && categories.iter().all(|category| category.relations.len() < 2) => {
            let names: Vec<&str> = categories.iter().map(|category| category.name.as_str()).collect();
            positional(&format!("{} has fewer than two relations", names.join(", ")))
        }
        None if given.is_some() => positional(&format!("{} is its flag", given.unwrap_or_default())),
        None if without.is_some() => {
            let name = without.map_or("", |category| category.name.as_str());
            let reason = format!(
                "must be named: {name} has fewer than two relations, which the semantic estimand needs, and \
                 other categories have more; measure them in two runs, or all with --estimand positional"
            );
            fault("--estimand", reason)
        }
        Some(Estimand::Semantic) | None => {
            if let Some(name) = given {
                return fault(
                    name,
                    "is for the positional estimand; leave it or --estimand semantic out".into(),
                );
            }
            let note = "the estimand is semantic (--estimand positional reads series of entities, as the \
                        paper does)";
            Ok((Estimand::Semantic, flags.estimand.is_none().then(|| note.into())))
        }
    }
}

/// A flag that does nothing for the semantic estimand, if one is given.
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
