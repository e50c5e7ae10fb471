//! Checks of the names that rows and files are told apart by.

use std::collections::BTreeSet;

use super::flags::Flags;
use crate::emergence::{Origin, ProfileSettings, ProfileStore};
use crate::error::{Error, Result};

/// What became of a profile that was in the folder.
pub(super) fn kept(model: &str, corpus: &str, settings: &ProfileSettings, origin: &Origin) -> Option<String> {
    let stem = ProfileStore::stem(model, corpus, settings);
    match origin {
        Origin::Measured => None,
        Origin::Kept => {
            Some(format!("{stem}.json was measured before with these settings; not measured again"))
        }
        Origin::Replaced(version) => {
            Some(format!("{stem}.json was measured by surmise {version}; measured again and replaced"))
        }
    }
}

/// A label is of one model, and can stand in a line of a table.
pub(super) fn check_label(flags: &Flags) -> Result<()> {
    let Some(label) = &flags.name else { return Ok(()) };
    let reason = match () {
        () if flags.models.len() > 1 => {
            format!("names one model, and {} are given; measure them one by one", flags.models.len())
        }
        () if label.trim() != label || label.is_empty() || label.contains(char::is_control) => {
            format!("is {label:?}; give a label without blanks around it")
        }
        () => return Ok(()),
    };
    Err(Error::Parameter { name: "--name", reason })
}

/// The rows of two models or corpora with one name could not be told apart.
pub(super) fn check_names<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
    otherwise: &str,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let reason = format!(
                "names {name} twice, or two folders or files that end in it; measure them in two runs, and \
                 {otherwise}"
            );
            return Err(Error::Parameter { name: what, reason });
        }
    }
    Ok(())
}
