//! The blind test: a model that could be opened is served as if it were closed, asked over the wire,
//! predicted from what came back, and only then opened.
//!
//! Every member of a family that is to be hidden is a back-test of its own: the card is fitted on all members
//! of other recipes and on the smaller ones of its own. What a prediction is made of is an [`Outside`] of the
//! hidden member (what its API says) and the profiles of the others. Its own profile is not among these;
//! where one member is hidden it is not even measured before the prediction is on disk, where several are, it
//! may be as one of the others of an earlier one.

mod closed;
mod context;
mod family;
mod guess;
mod inside;
mod observe;
mod outside;
mod questions;
mod reading;
mod record;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::family::{Family, Member};
pub use self::guess::{FEATURES, Guess};
pub use self::outside::Outside;
pub use self::record::{Row, Summary, Test};

use self::inside::Inside;
use self::observe::Known;
use self::reading::Readings;
use crate::calibration::PredictionRow;
use crate::collect::Score;
use crate::corpus::Category;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::mi::Scale;

/// What is asked and measured: everything that decides what a folder holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Corpora, by name or file; the headline is the mean over them.
    pub corpora: Vec<String>,
    /// Windows of each profile.
    pub windows: usize,
    /// Entities per series.
    pub shots: usize,
    /// Most shots of the in-context tasks.
    pub task_shots: usize,
    /// Questions per relation of the in-context tasks.
    pub items: usize,
    /// Series per corpus that a hidden model is shown to see what its next token owes to their beginning.
    pub context_windows: usize,
    /// One seed for all that is drawn.
    pub seed: u64,
    /// Scale of the estimator.
    pub scale: Scale,
}

/// How predictions are made of what a folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Recipes or members to be hidden; all if none is named.
    pub hide: Vec<String>,
    /// The estimator's noise scale at which emergence is predicted.
    pub noise_scale: f64,
    /// What the card is fitted on.
    pub features: Vec<String>,
    /// Whether sizes count as published: the size is then a feature, and a candidate has to beat the size
    /// line.
    pub sizes: bool,
    /// Nominal level of the intervals.
    pub level: f64,
    /// Port of the server; 0 takes a free one.
    pub port: u16,
}

/// Runs the back-tests into a folder; what is there already is neither asked nor measured again. `step` is
/// told what comes next.
///
/// # Errors
/// [`Error::Parameter`] for a folder of other settings, an unknown member, or a family of which nothing can
/// be predicted; whatever a stage finds wrong.
pub fn run(
    family: &Family,
    settings: &Settings,
    choice: &Choice,
    folder: &Path,
    step: &dyn Fn(&str),
) -> Result<Test> {
    let hidden = family.hidden(&choice.hide)?;
    guess::check(choice, settings)?;
    disk::make_folder(folder)?;
    disk::probe(folder)?;
    settle(folder, family, settings)?;
    let outside = closed::ask(family, &hidden, settings, choice.port, folder, step)?;
    let scores: Vec<&Score> = outside.values().flat_map(|outside| &outside.scores).collect();
    disk::write(&folder.join("scores.csv"), &disk::csv_bytes("scores.csv".as_ref(), &scores)?)?;
    let mut inside = Inside::new(family, settings, choice.noise_scale, folder.join("profiles"));
    let mut readings = Readings::new(family, settings, choice.noise_scale, folder.join("readings"));
    let (mut predictions, mut rows): (Vec<PredictionRow>, Vec<Row>) = (vec![], vec![]);
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
        let guess = guess::guess(&known, &gains, member, &outside[&member.id], gain, choice)?;
        guess.write(folder, &mut predictions)?;
        step(&format!("{}, unmasked", member.id));
        let measured = inside.emergence_nats(&member.id)?;
        rows.push(Row::new(member, &guess, measured, choice));
    }
    let mut test = Test::new(family, settings, choice, rows);
    test.write(folder)?;
    Ok(test)
}

/// What a folder holds results of: settings.json.
#[derive(Debug, Serialize)]
struct Settled {
    schema: Schema,
    members: Vec<Member>,
    settings: Settings,
    /// A corpus of the same name may be another.
    corpora_sha256: Vec<String>,
}

/// Writes what the folder holds results of, or compares with what stands there.
fn settle(folder: &Path, family: &Family, settings: &Settings) -> Result<()> {
    let members = family.members.clone();
    let hashes = settings.corpora.iter().map(|name| Ok(Category::load(name)?.sha256));
    let wanted = Settled {
        schema: Schema::new("surmise-blind-settings", 2),
        members,
        settings: settings.clone(),
        corpora_sha256: hashes.collect::<Result<_>>()?,
    };
    let path = folder.join("settings.json");
    if !path.is_file() {
        return disk::write_json(&path, &wanted);
    }
    let bytes = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let json = |source| Error::Json { path: path.clone(), source };
    let there: Value = serde_json::from_slice(&bytes).map_err(json)?;
    let wanted = serde_json::to_value(&wanted).map_err(json)?;
    if there == wanted {
        return Ok(());
    }
    let (here, old) = (&wanted["settings"], &there["settings"]);
    let mut differ: Vec<String> = here
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, now)| old[name.as_str()] != **now)
        .map(|(name, now)| format!("{name}: {} there, {now} here", old[name.as_str()]))
        .collect();
    if there["members"] != wanted["members"] {
        differ.push("other members".into());
    }
    if there["corpora_sha256"] != wanted["corpora_sha256"] {
        differ.push("other corpora, of the same names or not".into());
    }
    if there["schema"] != wanted["schema"] {
        differ.push("another version".into());
    }
    let reason = format!(
        "{} holds a blind test of other settings ({}); choose another folder",
        folder.display(),
        differ.join("; ")
    );
    Err(Error::Parameter { name: "-o", reason })
}
