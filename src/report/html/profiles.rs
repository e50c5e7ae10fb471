//! Makes the section on profiles: the data of the heat maps. If not all data fit, the default noise scale of
//! every profile has the highest priority, then further quantities, then other noise scales.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::data::{Budget, short};
use super::folder::ResultFiles;
use super::limits::Limits;
use super::profile_values::{ProfileValues, ScaleValues, positional, semantic};
use super::sources::Sources;
use crate::disk;
use crate::disk::Schema;
use crate::emergence::semantic::{ReadingRow, SemanticProfile, SemanticRow};
use crate::emergence::{Profile, ProfileRow, StoredProfile, store};
use crate::error::Error;

/// Makes the section on profiles.
pub(super) fn profiles(files: &ResultFiles, sources: &Sources, limits: &Limits) -> Value {
    let mut profiles: Vec<(String, ProfileValues)> = vec![];
    for path in &files.profiles {
        profiles.extend(read(path, sources).into_iter().map(|profile| (sources.name(path), profile)));
    }
    let order = |(_, a): &(String, ProfileValues)| {
        (
            a.family.clone().unwrap_or_default(),
            a.n_params,
            a.model.clone(),
            a.corpus.clone(),
            a.profile.clone(),
        )
    };
    profiles.sort_by_key(order);
    let mut budget = Budget::new(limits.profiles);
    let mut embedded: Vec<EmbeddedProfile> = vec![];
    let mut n_left_out = 0;
    for (file, profile) in &profiles {
        let default = profile.scales.first().map(|scale| scale_json(scale, &scale.core));
        match (budget.take(head(file, profile)), default.and_then(|default| budget.take(default))) {
            (Some(head), Some(default)) => {
                embedded.push(EmbeddedProfile { profile, head, scales: vec![default] });
            }
            _ => n_left_out += 1,
        }
    }
    for own in &mut embedded {
        let Some(Value::Object(extra)) = budget.take(json!(own.profile.scales[0].extra)) else { continue };
        own.scales[0]["values"].as_object_mut().into_iter().for_each(|values| values.extend(extra.clone()));
    }
    let mut n_scales_left_out = 0;
    for own in &mut embedded {
        for scale in own.profile.scales.iter().skip(1) {
            let values = scale.core.iter().chain(&scale.extra);
            let values = values.map(|(name, list)| (name.clone(), list.clone())).collect();
            match budget.take(scale_json(scale, &values)) {
                Some(scale) => own.scales.push(scale),
                None => n_scales_left_out += 1,
            }
        }
    }
    let list = embedded.into_iter().map(|mut own| {
        own.head["scales"] = json!(own.scales);
        own.head
    });
    json!({
        "list": list.collect::<Vec<_>>(), "n": profiles.len(), "n_left_out": n_left_out,
        "n_scales_left_out": n_scales_left_out,
    })
}

/// A profile on the page, with the noise scales that fit.
struct EmbeddedProfile<'a> {
    profile: &'a ProfileValues,
    head: Value,
    scales: Vec<Value>,
}

fn head(file: &str, profile: &ProfileValues) -> Value {
    json!({
        "file": file, "kind": profile.kind, "model": profile.model, "family": profile.family,
        "n_params": profile.n_params, "corpus": profile.corpus, "profile": profile.profile,
        "facts": profile.facts, "blocks": profile.blocks, "columns": profile.columns,
        "flag_names": profile.flag_names,
    })
}

fn scale_json(scale: &ScaleValues, values: &Map<String, Value>) -> Value {
    json!({"b": short(scale.noise_scale), "values": values})
}

/// The profiles of a file: one from a JSON file, all from a table.
fn read(path: &Path, sources: &Sources) -> Vec<ProfileValues> {
    if path.extension().is_some_and(|extension| extension == "csv") {
        return read_table(path, sources);
    }
    #[derive(Deserialize)]
    struct Head {
        schema: Schema,
    }
    let head = |path: &Path| {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let head: serde_json::Result<Head> = serde_json::from_slice(&bytes);
        head.map_err(|source| Error::Json { path: path.into(), source })
    };
    let Some(Head { schema }) = sources.read(path, head) else { return vec![] };
    let values = if schema.name == Profile::SCHEMA {
        let profile = sources.read(path, store::read::<Profile>);
        profile.and_then(|profile| kept(positional(&profile.rows()), path, sources))
    } else {
        let profile = sources.read(path, store::read::<SemanticProfile>);
        profile.and_then(|profile| kept(semantic(&profile.rows(), &profile.reading_rows()), path, sources))
    };
    values.into_iter().collect()
}

/// Maximum length of a header line in bytes.
const LONGEST_HEADER: u64 = 1 << 20;

/// The profiles of a profiles.csv of either kind. Semantic profiles also use readings.csv in the same folder.
fn read_table(path: &Path, sources: &Sources) -> Vec<ProfileValues> {
    let header =
        disk::open(path).map(|file| csv::Reader::from_reader(file.take(LONGEST_HEADER)).headers().cloned());
    let is_semantic = header
        .is_ok_and(|header| header.is_ok_and(|header| header.iter().any(|column| column == "macro_share")));
    if !is_semantic {
        let rows: Vec<ProfileRow> = sources.rows(path);
        let key = |row: &ProfileRow| (row.model.clone(), row.corpus.clone(), row.profile.clone());
        return grouped(&rows, key).iter().filter_map(|rows| kept(positional(rows), path, sources)).collect();
    }
    let rows: Vec<SemanticRow> = sources.rows(path);
    let beside = path.with_file_name("readings.csv");
    let readings: Vec<ReadingRow> = if beside.is_file() { sources.rows(&beside) } else { vec![] };
    let key = |row: &SemanticRow| (row.model.clone(), row.corpus.clone(), row.profile.clone());
    let of = |rows: &Vec<SemanticRow>| {
        let is_own = |row: &&ReadingRow| {
            (&row.model, &row.corpus, &row.profile) == (&rows[0].model, &rows[0].corpus, &rows[0].profile)
        };
        let readings: Vec<ReadingRow> = readings.iter().filter(is_own).cloned().collect();
        kept(semantic(rows, &readings), path, sources)
    };
    grouped(&rows, key).iter().filter_map(of).collect()
}

/// Returns the profile, or records a problem.
fn kept(profile: Option<ProfileValues>, path: &Path, sources: &Sources) -> Option<ProfileValues> {
    if profile.is_none() {
        sources.problem(path, &"a profile has no rows, or far fewer rows than its blocks and columns need");
    }
    profile
}

/// Groups rows by key, in order of first occurrence.
fn grouped<T: Clone, K: PartialEq>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut groups: Vec<(K, Vec<T>)> = vec![];
    for row in rows {
        match groups.iter_mut().find(|(other, _)| *other == key(row)) {
            Some((_, group)) => group.push(row.clone()),
            None => groups.push((key(row), vec![row.clone()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}
