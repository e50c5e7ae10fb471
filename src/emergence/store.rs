//! Stores profiles in a folder: one JSON file for each profile, and a CSV table of all profiles.
//!
//! The file name consists of the model, the corpus and a short hash of all settings that determine the
//! results. So the same measurement always has the same file, and different measurements never overwrite each
//! other.
//!
//! Several processes may write to the same folder. Each file is written under a temporary name and renamed,
//! so it is never incomplete. After writing the table, a process checks the folder for new profiles, and
//! writes the table again if there are any.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::profile_settings::ProfileSettings;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::seed;

/// A profile that can be stored in a folder. Each estimand has its own kind of profile; the name of the
/// schema distinguishes them.
pub trait StoredProfile: Serialize + DeserializeOwned {
    /// The estimand, as `measure --estimand` names it.
    const ESTIMAND: &'static str;
    /// The name of the schema, which ends with `profile`.
    const SCHEMA: &'static str;
    /// The schema version that this program writes and reads.
    const VERSION: u32;
    /// A message for files of older versions: what has changed, and what to do.
    const OLDER: &'static str;
    /// The file name of the table of all profiles of this kind.
    const TABLE: &'static str;
    /// A row of the table.
    type Row: Serialize;

    /// The schema, and the version of surmise that wrote the profile.
    fn schema(&self) -> &Schema;
    /// The model.
    fn model(&self) -> &ModelInfo;
    /// The model, to update its family after the measurement.
    fn model_mut(&mut self) -> &mut ModelInfo;
    /// The name of the corpus.
    fn corpus_name(&self) -> &str;
    /// All settings that determine the results.
    fn settings(&self) -> &ProfileSettings;
    /// The rows of the table.
    fn rows(&self) -> Vec<Self::Row>;
}

/// The result of a search for a profile.
#[derive(Debug)]
pub enum Found<P> {
    /// The profile is current: measuring again would give the same result.
    Current(P),
    /// The profile was measured by another version of surmise.
    OtherVersion(P),
    /// There is no such profile.
    Missing,
}

/// A folder of profiles.
#[derive(Debug, Clone)]
pub struct ProfileStore {
    folder: PathBuf,
}

impl ProfileStore {
    /// A store in this folder, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file name, without extension, of a profile with this model, corpus and settings.
    pub fn stem(model: &str, corpus: &str, settings: &ProfileSettings) -> String {
        format!("{}--{}--{}", part(model), part(corpus), settings.short_hash())
    }

    /// The path of a profile.
    pub fn file(&self, model: &str, corpus: &str, settings: &ProfileSettings) -> PathBuf {
        self.folder.join(format!("{}.json", Self::stem(model, corpus, settings)))
    }

