//! Leaves out features that leak the target: copies of the target in another unit, and columns that were
//! computed from it. They are left out even if the user named them. With such a feature, back-tests look
//! perfect, but a model with an unknown target cannot be predicted.

use super::checks::{RankAgreement, is_identical};
use super::composites::{Composite, composites};
use super::left_out::LeftOut;
use super::numeric_columns::{NumericColumn, is_named_as_mean};
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::Result;

fn column(known: &Table, name: &str) -> Result<Vec<f64>> {
    Ok(known.numbers(name)?.into_iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
}

/// Removes features that are copies of the target, or of another feature, in a different unit. A feature that
/// ranks the rows as the target does is kept if the user named it; a later check warns of it.
pub(super) fn without_copies(
    spec: &CalibrationSpec,
    known: &Table,
    found: Vec<String>,
    left_out: &mut LeftOut,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let target = column(known, &spec.target)?;
    let mut kept: Vec<(String, Vec<f64>)> = vec![];
    for name in found {
        let cells = column(known, &name)?;
        let is_named = spec.features.contains(&name);
        let copied = || kept.iter().find(|(_, other)| is_identical(other, &cells)).map(|(other, _)| other);
        if is_identical(&target, &cells) {
            left_out.add(&name, &format!("the target {} in another unit", spec.target));
        } else if !is_named && RankAgreement::of(&target, &cells) == RankAgreement::Identical {
            notes.push(format!(
                "column {name} ranks the rows as the target {} does and may have been computed from it; it \
                 is left out; name it in --features to keep it",
                spec.target
            ));
        } else if let Some(other) = copied() {
            left_out.add(&name, &format!("{other} in another unit"));
        } else {
            kept.push((name, cells));
        }
    }
    Ok(kept.into_iter().map(|(name, _)| name).collect())
}

/// Removes features that were computed from the target and other columns of the table.
pub(super) fn without_composites(
    spec: &CalibrationSpec,
    known: &Table,
    free: &[String],
    found: Vec<String>,
    left_out: &mut LeftOut,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let mut columns = vec![];
    for name in known.columns() {
        let is_part = *name == spec.target || free.contains(name) || found.contains(name);
        if is_part && known.is_numeric(name) {
            columns.push(NumericColumn::new(name.clone(), column(known, name)?));
        }
    }
    let Some(target) = columns.iter().position(|column| column.name == spec.target) else { return Ok(found) };
    let suspects: Vec<usize> = (0..columns.len()).filter(|&at| found.contains(&columns[at].name)).collect();
    let mut out = vec![];
    for Composite { at, what } in composites(&columns, target, &suspects) {
        left_out.add(&columns[at].name, &format!("{what}, which leaks the target"));
        out.push(columns[at].name.clone());
    }
    let kept: Vec<String> = found.into_iter().filter(|name| !out.contains(name)).collect();
    for name in kept.iter().filter(|name| is_named_as_mean(name) && !spec.features.contains(name)) {
        notes.push(format!(
            "column {name} is named like a mean of other columns: if the target is one of these, leave \
             {name} out with --ignore"
        ));
    }
    Ok(kept)
}
