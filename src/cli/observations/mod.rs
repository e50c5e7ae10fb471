//! `surmise observations`: joins profiles, scores and readings into one table.

mod flags;
mod positional;
mod read;
mod semantic;

use std::path::PathBuf;

pub(super) use self::flags::Flags;
use self::flags::Rows;
use super::{Progress, TableBytes, status};
use crate::disk;
use crate::emergence::ProfileStore;
use crate::emergence::semantic::SemanticProfile;
use crate::error::{Error, Result};
use crate::observations::is_text;

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let output = flags.output.as_ref();
    let mut inputs: Vec<PathBuf> =
        flags.scores.iter().chain(&flags.models).chain(&flags.answers).cloned().collect();
    for input in flags.profiles.iter().chain(&flags.readings) {
        // Every profile in a folder is an input, which no output may replace.
        inputs.extend(if input.is_dir() { ProfileStore::new(input).files()? } else { vec![input.clone()] });
    }
    flags.table.check(output, &inputs)?;
    let mut is_semantic = false;
    for folder in &flags.profiles {
        is_semantic |= ProfileStore::new(folder).holds::<SemanticProfile>()?;
    }
    let bar = Progress::uncounted("joining", quiet);
    let Rows { joined, of, notes } =
        if is_semantic { semantic::rows(flags)? } else { positional::rows(flags)? };
    bar.finish();
    flags.table.write_to(output, &bytes(&joined.table)?)?;
    let n = joined.table.len() - 1;
    if !quiet {
        status(&format!("{n} rows {of}"));
        notes.iter().chain(&joined.notes).for_each(|note| status(&format!("note: {note}")));
        if !joined.unmatched.is_empty() {
            status(&format!("these groups of texts match no target: {}", joined.unmatched.join(", ")));
        }
    }
    if joined.n_unsupported == 0 {
        return Ok(());
    }
    let reason = format!(
        "{} of {n} rows lack a proxy or a measurement; see the columns status and note",
        joined.n_unsupported
    );
    Err(Error::Gaps { reason })
}

/// Formats the table as CSV and JSON. Text columns contain strings; all other columns contain numbers.
fn bytes(table: &[Vec<String>]) -> Result<TableBytes> {
    let (header, rows) = table.split_first().map_or((&[][..], &[][..]), |(header, rows)| (header, rows));
    let cell = |(column, text): (&String, &String)| match text.parse::<serde_json::Number>() {
        _ if text.is_empty() => serde_json::Value::Null,
        Ok(number) if !is_text(column) => number.into(),
        _ => text.as_str().into(),
    };
    let cells: Vec<Vec<serde_json::Value>> =
        rows.iter().map(|row| header.iter().zip(row).map(cell).collect()).collect();
    let columns: Vec<&str> = header.iter().map(String::as_str).collect();
    let json = TableBytes::of_cells("observations", &columns, &cells)?.json;
    Ok(TableBytes { csv: disk::csv_bytes("observations.csv".as_ref(), table)?, json })
}
