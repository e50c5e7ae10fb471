//! (e) Texts of people and of a model, as a model reads them.

use surmise::Result;
use surmise::corpus::Texts;
use surmise::corpus::texts::Columns;
use surmise::disk;
use surmise::emergence::compare::{ALPHA, Comparison, Permutations, compare};

use super::position::{measure_texts, window_settings};
use super::{Run, Verdict, facts, report_profiles, settings};

/// Texts of each kind where none are given.
const TEXTS: usize = 300;

pub fn measure(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("texts")?;
    // One model reads what another wrote, unless there is one alone.
    let readers = run.readers();
    let (Some(reader), Some(writer)) = (readers.first(), readers.last()) else { return Ok(vec![]) };
    let file = match &run.opts.texts {
        Some(file) => file.clone(),
        None => facts::against_generated(&folder.join("written.csv"), &run.load(writer)?, TEXTS)?,
    };
    let groups = Texts::read(&file, &Columns::default())?;
    report_profiles(&measure_texts(run, reader, &groups)?, "shots", &folder)?;
    let how = Permutations { permutations: 199, reference: None, step: &|_| {} };
    let rows = compare(&run.load(reader)?, &groups, &window_settings(run), &settings(), &how)?;
    let file = folder.join("comparisons.csv");
    disk::write(&file, &disk::csv_bytes(&file, &rows)?)?;
    let pairs = rows.chunk_by(|x, y| (&x.group_a, &x.group_b) == (&y.group_a, &y.group_b));
    Ok(pairs.map(verdict).collect())
}

fn verdict(pair: &[Comparison]) -> Verdict {
    let values = pair.iter().map(|row| {
        let quantity = row.quantity.replace('_', " ");
        format!(
            "{quantity} {:.2} against {:.2} nats (d = {}, p = {:.3})",
            row.a_nats,
            row.b_nats,
            row.effect_size.map_or("unknown".into(), |d| format!("{d:.2}")),
            row.p_value
        )
    });
    let values: Vec<String> = values.collect();
    let of = &pair[0];
    let numbers = format!(
        "{} reads {} and {}: {}; {}",
        of.model,
        of.group_a,
        of.group_b,
        values.join("; "),
        of.verdict.sentence()
    );
    // Beyond diversity: in the raw value, and beside the shuffled control.
    Verdict { shown: pair.iter().all(|row| row.p_holm <= ALPHA), numbers }
}
