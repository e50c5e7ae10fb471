//! The steps of a blind test, from hidden members to rows.

use std::path::Path;

use super::closed;
use super::family::{Family, Member};
use super::folder::check_settings;
use super::member_profiles::{Measured, MemberProfiles};
use super::observe::{ObservedMember, observations};
use super::prediction::{check, predict};
use super::reading::Readings;
use super::record::{BlindRow, BlindTest};
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::PredictionRow;
use crate::collect::Score;
use crate::disk;
use crate::error::Result;

/// Runs the back-tests and writes their files into a folder. Answers and measurements that the folder already
/// holds are reused. `step` receives a description of each step.
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
    let answers = closed::ask(family, &hidden, settings, how.port, folder, step)?;
    let scores: Vec<&Score> = answers.values().flat_map(|answers| &answers.scores).collect();
    disk::write(&folder.join("scores.csv"), &disk::csv_bytes("scores.csv".as_ref(), &scores)?)?;
    let mut profiles = MemberProfiles::new(family, settings, folder.join("profiles"));
    let mut readings = Readings::new(family, settings, folder.join("readings"));
    let (mut predictions, mut rows): (Vec<PredictionRow>, Vec<BlindRow>) = (vec![], vec![]);
    for member in &hidden {
        step(&format!("the others of {}", member.id));
        let others = family.others(member);
        let reader = family.reader(&others);
        let mut known = vec![];
        for other in &others {
            // Of the others only: the profile of `member` is not read before its prediction is written.
            let own = Some(profiles.of(&other.id)?);
            let answers = &answers[&other.id];
            let reading = readings.read_by(reader, answers)?;
            known.push(ObservedMember { member: other, answers, reading, profiles: own });
        }
        let answers = &answers[&member.id];
        let reading = readings.read_by(reader, answers)?;
        let observed = ObservedMember { member, answers, reading, profiles: None };
        let prediction = predict(known, observed, how)?;
        prediction.write(folder, &predictions)?;
        step(&format!("{}, unmasked", member.id));
        let measured = Measured::new(&profiles.of(&member.id)?, how.noise_scale)?;
        rows.push(BlindRow::new(member, &prediction, measured, &settings.estimator, how));
        predictions.push(prediction.measured(measured));
    }
    // Every member is measured now: one table of all, and the predictions beside the measurements.
    let known: Vec<&Member> = family.members.iter().filter(|m| answers.contains_key(&m.id)).collect();
    let reader = family.reader(&known);
    let mut observed = vec![];
    for member in known {
        let (own, answers) = (Some(profiles.of(&member.id)?), &answers[&member.id]);
        let reading = readings.read_by(reader, answers)?;
        observed.push(ObservedMember { member, answers, reading, profiles: own });
    }
    let table = observations(&observed, how.noise_scale, how.sizes)?;
    disk::write(&folder.join("observations.csv"), &table)?;
    let path = folder.join("predictions.csv");
    disk::write(&path, &PredictionRow::to_bytes(&path, &predictions)?)?;
    let mut test = BlindTest::new(family, settings, how, rows);
    test.write(folder)?;
    Ok(test)
}