    /// The paths of all profiles, of every kind, sorted by name.
    ///
    /// # Errors
    /// [`Error::Read`] if the folder cannot be listed.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let fault = |source| Error::Read { path: self.folder.clone(), source };
        let entries = std::fs::read_dir(&self.folder).map_err(fault)?;
        let mut files = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(fault)?;
        files.retain(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            name.contains("--") && name.ends_with(".json") && !name.starts_with('.')
        });
        files.sort_unstable();
        Ok(files)
    }

    /// Whether the folder contains a profile of kind `P`.
    ///
    /// # Errors
    /// Returns the errors of [`ProfileStore::read_all`].
    pub fn holds<P: StoredProfile>(&self) -> Result<bool> {
        for file in self.files()? {
            if read_kind::<P>(&file)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All profiles of kind `P`, sorted by file name.
    ///
    /// # Errors
    /// [`Error::Read`]; the errors of [`read`] for a file that is damaged or of another version;
    /// [`Error::Parameter`] if the folder contains only profiles of another kind.
    pub fn read_all<P: StoredProfile>(&self) -> Result<Vec<P>> {
        let files = self.files()?;
        let profiles: Vec<P> =
            files.iter().filter_map(|file| read_kind(file).transpose()).collect::<Result<_>>()?;
        if profiles.is_empty() && !files.is_empty() {
            let reason = format!(
                "in {} are of another estimand, but this command reads {} profiles; measure with --estimand \
                 {} into another folder",
                self.folder.display(),
                P::ESTIMAND,
                P::ESTIMAND
            );
            return Err(Error::Parameter { name: "profiles", reason });
        }
        Ok(profiles)
    }

    /// Checks that all profiles in the folder can be read and are of kind `P`. Tables of different kinds have
    /// the same name but different columns, so a folder cannot contain both.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a profile of another kind, and the errors of [`ProfileStore::read_all`].
    pub fn check<P: StoredProfile>(&self) -> Result<()> {
        for file in self.files()? {
            if read_kind::<P>(&file)?.is_none() {
                let reason = format!(
                    "contains {}, a profile of another estimand, and {} has different columns for each \
                     estimand; choose another folder",
                    file.display(),
                    P::TABLE
                );
                return Err(Error::Parameter { name: "--output", reason });
            }
        }
        Ok(())
    }

    /// Finds the profile of a model and corpus with these settings. Reads only the file of that profile.
    ///
    /// # Errors
    /// Returns the errors of [`read`]; [`Error::Parameter`] if the content of the file does not match its
    /// name.
    pub fn find<P: StoredProfile>(
        &self,
        model: &str,
        corpus: &str,
        settings: &ProfileSettings,
    ) -> Result<Found<P>> {
        let file = self.file(model, corpus, settings);
        if !file.is_file() {
            return Ok(Found::Missing);
        }
        let profile: P = read(&file)?;
        let mut differ = profile.settings().differences(settings, &[]);
        for (what, ours, theirs) in
            [("model", profile.model().id.as_str(), model), ("corpus", profile.corpus_name(), corpus)]
        {
            if ours != theirs {
                differ.push(format!("{what}: {ours} and {theirs}"));
            }
        }
        if !differ.is_empty() {
            let reason = format!(
                "contains the file {}, whose content does not match its name ({}); move the file elsewhere",
                file.display(),
                differ.join(", ")
            );
            return Err(Error::Parameter { name: "--output", reason });
        }
        let is_current = *profile.schema() == Schema::new(P::SCHEMA, P::VERSION);
        Ok(if is_current { Found::Current(profile) } else { Found::OtherVersion(profile) })
    }

    /// Writes a profile to its file.
    ///
    /// # Errors
    /// [`Error::Write`] if the file cannot be written; [`Error::Json`] if the profile cannot be serialised.
    pub fn put<P: StoredProfile>(&self, profile: &P) -> Result<()> {
        disk::write_json(&self.file(&profile.model().id, profile.corpus_name(), profile.settings()), profile)
    }

    /// Writes the table of all profiles of kind `P` in the folder.
    ///
    /// # Errors
    /// [`Error::Write`], and the errors of [`ProfileStore::read_all`].
    pub fn write_table<P: StoredProfile>(&self) -> Result<()> {
        self.write_rows(P::TABLE, P::rows)
    }

    /// Writes a table with the rows of all profiles of kind `P` in the folder. Afterwards, lists the folder
    /// again and repeats if it has changed, so that no profile is missing if several processes write at the
    /// same time.
    ///
    /// # Errors
    /// [`Error::Write`], and the errors of [`ProfileStore::read_all`].
    pub fn write_rows<P: StoredProfile, R: Serialize>(
        &self,
        name: &str,
        rows: impl Fn(&P) -> Vec<R>,
    ) -> Result<()> {
        loop {
            let files = self.files()?;
            let mut all: Vec<R> = vec![];
            for file in &files {
                all.extend(read_kind::<P>(file)?.iter().flat_map(&rows));
            }
            disk::write(&self.folder.join(name), &disk::csv_bytes(name.as_ref(), &all)?)?;
            if self.files()? == files {
                return Ok(());
            }
        }
    }
}

/// Longest label in a file name, in bytes; longer labels are shortened. File systems allow 255 bytes for the
/// whole name.
const LONGEST_PART: usize = 80;

/// Converts a label to a part of a file name. Replaces characters that some file systems reject, replaces
/// leading dots, which would hide the file, and shortens long labels.
fn part(label: &str) -> String {
    let name = disk::id_in_file_names(label);
    let name = name.replace(|c: char| c.is_control() || "\\:*?\"<>|".contains(c), "-");
    let hidden = name.len() - name.trim_start_matches('.').len();
    let name = format!("{}{}", "_".repeat(hidden), &name[hidden..]);
    if name.len() <= LONGEST_PART {
        return name;
    }
    let end = (0..=LONGEST_PART).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!("{}-{:.8}", &name[..end], seed::sha256_hex(label.as_bytes()))
}

/// Reads a profile.
///
/// # Errors
/// [`Error::Read`], [`Error::Json`], and [`Error::Parameter`] for an unknown schema or version.
pub fn read<P: StoredProfile>(path: &Path) -> Result<P> {
    read_kind(path)?.ok_or_else(|| {
        let reason = format!(
            "of {} belongs to another estimand; give a file with the schema \
                              {}",
            path.display(),
            P::SCHEMA
        );
        Error::Parameter { name: "schema", reason }
    })
}

/// Like [`read`], but returns `None` for a profile of another kind.
fn read_kind<P: StoredProfile>(path: &Path) -> Result<Option<P>> {
    #[derive(Deserialize)]
    struct Head {
        schema: Schema,
    }
    let json = |source| Error::Json { path: path.into(), source };
    let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let Head { schema } = serde_json::from_slice(&bytes).map_err(json)?;
    let name = schema.name.as_str();
    if name != P::SCHEMA && name.ends_with("profile") {
        return Ok(None);
    }
    if (name, schema.version) != (P::SCHEMA, P::VERSION) {
        let older = name == P::SCHEMA && schema.version < P::VERSION;
        let reason = format!(
            "of {} is {name} version {}, but this version of surmise reads {} version {}{}",
            path.display(),
            schema.version,
            P::SCHEMA,
            P::VERSION,
            if older { format!("; {}", P::OLDER) } else { String::new() }
        );
        return Err(Error::Parameter { name: "schema", reason });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_names_that_every_file_system_takes_and_that_stay_apart() {
        assert_eq!(part("owner/name@main"), "owner--name@main");
        assert_eq!(part("../a:b*"), "__--a--b-");
        assert_eq!(part(".."), "__");
        let long = |last: char| format!("{}{last}", "\u{e9}".repeat(200));
        let (a, b) = (part(&long('a')), part(&long('b')));
        assert!(a.len() < 100 && a != b && a.starts_with("\u{e9}\u{e9}"), "{a}");
    }

    #[test]
    fn only_files_of_profiles_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a--b--1.json", "card.json", "a--b.csv", ".hidden--b.json", "c--d.json"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let files = ProfileStore::new(folder.path()).files().unwrap();
        let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        assert_eq!(names, ["a--b--1.json", "c--d.json"]);
        assert!(ProfileStore::new(&folder.path().join("none")).files().is_err());
    }
}
