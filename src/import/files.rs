//! Imports files of other tools, and handles scores that occur in several files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::imported::{ImportOptions, Imported};
use super::keys::KeyRedaction;
use super::opened::{Form, Opened};
use super::registry::{ALL, importer_of, is_known};
use crate::collect::results::scores::Score;
use crate::disk;
use crate::error::{Error, Result};
use crate::numeric::shown::count;

/// Checks that the output, or the JSON file next to it, does not replace an input or another results file.
///
/// # Errors
/// [`Error::Parameter`] if the output would replace such a file.
pub fn check_apart(inputs: &[PathBuf], output: &Path) -> Result<()> {
    let mut beside = output.as_os_str().to_owned();
    beside.push(".json");
    for written in [output, Path::new(&beside)] {
        // A results file may also be an input if it is inside a given folder or is read together with another
        // input.
        let is_beside = ALL.iter().any(|importer| importer.reads_beside(written)) || is_result(written);
        if (is_beside && written.exists()) || inputs.iter().any(|input| disk::is_same(input, written)) {
            let reason =
                format!("would replace {}, which is an input; choose another name", written.display());
            return Err(Error::Parameter { name: "-o", reason });
        }
    }
    Ok(())
}

/// Imports files, each with the importer that recognises it. For a folder, imports every file in the folder
/// that an importer recognises.
///
/// If at least one file can be imported, files that cannot be imported are skipped. A score on which two
/// files disagree is also skipped. [`Imported::faults`] lists what was skipped. A score that two files state
/// identically is imported once.
///
/// # Errors
/// [`Error::Read`], [`Error::Foreign`] or [`Error::Csv`] of the first file, if no file can be imported.
pub fn import(paths: &[PathBuf], options: &ImportOptions) -> Result<Imported> {
    let mut all = Imported::empty();
    let files = files(paths, &mut all.notes)?;
    let (mut read, mut first_fault) = (vec![], None);
    for path in &files {
        match import_file(path, options) {
            Ok(imported) => read.push((path, imported)),
            Err(error) => {
                all.faults.push(error.chain());
                first_fault.get_or_insert(error);
            }
        }
    }
    if let (true, Some(error)) = (read.is_empty(), first_fault) {
        return Err(error);
    }
    settle(&mut read, &mut all);
    all.notes.extend(options.n_items.keys().filter(|task| !is_used(&read, task)).map(|task| {
        format!(
            "--n-items {task} is not used: the files either state the number of items of this task or \
                 contain no score of it"
        )
    }));
    for (_, mut imported) in read {
        imported.notes.retain(|note| !all.notes.contains(note));
        all.extend(imported);
    }
    hide_keys(&mut all);
    Ok(all)
}

/// Redacts keys in names, file names and messages. The importers have already redacted the texts that they
/// copied.
fn hide_keys(all: &mut Imported) {
    let mut keys = KeyRedaction::new();
    let of_scores = all
        .scores
        .iter_mut()
        .flat_map(|score| [&mut score.task, &mut score.provider].into_iter().chain(&mut score.grader));
    let of_items = all.items.iter_mut().flat_map(|item| [&mut item.row.task, &mut item.provider]);
    for text in of_scores.chain(of_items) {
        *text = keys.copy(|| "the name of a task, scorer or provider".into(), text);
    }
    for source in &mut all.provenance.sources {
        source.file = keys.copy(|| "the name of a file or folder".into(), &source.file);
        let hashes = std::mem::take(&mut source.samples_sha256);
        for (name, hash) in hashes {
            let mut name = keys.copy(|| "the name of a task, scorer or provider".into(), &name);
            // After redaction, names with different keys may be equal, so a suffix distinguishes them.
            while source.samples_sha256.contains_key(&name) {
                name.push('+');
            }
            source.samples_sha256.insert(name, hash);
        }
    }
    let note = keys.note().map(|note| format!("An imported file {note}"));
    for text in all.notes.iter_mut().chain(&mut all.faults) {
        *text = keys.copy(String::new, text);
    }
    all.notes.extend(note);
}

/// Whether an imported score uses the number of items that the user gave for a task.
fn is_used(read: &[(&PathBuf, Imported)], task: &str) -> bool {
    read.iter().any(|(_, imported)| imported.given_items.contains_key(task))
}

fn import_file(path: &Path, options: &ImportOptions) -> Result<Imported> {
    let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let form = Form::of(&bytes);
    let file = Opened { path, bytes: &bytes, form: &form };
    let importer = importer_of(&file)?;
    let mut imported = importer.import(&file, options).map_err(|error| match error {
        // The reason may quote a text from the file that contains a key.
        Error::Foreign { path, reason } => {
            Error::Foreign { path, reason: KeyRedaction::new().copy(String::new, &reason) }
        }
        other => other,
    })?;
    let mut keys = KeyRedaction::new();
    for (task, n) in &imported.given_items {
        let task = keys.copy(String::new, task);
        imported.notes.push(format!("{task}: the number of items, {n}, comes from --n-items"));
        if let Some(source) = imported.provenance.sources.first_mut() {
            source.settings.insert(format!("--n-items {task}"), n.to_string());
        }
    }
    imported.notes.insert(0, format!("{}: read by the importer {}", path.display(), importer.name()));
    Ok(imported)
}

