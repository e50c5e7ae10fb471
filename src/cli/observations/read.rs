//! Reads the input files of a table of observations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk;
use crate::emergence::{ProfileStore, SettingFilter, StoredProfile};
use crate::error::{Error, Result};
use crate::names;
use crate::observations::{ComparisonRow, PublishedModel, renamed};

/// A row of the file that `--models` gives.
#[derive(Debug, Deserialize)]
struct Published {
    model: String,
    family: String,
    params_b: Option<f64>,
    #[serde(default)]
    proxy: Option<String>,
}

/// All profiles of `folders`, sorted by file name within each folder.
pub(super) fn profiles<P: StoredProfile>(folders: &[PathBuf]) -> Result<Vec<P>> {
    let mut profiles = vec![];
    for folder in folders {
        let found: Vec<P> = ProfileStore::new(folder).read_all()?;
        if found.is_empty() {
            let reason = "contains no profile; give a folder that `surmise measure -o` wrote, with one JSON \
                          per model, corpus and settings";
            return Err(Error::Config { path: folder.clone(), reason: reason.into() });
        }
        profiles.extend(found);
    }
    Ok(profiles)
}

/// The profiles that match every filter.
pub(super) fn selected<P: StoredProfile>(profiles: Vec<P>, filters: &[SettingFilter]) -> Result<Vec<P>> {
    let mut selected = vec![];
    for profile in profiles {
        let holds =
            filters.iter().map(|filter| filter.holds(profile.settings())).collect::<Result<Vec<_>>>()?;
        if holds.iter().all(|holds| *holds) {
            selected.push(profile);
        }
    }
    if selected.is_empty() {
        let reason = "matches no profile; see `settings` in the profiles for the values".into();
        return Err(Error::Parameter { name: "--select", reason });
    }
    Ok(selected)
}

/// Reads the published facts about models.
pub(super) fn published(file: Option<&PathBuf>) -> Result<BTreeMap<String, PublishedModel>> {
    let mut published: BTreeMap<String, PublishedModel> = BTreeMap::new();
    for row in
        file.map(|file| disk::read_csv::<Published>(file, csv::Trim::All)).transpose()?.unwrap_or_default()
    {
        if let Some(size) = row.params_b.filter(|size| !(size.is_finite() && *size > 0.0)) {
            let reason = format!(
                "gives {} the params_b {size}; a size must be above 0; leave the cell empty if the size is \
                 unknown",
                row.model
            );
            return Err(Error::Parameter { name: "--models", reason });
        }
        let Published { model, family, params_b, proxy } = row;
        let proxy = proxy.filter(|proxy| !proxy.is_empty());
        let row = PublishedModel { family, params_b, proxy };
        let same = published.iter().find(|(other, _)| names::is_same(&model, other));
        if let Some((other, _)) = same.filter(|(other, known)| **other != model || **known != row) {
            let reason = format!("has conflicting rows for {other} and {model}; keep one of them");
            return Err(Error::Parameter { name: "--models", reason });
        }
        published.insert(model, row);
    }
    Ok(published)
}

/// The rows of several CSV files.
pub(super) fn all_rows<T: for<'a> Deserialize<'a>>(files: &[PathBuf]) -> Result<Vec<T>> {
    Ok(files
        .iter()
        .map(|file| disk::read_csv(file, csv::Trim::All))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Reads the rows of comparisons.csv. Returns an error for a noise-scale column with its earlier name: the
/// column is optional, so this name would be ignored without notice.
pub(super) fn comparisons(path: &Path) -> Result<Vec<ComparisonRow>> {
    let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let header = csv::Reader::from_reader(bytes.as_slice()).headers().cloned().unwrap_or_default();
    match renamed(|name| header.iter().any(|column| column.trim() == name)) {
        Some(reason) => Err(Error::Csv { path: path.into(), line: 1, reason }),
        None => disk::read_csv(path, csv::Trim::All),
    }
}
