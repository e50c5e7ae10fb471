//! Reads semantic profiles: the JSON files of a folder, or profiles.csv with summaries.csv in the same
//! folder.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::cells::fill_grid;
use super::super::input::ReportInput;
use super::super::models::{Layout, by_size};
use super::super::read::{check_numbers, csv_rows};
use super::super::selection::{KnownNames, Selection};
use crate::disk;
use crate::emergence::semantic::{SemanticProfile, SemanticRow, SummaryRow};
use crate::emergence::{ProfileSettings, ProfileStore};
use crate::error::{Error, Result};

/// profiles.csv, with the columns of [`SemanticRow`].
const PROFILES: ReportInput = ReportInput {
    file: "profiles.csv",
    columns: &["model", "corpus", "shots", "block", "blocks", SHARE, "micro_nats", "output_share"],
};

/// summaries.csv, with the columns of [`SummaryRow`].
const SUMMARIES: ReportInput = ReportInput {
    file: "summaries.csv",
    columns: &["model", "corpus", "shots", "accuracy", "share_mean", "share_mean_stderr"],
};

/// The column that distinguishes semantic from positional profiles.
const SHARE: &str = "macro_share";

/// The selected rows of semantic profiles, all with the same design.
pub(in crate::report) struct SemanticTables {
    /// One row for each model, corpus, number of shots and block.
    pub rows: Vec<SemanticRow>,
    /// One row for each model, corpus and number of shots.
    pub summaries: Vec<SummaryRow>,
}

/// The semantic profiles of the inputs; `None` if the inputs contain none.
///
/// # Errors
/// [`Error::Read`], [`Error::Csv`]; [`Error::Parameter`] if some inputs have another estimand, if the
/// profiles have several designs, if one model and corpus has several profiles, or if no row is left.
pub(in crate::report) fn read(inputs: &[PathBuf], selection: &Selection) -> Result<Option<SemanticTables>> {
    let mut tables = SemanticTables { rows: vec![], summaries: vec![] };
    let mut known = KnownNames::default();
    let mut seen: BTreeMap<(String, String), ProfileSettings> = BTreeMap::new();
    let mut n_semantic = 0;
    for input in inputs {
        let store = ProfileStore::new(input);
        if input.is_dir() && store.holds::<SemanticProfile>()? {
            n_semantic += 1;
            for profile in store.read_all::<SemanticProfile>()? {
                known.add(&profile.model.id, &profile.corpus.name);
                add_profile(&mut tables, &mut seen, &profile, selection)?;
            }
        } else if is_semantic_table(&PROFILES.at(input)) {
            n_semantic += 1;
            add_table(&mut tables, &mut known, input, selection)?;
        }
    }
    if n_semantic == 0 {
        return Ok(None);
    }
    if n_semantic < inputs.len() {
        let reason = "are semantic profiles and other files; make one report of the semantic profiles and \
                      another of the other files"
            .into();
        return Err(Error::Parameter { name: "the inputs", reason });
    }
    selection.check(&known)?;
    if tables.rows.is_empty() {
        return Err(Selection::nothing(&inputs[0], "row"));
    }
    check_one_design(&tables, selection)?;
    check_numbers(&tables.rows, &inputs[0])?;
    check_numbers(&tables.summaries, &inputs[0])?;
    check_places(&tables)?;
    Ok(Some(tables))
}

fn add_profile(
    tables: &mut SemanticTables,
    seen: &mut BTreeMap<(String, String), ProfileSettings>,
    profile: &SemanticProfile,
    selection: &Selection,
) -> Result<()> {
    let (model, corpus) = (&profile.model.id, &profile.corpus.name);
    let held = selection.settings.iter().map(|filter| filter.holds(&profile.settings));
    let is_chosen = held.collect::<Result<Vec<_>>>()?.into_iter().all(|holds| holds);
    if !is_chosen || !selection.admits(model, corpus) {
        return Ok(());
    }
    match seen.insert((model.clone(), corpus.clone()), profile.settings.clone()) {
        Some(before) if before != profile.settings => {
            let differ = before.differences(&profile.settings, &[]).join("; ");
            Err(twice(model, corpus, &format!(" ({differ}); select one with --select NAME=VALUE")))
        }
        // A profile that is given twice, or is in two folders, counts once.
        Some(_) => Ok(()),
        None => {
            tables.rows.extend(profile.rows());
            tables.summaries.extend(profile.summary_rows());
            Ok(())
        }
    }
}

fn add_table(
    tables: &mut SemanticTables,
    known: &mut KnownNames,
    input: &Path,
    selection: &Selection,
) -> Result<()> {
    if !selection.settings.is_empty() {
        let reason =
            "selects profiles of a folder, not of a table; give the folder that `surmise measure -o` wrote";
        return Err(Error::Parameter { name: "--select", reason: reason.into() });
    }
    let beside = PROFILES.at(input).with_file_name(SUMMARIES.file);
    let rows: Vec<SemanticRow> = csv_rows(&PROFILES, input)?;
    let summaries: Vec<SummaryRow> = csv_rows(&SUMMARIES, &beside)?;
    rows.iter().for_each(|row| known.add(&row.model, &row.corpus));
    let rows = rows.into_iter().filter(|row| selection.admits(&row.model, &row.corpus));
    for row in rows {
        let place = |other: &SemanticRow| {
            (&other.model, &other.corpus, other.shots, other.block)
                == (&row.model, &row.corpus, row.shots, row.block)
        };
        if tables.rows.iter().any(place) {
            return Err(twice(&row.model, &row.corpus, "; give the folder and select one with --select"));
        }
        tables.rows.push(row);
    }
    tables.summaries.extend(summaries.into_iter().filter(|row| selection.admits(&row.model, &row.corpus)));
    Ok(())
}

