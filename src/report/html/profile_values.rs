//! Extracts the values of a profile for its heat map: one list per quantity, ordered by block and then by
//! column.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::data::short;
use crate::corpus::Role;
use crate::emergence::semantic::{Init, ReadingRow, SemanticRow};
use crate::emergence::{ProfileRow, ProfileSettings};
use crate::report::cells::fill_grid;
use crate::report::flags;

/// The data of one profile on the page.
#[derive(Debug)]
pub(super) struct ProfileValues {
    pub kind: &'static str,
    pub model: String,
    pub family: Option<String>,
    pub n_params: usize,
    pub corpus: String,
    /// Distinguishes the profile from others of the same model and corpus.
    pub profile: String,
    /// Settings of the measurement, as pairs of name and value.
    pub facts: Vec<(String, String)>,
    pub blocks: usize,
    pub columns: Vec<usize>,
    pub flag_names: Vec<String>,
    /// The values at each noise scale, the default scale first.
    pub scales: Vec<ScaleValues>,
}

/// The values at one noise scale.
#[derive(Debug)]
pub(super) struct ScaleValues {
    pub noise_scale: Option<f64>,
    /// Value, bounds and flags.
    pub core: Map<String, Value>,
    /// Further quantities, included if the page has space.
    pub extra: Map<String, Value>,
}

/// A quantity: its name, and its value in a row.
type Quantity<'a, R> = (&'a str, &'a dyn Fn(&R) -> Option<f64>);

/// A grid of rows by block and column. `place` returns the block and column of a row.
struct Grid<'a, R> {
    blocks: usize,
    columns: &'a [usize],
    rows: Vec<&'a R>,
    place: fn(&R) -> (usize, usize),
}

impl<R> Grid<'_, R> {
    /// The values of all cells, ordered by block and then by column; null for a cell without a row.
    fn list(&self, value: impl Fn(&R) -> Value) -> Value {
        let mut cells = vec![Value::Null; self.blocks * self.columns.len()];
        for row in &self.rows {
            let (block, column) = (self.place)(row);
            let Ok(column) = self.columns.binary_search(&column) else { continue };
            if (1..=self.blocks).contains(&block) {
                cells[(block - 1) * self.columns.len() + column] = value(row);
            }
        }
        Value::Array(cells)
    }

    fn lists(&self, values: &[Quantity<'_, R>]) -> Map<String, Value> {
        let named = values.iter().map(|(name, value)| ((*name).into(), self.list(|row| short(value(row)))));
        // Omit quantities that no row has.
        named
            .filter(|(_, list)| list.as_array().is_some_and(|cells| !cells.iter().all(Value::is_null)))
            .collect()
    }
}

/// The distinct flags of all cells, in order of first occurrence.
fn flag_names(cells: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for flag in cells.flatten() {
        if !names.contains(&flag) {
            names.push(flag);
        }
    }
    names
}

/// The flags of a cell as a bit mask. Bit `i` stands for the flag `names[i]`.
fn bits(names: &[String], flags: &[String]) -> Value {
    let places = names.iter().enumerate().filter(|(_, name)| flags.contains(name));
    json!(places.fold(0_u32, |bits, (at, _)| bits | 1_u32.checked_shl(at as u32).unwrap_or(0)))
}

