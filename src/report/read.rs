//! Reads the input files of reports. Columns are found by name, so that files of other versions and tools can
//! be read.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::input::ReportInput;
use super::selection::{KnownNames, Selection};
use super::{cells, models};
use crate::disk;
use crate::disk::Lines;
use crate::emergence::{Profile, ProfileRow, ProfileStore};
use crate::error::{Error, Result};

/// profiles.csv, with the columns of [`ProfileRow`].
pub(super) const PROFILES: ReportInput = ReportInput {
    file: "profiles.csv",
    columns: &[
        "model",
        "family",
        "n_params",
        "corpus",
        "n_windows",
        "estimator",
        "scale",
        "block",
        "role",
        "reading_index",
        "control",
        "noise_scale",
        "emergence_nats",
        "stderr_nats",
        "variance_nats2",
        "random_init_nats",
        "learned_nats",
    ],
};

/// The selected rows of profiles.csv at one noise scale, and this noise scale.
///
/// # Errors
/// [`Error::Read`], [`Error::Csv`]; [`Error::Parameter`] if the rows have several estimators or scales, or if
/// no row is left.
pub(super) fn profiles(inputs: &[PathBuf], selection: &Selection) -> Result<(Vec<ProfileRow>, Option<f64>)> {
    let mut rows: Vec<ProfileRow> = vec![];
    for input in inputs {
        let known: BTreeSet<String> = rows.iter().map(|row| row.profile.clone()).collect();
        let read = profile_rows(input)?;
        // A profile that is given twice, or is in two folders, counts once.
        rows.extend(read.into_iter().filter(|row| row.profile.is_empty() || !known.contains(&row.profile)));
    }
    let mut known = KnownNames::default();
    rows.iter().for_each(|row| known.add(&row.model, &row.corpus));
    selection.check(&known)?;
    rows.retain(|row| selection.admits(&row.model, &row.corpus));
    let admitted = rows.iter().map(|row| selection.admits_settings(row)).collect::<Result<Vec<_>>>()?;
    let mut admitted = admitted.into_iter();
    rows.retain(|_| admitted.next().unwrap_or(false));
    check_one_profile_each(&rows)?;
    let path = inputs.first().map_or_else(PathBuf::new, |input| PROFILES.at(input));
    check_places(&rows, &path)?;
    let first = rows.first().ok_or_else(|| Selection::nothing(&path, "row"))?;
    let (estimator, scale) = (first.estimator.clone(), first.scale);
    if let Some(other) = rows.iter().find(|row| (row.estimator.as_str(), row.scale) != (&estimator, scale)) {
        let reason = format!(
            "of {} were measured with {estimator} ({scale:?}) and with {} ({:?}), which are not comparable; \
             make a separate report for each",
            path.display(),
            other.estimator,
            other.scale
        );
        return Err(Error::Parameter { name: "rows", reason });
    }
    let mut noise_scales: Vec<f64> = rows.iter().filter_map(|row| row.noise_scale).collect();
    noise_scales.sort_by(f64::total_cmp);
    noise_scales.dedup();
    let headline = Some(scale.headline_precision()).filter(|headline| noise_scales.contains(headline));
    let wanted = selection.noise_scale.or(headline).or(noise_scales.first().copied());
    if let Some(wanted) = wanted.filter(|wanted| !noise_scales.contains(wanted)) {
        let known: Vec<String> = noise_scales.iter().map(f64::to_string).collect();
        let reason =
            format!("{wanted} is not in {}; the values there are {}", path.display(), known.join(", "));
        return Err(Error::Parameter { name: "--noise-scale", reason });
    }
    rows.retain(|row| row.noise_scale == wanted);
    Ok((rows, wanted))
}

/// The rows of all profiles in a folder, or of a file profiles.csv.
fn profile_rows(input: &Path) -> Result<Vec<ProfileRow>> {
    if input.is_dir() {
        let profiles: Vec<Profile> = ProfileStore::new(input).read_all()?;
        if !profiles.is_empty() {
            let rows: Vec<ProfileRow> = profiles.iter().flat_map(Profile::rows).collect();
            check_numbers(&rows, input)?;
            return Ok(rows);
        }
    }
    csv_rows(&PROFILES, input)
}