/// Rejects a block index outside its model, and block counts that are too large for the number of rows.
fn check_places(tables: &SemanticTables) -> Result<()> {
    let is_wrong = |row: &&SemanticRow| !(1..=row.blocks).contains(&row.block);
    if let Some(row) = tables.rows.iter().find(is_wrong) {
        let SemanticRow { model, corpus, block, blocks, .. } = row;
        let reason =
            format!("of {model} on {corpus} have block {block} of {blocks} blocks; correct the file");
        return Err(Error::Parameter { name: "rows", reason });
    }
    let blocks = tables.rows.iter().map(|row| row.blocks).max().unwrap_or(0);
    let (rows, shots) = (tables.rows.len(), tables.shots().len());
    if fill_grid(rows, blocks, shots) {
        return Ok(());
    }
    let reason =
        format!("are too few ({rows}) for a model with {blocks} blocks; correct the column `blocks`");
    Err(Error::Parameter { name: "rows", reason })
}

fn twice(model: &str, corpus: &str, what: &str) -> Error {
    Error::Parameter { name: "rows", reason: format!("of {model} on {corpus} come from two profiles{what}") }
}

/// Maximum length of a header line in bytes.
const LONGEST_HEADER: u64 = 1 << 20;

/// Whether a file is a table of semantic profiles; false if the file cannot be read.
fn is_semantic_table(path: &Path) -> bool {
    let Ok(file) = disk::open(path) else { return false };
    let header = csv::Reader::from_reader(file.take(LONGEST_HEADER)).headers().cloned();
    header.is_ok_and(|header| header.iter().any(|column| column == SHARE))
}

/// Rejects profiles with different designs: the share depends on S, X and b.
fn check_one_design(tables: &SemanticTables, selection: &Selection) -> Result<()> {
    let design = |row: &SemanticRow| (row.sets, row.queries, row.noise_scale);
    let first = &tables.rows[0];
    if let Some(other) = tables.rows.iter().find(|row| design(row) != design(first)) {
        let of = |row: &SemanticRow| {
            let (sets, queries, b) = design(row);
            format!("{sets} sets, {queries} queries and b = {b} ({} on {})", row.model, row.corpus)
        };
        let reason = format!(
            "were measured with {} and with {}, which are not comparable; make a separate report for each",
            of(first),
            of(other)
        );
        return Err(Error::Parameter { name: "rows", reason });
    }
    match selection.noise_scale {
        Some(b) if b != first.noise_scale => {
            let reason = format!(
                "{b} is not in the tables, which have b = {}; readings.csv has the shares at every b",
                first.noise_scale
            );
            Err(Error::Parameter { name: "--noise-scale", reason })
        }
        _ => Ok(()),
    }
}

impl SemanticTables {
    /// Model names sorted by family and then by size.
    pub fn models(&self) -> Vec<&str> {
        by_size(self.sizes())
    }

    /// The layout of the models in figures of curves.
    pub fn layout(&self) -> Layout<'_> {
        Layout::of(self.sizes())
    }

    fn sizes(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        self.rows
            .iter()
            .map(|row| (row.family.as_deref().unwrap_or_default(), row.n_params, row.model.as_str()))
    }

    /// The corpora, in order of first occurrence.
    pub fn corpora(&self) -> Vec<&str> {
        super::super::read::names(&self.rows, |row| row.corpus.as_str())
    }

    /// The numbers of examples, in ascending order.
    pub fn shots(&self) -> Vec<usize> {
        let mut shots: Vec<usize> = self.rows.iter().map(|row| row.shots).collect();
        shots.sort_unstable();
        shots.dedup();
        shots
    }

    /// The rows of a model on a corpus with one number of shots, sorted by block.
    pub fn blocks(&self, model: &str, corpus: &str, shots: usize) -> Vec<&SemanticRow> {
        let is_wanted = |row: &&SemanticRow| row.model == model && row.corpus == corpus && row.shots == shots;
        let mut rows: Vec<&SemanticRow> = self.rows.iter().filter(is_wanted).collect();
        rows.sort_by_key(|row| row.block);
        rows
    }

    /// Describes the design and the noise scale of all rows.
    pub fn design(&self) -> String {
        let row = &self.rows[0];
        format!("S = {}, X = {}, b = {}", row.sets, row.queries, row.noise_scale)
    }

    /// Whether randomly initialised models were measured.
    pub fn has_random_init(&self) -> bool {
        self.rows.iter().any(|row| row.macro_share_random_init.is_some())
    }
}
