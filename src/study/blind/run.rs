//! Runs the steps of a blind test, from the hidden members to the rows of the result.

use std::path::Path;

use super::checks::{check_answers, check_members};
use super::closed;
use super::family::{Family, Member};
use super::folder::check_settings;
use super::member_profiles::MemberProfiles;
use super::observe::{ObservedMember, observations};
use super::prediction::{check, predict};
use super::record::BlindRow;
use super::recorded::RecordedRows;
use super::results::BlindTest;
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::PredictionRow;
use crate::disk;
use crate::error::{Error, Result};
use crate::observations::semantic::response;

/// Runs the back-tests and writes their files into a folder. Cards are fitted on the members and the
/// `recorded` rows that a prediction of the hidden member may use. Answers and measurements in the folder are
/// reused. `step` receives a description of each step.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for a folder with other settings, an unknown member, or a
/// family with too few members to predict any of them; errors of the steps.
pub fn run(
    family: &Family,
    recorded: &RecordedRows,
    settings: &BlindSettings,
    how: &PredictionSettings,
    folder: &Path,
    step: &dyn Fn(&str),
) -> Result<BlindTest> {
    let hidden = family.hidden(&how.hide)?;
    check(how, &family.members, recorded)?;
    recorded.check(settings)?;
    check_members(family, &hidden, settings)?;
    let mut profiles = MemberProfiles::new(family, settings, folder.join("profiles"))?;
    disk::make_folder(folder)?;
    disk::probe(folder)?;
    check_settings(folder, family, settings)?;
    // Remove the results of an earlier run, because they do not belong to the cards of this run.
    for file in ["blind.csv", "blind.json"].map(|file| folder.join(file)) {
        if file.is_file() {
            std::fs::remove_file(&file).map_err(|source| Error::Write { path: file.clone(), source })?;
        }
    }
    let answers = closed::ask(family, &hidden, settings, how.port, folder, step)?;
    check_answers(&answers)?;
    let (mut predictions, mut rows): (Vec<PredictionRow>, Vec<BlindRow>) = (vec![], vec![]);
    for member in &hidden {
        step(&format!("{}: predicting", member.id));
        let others = family.others(member);
        // Read only the profiles of the other members. The profile of `member` must not be read before its
        // prediction is written.
        let own = others.iter().map(|other| profiles.of(&other.id)).collect::<Result<Vec<_>>>()?;
        let known = others.iter().zip(&own).map(|(other, own)| ObservedMember {
            member: other,
            answers: &answers[&other.id],
            profiles: Some(own),
        });
        let observed = ObservedMember { member, answers: &answers[&member.id], profiles: None };
        let prediction = predict(known.collect(), observed, recorded, settings, how)?;
        prediction.write(&member.id, folder, &predictions)?;
        step(&format!("{}: measuring its weights", member.id));
        let opened = profiles.of(&member.id)?;
        for row in &prediction.rows {
            let profile = opened.iter().find(|profile| profile.corpus.name == row.prediction.corpus);
            let measured = profile.and_then(|profile| response(profile, row.shots, &how.target));
            rows.push(BlindRow::new(member, &prediction, row, measured, how));
            let baseline_size = row.prediction.y_hat.and(row.baselines.size);
            predictions.push(PredictionRow { measured, baseline_size, ..row.prediction.clone() });
        }
    }
    // All members have been measured: write one table of observations, and add the measurements to
    // predictions.csv.
    let known: Vec<&Member> = family.members.iter().filter(|m| answers.contains_key(&m.id)).collect();
    let own = known.iter().map(|member| profiles.of(&member.id)).collect::<Result<Vec<_>>>()?;
    let observed = known.iter().zip(&own).map(|(member, own)| ObservedMember {
        member,
        answers: &answers[&member.id],
        profiles: Some(own),
    });
    let table = observations(&observed.collect::<Vec<_>>(), settings, true)?;
    let path = folder.join("observations.csv");
    disk::write(&path, &disk::csv_bytes(&path, &table)?)?;
    let path = folder.join("predictions.csv");
    disk::write(&path, &PredictionRow::to_bytes(&path, &predictions)?)?;
    let mut test = BlindTest::new(family, settings, how, rows);
    test.write(folder)?;
    Ok(test)
}
