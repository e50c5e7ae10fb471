//! Makes the table of observations from semantic profiles.

use super::flags::{Flags, Rows};
use super::read::{all_rows, profiles, published, selected};
use crate::error::{Error, Result};
use crate::observations::semantic::{SemanticInputs, join};

pub(super) fn rows(flags: &Flags) -> Result<Rows> {
    let given = [
        ("--readings", !flags.readings.is_empty(), "a text has no relations"),
        ("--noise-scale", flags.noise_scale.is_some(), "their summaries always use the default noise scale"),
    ];
    if let Some((name, _, why)) = given.into_iter().find(|(_, given, _)| *given) {
        let reason = format!(
            "applies to positional profiles, but the given profiles are semantic: {why}; leave out this flag"
        );
        return Err(Error::Parameter { name, reason });
    }
    let inputs = SemanticInputs {
        profiles: selected(profiles(&flags.profiles)?, &flags.select)?,
        shots: flags.shots.clone(),
        scores: all_rows(&flags.scores)?,
        answers: all_rows(&flags.answers)?,
        published: published(flags.models.as_ref())?,
        mixed_scores: flags.mixed_scores,
        proxy: flags.proxy.clone(),
    };
    let joined = join(&inputs)?;
    let values = |name: &str| {
        let at = joined.table[0].iter().position(|column| column == name).unwrap_or_default();
        let rows = joined.table.iter().skip(1);
        let mut values: Vec<&str> = vec![];
        for value in rows.map(|row| row[at].as_str()) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values.join(", ")
    };
    let of = format!("at shots = {}, b = {}", values("shots"), values("noise_scale"));
    Ok(Rows { joined, of, notes: vec![] })
}