fn sorted(values: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut values: Vec<usize> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The values of a semantic profile, from its rows at the default noise scale and its readings at all noise
/// scales. Readings may be empty.
pub(super) fn semantic(rows: &[SemanticRow], readings: &[ReadingRow]) -> Option<ProfileValues> {
    let first = rows.first()?;
    let columns = sorted(rows.iter().map(|row| row.shots));
    let n_scales = sorted(readings.iter().map(|row| row.noise_scale.to_bits() as usize)).len();
    let n_blocks = first.blocks.saturating_mul(n_scales.max(1));
    if !fill_grid(rows.len() + readings.len(), n_blocks, columns.len()) {
        return None;
    }
    let place = |row: &SemanticRow| (row.block, row.shots);
    let grid = Grid { blocks: first.blocks, columns: &columns, rows: rows.iter().collect(), place };
    let names = flag_names(rows.iter().map(flags::semantic));
    let mut core = grid.lists(&[
        ("share", &|row| Some(row.macro_share)),
        ("share_stderr", &|row| row.macro_share_stderr),
        ("random_init", &|row| row.macro_share_random_init),
    ]);
    core.insert("flags".into(), grid.list(|row| bits(&names, &flags::semantic(row))));
    let extra = grid.lists(&[
        ("output_share", &|row| row.output_share),
        ("micro_nats", &|row| row.micro_nats),
        ("emergence_nats", &|row| row.emergence_nats),
        ("no_shared_answer", &|row| row.macro_share_no_shared_answer),
        ("half_sets", &|row| row.macro_share_half_sets),
    ]);
    let mut scales = vec![ScaleValues { noise_scale: Some(first.noise_scale), core, extra }];
    let others = readings.iter().filter(|row| row.control.is_none() && row.noise_scale != first.noise_scale);
    let mut by_scale: BTreeMap<u64, Vec<&ReadingRow>> = BTreeMap::new();
    // Positive floating-point numbers have the same order as their bits.
    others.for_each(|row| by_scale.entry(row.noise_scale.to_bits()).or_default().push(row));
    for (noise_scale, rows) in by_scale {
        let place = |row: &ReadingRow| (row.block, row.shots);
        let of = |init: Init| {
            let rows = rows.iter().filter(|row| row.init == init).copied().collect();
            Grid { blocks: first.blocks, columns: &columns, rows, place }
        };
        let mut core = of(Init::Trained).lists(&[
            ("share", &|row| Some(row.macro_share)),
            ("share_stderr", &|row| row.macro_share_stderr),
        ]);
        core.extend(of(Init::RandomInit).lists(&[("random_init", &|row| Some(row.macro_share))]));
        let extra = of(Init::Trained)
            .lists(&[("micro_nats", &|row| row.micro_nats), ("emergence_nats", &|row| row.emergence_nats)]);
        scales.push(ScaleValues { noise_scale: Some(f64::from_bits(noise_scale)), core, extra });
    }
    let facts = [
        ("example sets S", first.sets.to_string()),
        ("queries X", first.queries.to_string()),
        ("relations", first.relations.to_string()),
        ("form", first.form.clone()),
        ("bos", first.bos.clone()),
        ("dtype", first.dtype.clone()),
        ("seed", first.seed.to_string()),
        ("weights_sha256", first.weights_sha256.clone()),
        ("corpus_sha256", first.corpus_sha256.clone()),
        ("surmise", first.version.clone()),
    ];
    Some(ProfileValues {
        kind: "semantic",
        model: first.model.clone(),
        family: first.family.clone(),
        n_params: first.n_params,
        corpus: first.corpus.clone(),
        profile: first.profile.clone(),
        facts: facts.map(|(name, value)| (name.to_owned(), value)).into(),
        blocks: first.blocks,
        columns: columns.clone(),
        flag_names: names,
        scales,
    })
}

/// The values of a positional profile, from its rows at all noise scales. Separators are excluded, because
/// they are one fixed token.
pub(super) fn positional(rows: &[ProfileRow]) -> Option<ProfileValues> {
    let shown: Vec<&ProfileRow> = rows.iter().filter(|row| row.role != Role::Separator).collect();
    let first = *shown.first()?;
    let columns = sorted(shown.iter().map(|row| row.reading_index));
    let blocks = shown.iter().map(|row| row.block).max()?;
    let mut noise_scales: Vec<Option<f64>> = shown.iter().map(|row| row.noise_scale).collect();
    noise_scales.sort_by(|a, b| a.unwrap_or(0.0).total_cmp(&b.unwrap_or(0.0)));
    noise_scales.dedup();
    if !fill_grid(shown.len(), blocks.saturating_mul(noise_scales.len()), columns.len()) {
        return None;
    }
    // Put the noise scale of the headline first.
    let headline = Some(first.scale.headline_precision());
    noise_scales.sort_by_key(|noise_scale| *noise_scale != headline);
    let names = flag_names(shown.iter().map(|row| flags::positional(row)));
    let scale = |noise_scale: &Option<f64>| {
        let at: Vec<&ProfileRow> =
            shown.iter().filter(|row| row.noise_scale == *noise_scale).copied().collect();
        let (own, control): (Vec<&ProfileRow>, Vec<&ProfileRow>) =
            at.iter().partition(|row| row.control.is_none());
        let place = |row: &ProfileRow| (row.block, row.reading_index);
        let grid = Grid { blocks, columns: &columns, rows: own, place };
        let control = Grid { blocks, columns: &columns, rows: control, place };
        let mut core = grid.lists(&[
            ("emergence_nats", &|row| Some(row.emergence_nats)),
            ("stderr_nats", &|row| row.stderr_nats),
            ("low", &|row| Some(row.macro_lower_nats? - row.micro_upper_nats?)),
            ("high", &|row| Some(row.macro_upper_nats? - row.micro_lower_nats?)),
            ("random_init", &|row| Some(row.random_init_nats)),
        ]);
        core.insert("flags".into(), grid.list(|row| bits(&names, &flags::positional(row))));
        let mut extra = grid.lists(&[
            ("macro_nats", &|row| Some(row.macro_mi_nats)),
            ("micro_nats", &|row| Some(row.micro_mi_nats)),
            ("ceiling_nats", &|row| Some(row.macro_ceiling_nats)),
            ("variance_nats2", &|row| row.variance_nats2),
        ]);
        extra.extend(control.lists(&[("control", &|row| Some(row.emergence_nats))]));
        ScaleValues { noise_scale: *noise_scale, core, extra }
    };
    let scales = noise_scales.iter().map(scale).collect();
    Some(ProfileValues {
        kind: "positional",
        model: first.model.clone(),
        family: first.family.clone(),
        n_params: first.n_params,
        corpus: first.corpus.clone(),
        profile: first.profile.clone(),
        facts: facts(&first.settings(), first),
        blocks,
        columns: columns.clone(),
        flag_names: names,
        scales,
    })
}

fn facts(settings: &ProfileSettings, row: &ProfileRow) -> Vec<(String, String)> {
    let version = ("surmise".to_owned(), row.version.clone());
    let pair = |name: &str| (name.to_owned(), settings.get(name).unwrap_or_default().to_owned());
    settings.names().filter(|name| *name != "profile").map(pair).chain([version]).collect()
}
