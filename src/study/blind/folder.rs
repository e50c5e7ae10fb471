//! Checks the folder of a blind test: settings.json records the settings of the files in it.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::family::{Family, Member};
use super::settings::BlindSettings;
use crate::corpus::Category;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};

/// The content of settings.json.
#[derive(Debug, Serialize)]
struct FolderSettings {
    schema: Schema,
    members: Vec<Member>,
    settings: BlindSettings,
    /// Hashes of the corpora, because two corpora may have the same name.
    corpora_sha256: Vec<String>,
}

/// Writes settings.json, or compares the settings with the existing file.
///
/// # Errors
/// [`Error::Parameter`] for a folder with other settings.
pub(super) fn check_settings(folder: &Path, family: &Family, settings: &BlindSettings) -> Result<()> {
    let members = family.members.clone();
    let hashes = settings.corpora.iter().map(|name| Ok(Category::load(name)?.sha256));
    let wanted = FolderSettings {
        schema: Schema::new("surmise-blind-settings", 5),
        members,
        settings: settings.clone(),
        corpora_sha256: hashes.collect::<Result<_>>()?,
    };
    let path = folder.join("settings.json");
    if !path.is_file() {
        return disk::write_json(&path, &wanted);
    }
    let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let json = |source| Error::Json { path: path.clone(), source };
    let there: Value = serde_json::from_slice(&bytes).map_err(json)?;
    let wanted = serde_json::to_value(&wanted).map_err(json)?;
    if there == wanted {
        return Ok(());
    }
    if there["schema"] != wanted["schema"] {
        let reason = format!(
            "{} contains a blind test of another version of surmise ({} is version {}, this version writes \
             {}); choose another folder",
            folder.display(),
            path.display(),
            there["schema"]["version"],
            wanted["schema"]["version"]
        );
        return Err(Error::Parameter { name: "-o", reason });
    }
    let (here, old) = (&wanted["settings"], &there["settings"]);
    let mut differ: Vec<String> = here
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, now)| old[name.as_str()] != **now)
        .map(|(name, now)| format!("{name}: {} in the folder, {now} now", old[name.as_str()]))
        .collect();
    if there["members"] != wanted["members"] {
        differ.push("the members differ".into());
    }
    if there["corpora_sha256"] != wanted["corpora_sha256"] {
        differ.push("the corpora or their contents differ".into());
    }
    let reason = format!(
        "{} contains a blind test with other settings ({}); choose another folder",
        folder.display(),
        differ.join("; ")
    );
    Err(Error::Parameter { name: "-o", reason })
}