/// Rejects profiles in a folder with a number that cannot be shown.
pub(super) fn check_numbers<T: Serialize>(rows: &[T], folder: &Path) -> Result<()> {
    match rows.iter().find_map(|row| cells::odd(row, None)) {
        None => Ok(()),
        Some(reason) => {
            let reason = format!("of {}: {reason}", folder.display());
            Err(Error::Parameter { name: "profiles", reason })
        }
    }
}

/// Rejects a block or reading point of 0, and indices that are too large for the number of rows.
fn check_places(rows: &[ProfileRow], path: &Path) -> Result<()> {
    let most = |of: fn(&ProfileRow) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let least = |of: fn(&ProfileRow) -> usize| rows.iter().map(of).min().unwrap_or(1);
    for (column, of) in
        [("block", (|row| row.block) as fn(&ProfileRow) -> usize), ("reading_index", |row| row.reading_index)]
    {
        if least(of) == 0 {
            let reason =
                format!("of {} have {column} 0, but indices start at 1; correct the file", path.display());
            return Err(Error::Parameter { name: "rows", reason });
        }
    }
    let (blocks, points) = (most(|row| row.block), most(|row| row.reading_index));
    if cells::fill_grid(rows.len(), blocks, points) {
        return Ok(());
    }
    let reason = format!(
        "of {} have indices up to block {blocks} and reading point {points}, but there are only {} rows, so \
         an index is probably wrong; correct the columns block and reading_index",
        path.display(),
        rows.len()
    );
    Err(Error::Parameter { name: "rows", reason })
}

/// Rejects two profiles of one model and corpus, which a table or curve would mix.
fn check_one_profile_each(rows: &[ProfileRow]) -> Result<()> {
    let mut first: BTreeMap<(&str, &str), &ProfileRow> = BTreeMap::new();
    for row in rows {
        let one = *first.entry((&row.model, &row.corpus)).or_insert(row);
        if one.profile == row.profile {
            continue;
        }
        let differ = one.settings().differences(&row.settings(), &["profile"]);
        let reason = format!(
            "of {} on {} come from two profiles ({}); select one with --select NAME=VALUE",
            row.model,
            row.corpus,
            differ.join("; ")
        );
        return Err(Error::Parameter { name: "rows", reason });
    }
    Ok(())
}

/// Describes the noise scale for a caption.
pub(super) fn at_noise_scale(noise_scale: Option<f64>) -> String {
    noise_scale.map_or("without added noise".to_owned(), |b| format!("at b = {b}"))
}

/// The rows of a CSV file, or of the file in a folder. Rejects numbers that cannot be shown.
pub(super) fn csv_rows<T: DeserializeOwned + Serialize>(input: &ReportInput, path: &Path) -> Result<Vec<T>> {
    let path = input.at(path);
    let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let fault = |error: csv::Error| {
        let line = Lines::at(&bytes, error.position());
        let reason = format!("{error}; give a {} that surmise wrote", input.file);
        Error::Csv { path: path.clone(), line, reason }
    };
    let header = reader.headers().map_err(fault)?.clone();
    input.check(&path, &header)?;
    let (mut rows, mut lines) = (vec![], Lines::new(&bytes));
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let row: T = record.deserialize(Some(&header)).map_err(fault)?;
        let line = lines.of(record.position());
        if let Some(reason) = cells::odd(&row, Some((&header, &record))) {
            return Err(Error::Csv { path, line, reason });
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The distinct values of a column, in order of first occurrence.
pub(super) fn names<'a, T>(rows: &'a [T], of: impl Fn(&'a T) -> &'a str) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    rows.iter().map(of).filter(|name| seen.insert(*name)).collect()
}

/// Model names sorted by family and then by size.
pub(super) fn by_size<R: Borrow<ProfileRow>>(rows: &[R]) -> Vec<&str> {
    models::by_size(sizes(rows))
}

/// The layout of the models in figures of curves.
pub(super) fn layout<R: Borrow<ProfileRow>>(rows: &[R]) -> models::Layout<'_> {
    models::Layout::of(sizes(rows))
}

fn sizes<R: Borrow<ProfileRow>>(rows: &[R]) -> impl Iterator<Item = (&str, usize, &str)> {
    let rows = rows.iter().map(Borrow::borrow);
    rows.map(|row| (row.family.as_deref().unwrap_or_default(), row.n_params, row.model.as_str()))
}
