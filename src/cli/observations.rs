//! `surmise observations`: profiles, scores and readings as one table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::{print, status};
use crate::collect::Score;
use crate::disk::{self, Lines};
use crate::emergence::{Profile, ProfileStore, SettingFilter};
use crate::error::{Error, Result};
use crate::observations::{
    ComparisonRow, JoinInputs, PublishedModel, check_profiles, choose_noise_scale, join, renamed,
};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A folder of `surmise measure -o`; several are repetitions with other seeds
    #[arg(long, required = true, value_name = "DIR")]
    profiles: Vec<PathBuf>,
    /// Use only profiles with this setting, such as n_windows=1000, dtype=f32 or seed=1; may be given several
    /// times. The names are those under `settings` in a profile
    #[arg(long, value_name = "NAME=VALUE")]
    select: Vec<SettingFilter>,
    /// scores.csv of open and closed models
    #[arg(long, value_name = "FILE", num_args = 1..)]
    scores: Vec<PathBuf>,
    /// Texts as one reader reads them, each group named after the model that wrote it, and `reference`: a
    /// folder of `surmise measure --texts -o`, or the CSV file of `surmise compare`
    #[arg(long, value_name = "DIR|FILE")]
    readings: Vec<PathBuf>,
    /// A CSV file with model,family,params_b of models without a profile, as far as published
    #[arg(long, value_name = "FILE")]
    models: Option<PathBuf>,
    /// The proxy of every target [default: the smallest measured member of its family]
    #[arg(long, value_name = "MODEL")]
    proxy: Option<String>,
    /// The estimator's noise scale [default: the smallest at which all bounds are within 0.3 nat]
    #[arg(long, alias = "setting", value_name = "B")]
    noise_scale: Option<f64>,
    /// The CSV file to be written [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A row of `--models`.
#[derive(Debug, Deserialize)]
struct Published {
    model: String,
    family: String,
    params_b: Option<f64>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let output = flags.output.as_ref().filter(|path| path.as_os_str() != "-");
    if let Some(path) = output {
        disk::check_apart(flags.scores.iter().chain(&flags.models), path)?;
        // Of a folder every profile is read.
        for input in flags.profiles.iter().chain(&flags.readings) {
            let files = if input.is_dir() { ProfileStore::new(input).files()? } else { vec![input.clone()] };
            disk::check_apart(&files, path)?;
        }
    }
    let folders = |folders: &[PathBuf]| -> Result<Vec<Profile>> {
        Ok(folders
            .iter()
            .map(|folder| profiles(folder))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    };
    let profiles = selected(folders(&flags.profiles)?, &flags.select)?;
    check_profiles(&profiles)?;
    let noise_scale = match flags.noise_scale {
        Some(noise_scale) => Some(measured_at(&profiles, noise_scale)?),
        None => choose_noise_scale(&profiles)?,
    };
    let mut scores: Vec<Score> = vec![];
    for file in &flags.scores {
        scores.extend(rows::<Score>(file)?);
    }
    let mut published = BTreeMap::new();
    for row in flags.models.as_ref().map(|file| rows::<Published>(file)).transpose()?.unwrap_or_default() {
        if let Some(size) = row.params_b.filter(|size| !(size.is_finite() && *size > 0.0)) {
            let reason = format!(
                "gives {} a params_b of {size}; sizes are above 0, a missing one is an empty cell",
                row.model
            );
            return Err(Error::Parameter { name: "--models", reason });
        }
        published.insert(row.model, PublishedModel { family: row.family, params_b: row.params_b });
    }
    let (dirs, files): (Vec<PathBuf>, Vec<PathBuf>) =
        flags.readings.iter().cloned().partition(|path| path.is_dir());
    let readings = folders(&dirs)?;
    let comparisons = files.iter().map(|file| comparisons(file)).collect::<Result<Vec<_>>>()?.concat();
    let inputs = JoinInputs {
        profiles,
        scores,
        readings,
        comparisons,
        published,
        proxy: flags.proxy.clone(),
        noise_scale,
    };
    let joined = join(&inputs)?;
    let bytes = disk::csv_bytes("observations.csv".as_ref(), &joined.table)?;
    match output {
        Some(path) => disk::write(path, &bytes)?,
        None => print(&bytes)?,
    }
    let n = joined.table.len() - 1;
    if !quiet {
        status(&match noise_scale {
            Some(b) => format!("{n} rows at b = {b}"),
            None => format!("{n} rows without added noise"),
        });
        if !joined.unmatched.is_empty() {
            status(&format!("groups of texts that match no target: {}", joined.unmatched.join(", ")));
        }
    }
    if joined.n_unsupported == 0 {
        return Ok(());
    }
    let reason = format!(
        "{} of {n} rows lack a proxy or a headline; the column status and the note beside it say why",
        joined.n_unsupported
    );
    Err(Error::Gaps { reason })
}

/// Every profile of a folder, by file name.
fn profiles(folder: &Path) -> Result<Vec<Profile>> {
    let profiles: Vec<Profile> = ProfileStore::new(folder).read_all()?;
    if profiles.is_empty() {
        let reason = "holds no profile; it is the folder that `surmise measure -o` wrote, with one JSON per \
                      model, corpus and settings";
        return Err(Error::Config { path: folder.into(), reason: reason.into() });
    }
    Ok(profiles)
}

/// The profiles that have every setting asked for.
fn selected(profiles: Vec<Profile>, filters: &[SettingFilter]) -> Result<Vec<Profile>> {
    let mut selected = vec![];
    for profile in profiles {
        let holds =
            filters.iter().map(|filter| filter.holds(&profile.settings)).collect::<Result<Vec<_>>>()?;
        if holds.iter().all(|holds| *holds) {
            selected.push(profile);
        }
    }
    if selected.is_empty() {
        let reason = "leaves no profile; the values are under `settings` in the profiles".into();
        return Err(Error::Parameter { name: "--select", reason });
    }
    Ok(selected)
}

fn measured_at(profiles: &[Profile], noise_scale: f64) -> Result<f64> {
    match profiles.iter().find(|profile| !profile.estimator.noise_scales.contains(&noise_scale)) {
        None => Ok(noise_scale),
        Some(profile) => {
            let known: Vec<String> = profile.estimator.noise_scales.iter().map(ToString::to_string).collect();
            let reason =
                format!("is {noise_scale}; {} was measured at {}", profile.model.id, known.join(", "));
            Err(Error::Parameter { name: "--noise-scale", reason })
        }
    }
}

/// The rows of comparisons.csv. A noise scale may be missing, so that its old name would go unnoticed.
fn comparisons(path: &Path) -> Result<Vec<ComparisonRow>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let header = csv::Reader::from_reader(bytes.as_slice()).headers().cloned().unwrap_or_default();
    match renamed(|name| header.iter().any(|column| column.trim() == name)) {
        Some(reason) => Err(Error::Csv { path: path.into(), line: 1, reason }),
        None => rows(path),
    }
}

/// Rows of a CSV file of a known form.
fn rows<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
    let row = |row: csv::Result<T>| {
        row.map_err(|source| Error::Csv {
            path: path.into(),
            line: Lines::at(&bytes, source.position()),
            reason: source.to_string(),
        })
    };
    reader.deserialize().map(row).collect()
}
