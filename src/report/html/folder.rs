//! Finds the result files of a folder. Journals are excluded, because they contain raw answers of servers.

use std::path::{Path, PathBuf};

use crate::emergence::ProfileStore;
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

/// Maximum depth of answer folders below `answers`. They may be nested because ids of Hugging Face models
/// contain a slash.
const DEEPEST: usize = 3;
/// A folder with any of these files is an answer folder.
const OF_ANSWERS: [&str; 4] = ["summary.json", "items.csv", "scores.csv", "semantic.csv"];
/// The table of profiles, which is read if there are no JSON files of profiles.
const PROFILE_TABLE: &str = "profiles.csv";

/// The result files of a folder, by kind. Each list is sorted.
#[derive(Debug, Default)]
pub(super) struct ResultFiles {
    /// study.toml and study.json of a study; settings.json and blind.csv of a blind test.
    pub study_text: Option<PathBuf>,
    pub study: Option<PathBuf>,
    pub blind_settings: Option<PathBuf>,
    pub blind: Option<PathBuf>,
    pub predictions: Option<PathBuf>,
    pub observations: Option<PathBuf>,
    pub cards: Vec<PathBuf>,
    /// JSON files of profiles, or profiles.csv if there are none.
    pub profiles: Vec<PathBuf>,
    /// Answer folders.
    pub answers: Vec<PathBuf>,
}

impl ResultFiles {
    /// Finds the results of a folder.
    ///
    /// # Errors
    /// [`Error::Read`] if the folder cannot be listed; [`Error::Parameter`] if it contains no results.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        std::fs::read_dir(folder).map_err(|source| Error::Read { path: folder.into(), source })?;
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        let mut answers = vec![];
        if is_of_answers(folder) {
            answers.push(folder.to_path_buf());
        }
        add_answers(&folder.join("answers"), DEEPEST, &mut answers);
        let found = Self {
            study_text: file("study.toml"),
            study: file("study.json"),
            // Without `profiles/`, a settings.json does not belong to a blind test.
            blind_settings: file("settings.json").filter(|_| folder.join("profiles").is_dir()),
            blind: file("blind.csv"),
            predictions: file("predictions.csv"),
            observations: file("observations.csv"),
            cards: file("card.json").into_iter().chain(json_files(&folder.join("cards"))).collect(),
            profiles: [folder.to_path_buf(), folder.join("profiles")]
                .iter()
                .flat_map(|at| profiles(at))
                .collect(),
            answers,
        };
        if found.is_empty() {
            let reason = format!(
                "{} contains no results; give a folder that `surmise run`, `measure`, `collect` or `blind` \
                 wrote, with study.json, profiles, answers, a card, predictions.csv or blind.csv",
                folder.display()
            );
            return Err(Error::Parameter { name: "the folder", reason });
        }
        Ok(found)
    }

    fn is_empty(&self) -> bool {
        let files = [&self.study, &self.study_text, &self.blind, &self.predictions, &self.observations];
        files.iter().all(|file| file.is_none())
            && [&self.cards, &self.profiles, &self.answers].iter().all(|files| files.is_empty())
    }

    /// All files, including the files of answer folders.
    fn all(&self) -> Vec<PathBuf> {
        let single = [
            &self.study_text,
            &self.study,
            &self.blind_settings,
            &self.blind,
            &self.predictions,
            &self.observations,
        ];
        let lists = [&self.cards, &self.profiles].into_iter().flatten().cloned();
        let answers = self.answers.iter().flat_map(|folder| OF_ANSWERS.map(|name| folder.join(name)));
        let answers = answers.filter(|path| path.is_file());
        single.into_iter().flatten().cloned().chain(lists).chain(answers).collect()
    }
}

/// A hash that changes whenever a result of the folder changes. It covers names, sizes and times of the
/// files.
///
/// # Errors
/// [`Error::Read`] if the folder cannot be listed; [`Error::Parameter`] if it contains no results.
pub fn version(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for file in ResultFiles::of(folder)?.all() {
        // Skip a file that another process has just removed. The next call includes its replacement.
        let Ok(metadata) = std::fs::metadata(&file) else { continue };
        text.push_str(&format!("{}\t{}\t{:?}\n", file.display(), metadata.len(), metadata.modified().ok()));
    }
    Ok(sha256_hex(text.as_bytes()))
}

fn is_of_answers(folder: &Path) -> bool {
    OF_ANSWERS.iter().any(|name| folder.join(name).is_file())
}

fn add_answers(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in entries(folder).into_iter().filter(|entry| entry.is_dir()) {
        if is_of_answers(&entry) {
            found.push(entry);
        } else if depth > 1 {
            add_answers(&entry, depth - 1, found);
        }
    }
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    entries(folder).into_iter().filter(|path| is_json(path) && path.is_file()).collect()
}

/// The profiles of a folder: its JSON files, or its table if there are none.
fn profiles(folder: &Path) -> Vec<PathBuf> {
    let files = ProfileStore::new(folder).files().unwrap_or_default();
    let table = Some(folder.join(PROFILE_TABLE)).filter(|path| files.is_empty() && path.is_file());
    files.into_iter().chain(table).collect()
}

/// The entries of a folder, sorted, without hidden files. Empty if the folder cannot be listed.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    paths.sort_unstable();
    paths
}