/// The files to import. The files of a folder are sorted by name.
fn files(paths: &[PathBuf], notes: &mut Vec<String>) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut within = vec![];
        below(path, &mut within)?;
        let known: Vec<PathBuf> = within.iter().filter(|file| is_result(file)).cloned().collect();
        if known.is_empty() {
            let reason =
                "contains no file that an importer recognises; `surmise list importers` shows which files \
                 each importer reads"
                    .into();
            return Err(Error::Foreign { path: path.clone(), reason });
        }
        let others = within.len() - known.len();
        if others > 0 {
            let text = format!(
                "{}: {others} files are not imported on their own: no importer recognises them, or they are \
                 read together with another file",
                path.display()
            );
            notes.push(text);
        }
        files.extend(known);
    }
    Ok(files)
}

/// Collects all files in a folder and its subfolders, sorted by name. Does not follow links to folders.
fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let fault = |source| Error::Read { path: folder.into(), source };
    let mut entries =
        std::fs::read_dir(folder).map_err(fault)?.collect::<std::io::Result<Vec<_>>>().map_err(fault)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            below(&entry.path(), found)?;
        } else if entry.path().is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Whether to import a file of a folder on its own: an importer recognises it and does not read it together
/// with another file.
fn is_result(path: &Path) -> bool {
    let is_beside = ALL.iter().any(|importer| importer.reads_beside(path));
    !is_beside
        && disk::read(path)
            .is_ok_and(|bytes| is_known(&Opened { path, bytes: &bytes, form: &Form::of(&bytes) }))
}

type Key = (String, String, usize);

fn key(score: &Score) -> Key {
    (score.model.clone(), score.task.clone(), score.shots)
}

/// Removes duplicate scores. If the duplicates differ, all of them are removed. Otherwise only one score is
/// kept, if possible a score with answers.
fn settle(read: &mut [(&PathBuf, Imported)], all: &mut Imported) {
    let mut stated: BTreeMap<Key, Vec<(usize, Score)>> = BTreeMap::new();
    for (file, (_, imported)) in read.iter().enumerate() {
        for score in &imported.scores {
            stated.entry(key(score)).or_default().push((file, score.clone()));
        }
    }
    let name = |file: usize| read[file].0.display().to_string();
    let answered: Vec<BTreeSet<Key>> = read
        .iter()
        .map(|(_, imported)| {
            let items = imported.items.iter();
            items.map(|item| (item.model.clone(), item.row.task.clone(), item.row.shots)).collect()
        })
        .collect();
    let mut dropped: BTreeSet<(usize, Key)> = BTreeSet::new();
    for (key, rows) in stated.into_iter().filter(|(_, rows)| rows.len() > 1) {
        let (model, task, shots) = &key;
        let what = format!("{task} of {model} with {}", count(*shots, "shot"));
        let has_answers = |file: usize| answered[file].contains(&key);
        let (first, score) = rows.iter().find(|(file, _)| has_answers(*file)).unwrap_or(&rows[0]);
        let same = |(file, other): &(usize, Score)| {
            let is_alike = has_answers(*file) == has_answers(*first);
            let is_near = |number: fn(&Score) -> Option<f64>| {
                let (one, another) = (number(score).unwrap_or(-1.0), number(other).unwrap_or(-1.0));
                // Summation in a different order changes only the last digits.
                (one - another).abs() <= 1e-9
            };
            let is_same = is_near(|score| score.accuracy) && other.n_scored == score.n_scored;
            // If one of the files has no answers, its accuracy may count missing answers as wrong.
            let is_same = is_same || (!is_alike && is_near(|score| score.accuracy_all_as_wrong));
            is_same && other.n_items == score.n_items
        };
        let is_same = rows.iter().all(same);
        // If one file contains a score twice, it is unclear to which of the two an answer belongs.
        let is_within = rows.windows(2).any(|pair| pair[0].0 == pair[1].0);
        if is_same && !is_within {
            let others = || rows.iter().map(|(file, _)| *file).filter(|file| file != first);
            let names: Vec<String> = others().map(name).collect();
            all.notes.push(format!(
                "{what} is imported only from {}, because its values are the same in {}",
                name(*first),
                names.join(", ")
            ));
            dropped.extend(others().map(|file| (file, key.clone())));
            continue;
        }
        let is_alike = rows.iter().all(|(file, _)| has_answers(*file) == has_answers(*first));
        let stated: Vec<String> =
            rows.iter().map(|(file, row)| format!("{} in {}", value(row, is_alike), name(*file))).collect();
        let why = match is_alike {
            true => "the files disagree",
            false => {
                "the values differ and one of the files has no answers, so surmise cannot determine whether \
                 the files disagree or only count missing answers differently"
            }
        };
        all.faults.push(format!(
            "{what} is {}: not imported, because {why}; give only one of these files, or distinguish the \
             models with --model",
            stated.join(" and ")
        ));
        dropped.extend(rows.iter().map(|(file, _)| (*file, key.clone())));
    }
    for (file, (_, imported)) in read.iter_mut().enumerate() {
        let is_kept = |key: Key| !dropped.contains(&(file, key));
        imported.scores.retain(|score| is_kept(key(score)));
        imported.items.retain(|item| is_kept((item.model.clone(), item.row.task.clone(), item.row.shots)));
    }
}

/// Describes the accuracy of a score and, unless `is_alike`, also the accuracy that counts missing answers as
/// wrong.
fn value(score: &Score, is_alike: bool) -> String {
    let shown = |accuracy: Option<f64>| {
        accuracy.map_or_else(|| "without accuracy".into(), |accuracy| format!("{accuracy:.4}"))
    };
    let all = match is_alike {
        true => String::new(),
        false => format!("; {} if missing answers count as wrong", shown(score.accuracy_all_as_wrong)),
    };
    format!("{} ({} of {} scored{all})", shown(score.accuracy), score.n_scored, score.n_items)
}
