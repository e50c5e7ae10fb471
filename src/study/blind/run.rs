//! The steps of a blind test, from hidden members to rows.

use std::path::Path;

use super::closed;
use super::family::{Family, Member};
use super::folder::check_settings;
use super::inside::Inside;
use super::observe::Known;
use super::prediction::{check, predict};
use super::reading::Readings;
use super::record::{BlindRow, BlindTest};
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::PredictionRow;
use crate::collect::Score;
use crate::disk;
use crate::error::Result;

/// Runs the back-tests into a folder; what is there already is neither asked nor measured again. `step` is
/// told what comes next.
///
/// # Errors
/// [`Error::Parameter`] for a folder of other settings, an unknown member, or a family of which nothing can
/// be predicted; whatever a stage finds wrong.
pub fn run(
    family: &Family,
    settings: &BlindSettings,
    how: &PredictionSettings,
    folder: &Path,
    step: &dyn Fn(&str),
) -> Result<BlindTest> {
    let hidden = family.hidden(&how.hide)?;
    check(how, settings)?;
    disk::make_folder(folder)?;
    disk::probe(folder)?;
    check_settings(folder, family, settings)?;
    let outside = closed::ask(family, &hidden, settings, how.port, folder, step)?;
    let scores: Vec<&Score> = outside.values().flat_map(|outside| &outside.scores).collect();
    disk::write(&folder.join("scores.csv"), &disk::csv_bytes("scores.csv".as_ref(), &scores)?)?;
    let mut inside = Inside::new(family, settings, how.noise_scale, folder.join("profiles"));
    let mut readings = Readings::new(family, settings, how.noise_scale, folder.join("readings"));
    let (mut predictions, mut rows): (Vec<PredictionRow>, Vec<BlindRow>) = (vec![], vec![]);
    for member in &hidden {
        step(&format!("the others of {}", member.id));
        let others = family.others(member);
        let mut known = vec![];
        for other in &others {
            // Of the others alone: the profile of `member` is not asked for before its prediction is written.
            let emergence_nats = inside.emergence_nats(&other.id)?.emergence_nats;
            known.push(Known { member: other, outside: &outside[&other.id], emergence_nats });
        }
        let reader = family.reader(&others);
        let read = |readings: &mut Readings, of: &Member| match reader {
            Some(reader) => readings.gain_nats(reader, &outside[&of.id]),
            None => Ok(None),
        };
        let gains = others.iter().map(|other| read(&mut readings, other)).collect::<Result<Vec<_>>>()?;
        let gain = read(&mut readings, member)?;
        let prediction = predict(&known, &gains, member, &outside[&member.id], gain, how)?;
        prediction.write(folder, &mut predictions)?;
        step(&format!("{}, unmasked", member.id));
        let measured = inside.emergence_nats(&member.id)?;
        rows.push(BlindRow::new(member, &prediction, measured, how));
    }
    let mut test = BlindTest::new(family, settings, how, rows);
    test.write(folder)?;
    Ok(test)
}
