//! Runs the steps of the demonstration, from models to predictions.

use std::path::Path;

use super::held_out::held_out;
use crate::calibration::{
    CalibrationSpec, Card, ErrorSummary, Outcome, PredictionRow, Table, calibrate, size_baseline,
};
use crate::collect::{Completion, Score, local};
use crate::corpus::category::DEFAULT;
use crate::corpus::{Category, Series};
use crate::disk;
use crate::emergence::{self, MeasureSettings, Profile, ProfileStore, measure_once};
use crate::error::Result;
use crate::model::Model;
use crate::observations::{self, JoinInputs};

/// Features of the calibration: the emergence of the proxy, and the in-context accuracy of the target, which
/// can be observed for a closed model. Eight training models are too few for more features.
pub const CALIBRATION_FEATURES: [&str; 3] = ["proxy_headline_nats", "accuracy_logit", "accuracy_slope"];
/// Columns of the observations that the calibration ignores. It ignores `params_b`, because the sizes of
/// closed models are seldom published; regression on size serves as a baseline instead. It ignores `family`,
/// because the training models come from too few families for leave-one-family-out cross-validation; single
/// models are left out instead.
pub const IGNORED_COLUMNS: [&str; 2] = ["params_b", "family"];
/// Nominal coverage of the intervals.
pub const LEVEL: f64 = 0.9;
/// The predicted column.
const TARGET: &str = "emergence_nats";
/// Maximum number of examples in a prompt of the in-context task.
const TASK_SHOTS: usize = 7;
/// Number of lists per relation of the in-context task.
const TASK_ITEMS: usize = 100;

/// Settings of the demonstration.
#[derive(Clone)]
pub struct DemoSettings {
    /// Number of windows per profile.
    pub windows: usize,
    /// Number of entities per series.
    pub shots: usize,
    /// Settings of the measurement. Its seed also draws the corpora and tasks.
    pub measure: MeasureSettings,
    /// The family of models whose metadata contain no family.
    pub family: Option<String>,
}

/// Results of the demonstration.
#[derive(Debug)]
pub struct DemoRun {
    /// Profiles of all models on the default corpora.
    pub profiles: Vec<Profile>,
    /// Scores of all models on the in-context tasks.
    pub scores: Vec<Score>,
    /// The content of `observations.csv`.
    pub observations: Vec<u8>,
    /// The smallest noise scale at which the lower and upper bounds of all training models are close
    /// together.
    pub noise_scale: Option<f64>,
    /// The calibration on the models that are not held out.
    pub card: Card,
    /// Predictions of the held-out models, with their measurements.
    pub predictions: Vec<PredictionRow>,
}

/// Runs the demonstration. Profiles are stored in `folder`, if given. Before each measurement, `step`
/// receives the number of finished measurements, the model and the corpus.
///
/// # Errors
/// Errors of the steps; [`crate::Error::Study`] for a model of unknown family.
pub fn run(
    models: &[String],
    settings: &DemoSettings,
    folder: Option<&Path>,
    step: &dyn Fn(usize, &str, &str),
) -> Result<DemoRun> {
    let (profiles, scores) = measure(models, settings, folder, step)?;
    let held_out = held_out(&profiles)?;
    let calibrated_on = profiles.iter().filter(|profile| !held_out.contains(&profile.model.id));
    let noise_scale = observations::choose_noise_scale(calibrated_on)?;
    let inputs = JoinInputs { profiles, scores, noise_scale, ..JoinInputs::default() };
    let joined = observations::join(&inputs)?;
    let observations = disk::csv_bytes("observations.csv".as_ref(), &joined.table)?;
    let table = Table::from_bytes("observations.csv".as_ref(), &observations)?;
    let ids = table.text("target_model")?;
    let (closed, open): (Vec<usize>, Vec<usize>) =
        (0..table.len()).partition(|&row| held_out.contains(ids[row]));
    let (closed, open) = (table.select(&closed), table.select(&open));
    let plan = CalibrationSpec {
        target: TARGET.into(),
        features: CALIBRATION_FEATURES.map(Into::into).to_vec(),
        for_api: true,
        level: LEVEL,
        unit: "nats".into(),
        ..CalibrationSpec::default()
    };
    let card = calibrate(&open.clone().without(&IGNORED_COLUMNS.map(Into::into))?, &plan)?;
    let mut predictions = card.predict(&closed, LEVEL)?;
    add_size_baseline(&mut predictions, &open, &closed)?;
    let JoinInputs { profiles, scores, .. } = inputs;
    Ok(DemoRun { profiles, scores, observations, noise_scale, card, predictions })
}

/// Measures the profiles and scores of all models on the default corpora.
fn measure(
    models: &[String],
    settings: &DemoSettings,
    folder: Option<&Path>,
    step: &dyn Fn(usize, &str, &str),
) -> Result<(Vec<Profile>, Vec<Score>)> {
    let seed = settings.measure.seed;
    let categories = DEFAULT.into_iter().map(Category::load).collect::<Result<Vec<_>>>()?;
    let store = folder.map(ProfileStore::new);
    if let Some(store) = &store {
        // Read the stored profiles now, so that an unreadable profile is reported before the measurements.
        store.read_all::<Profile>()?;
    }
    let (mut profiles, mut scores) = (vec![], vec![]);
    for name in models {
        let mut model = Model::load(name)?;
        model.info.family = model.info.family.or_else(|| settings.family.clone());
        for category in &categories {
            step(profiles.len(), name, &category.name);
            let series = Series::draw(category, settings.shots, settings.windows, seed)?;
            let corpus = series.tokenize(&model.tokenizer)?;
            let wanted = emergence::settings_of(&model, &corpus, &settings.measure);
            let measure = || emergence::measure(&model, &corpus, &settings.measure);
            profiles.push(measure_once(store.as_ref(), &model.info, &corpus.name, &wanted, measure)?.0);
            let task = Completion::draw(category, TASK_SHOTS, TASK_ITEMS, seed)?;
            scores.extend(local::grade(&model, &task)?);
        }
    }
    Ok((profiles, scores))
}

/// Adds the size baseline, which uses the true sizes, to the rows that have a prediction.
fn add_size_baseline(predictions: &mut [PredictionRow], open: &Table, closed: &Table) -> Result<()> {
    let log10_sizes = |table: &Table| -> Result<Vec<f64>> {
        let sizes = table.numbers("params_b")?.into_iter();
        Ok(sizes.map(|size| size.map_or(f64::NAN, f64::log10)).collect())
    };
    let (sizes, values) = (log10_sizes(open)?, open.numbers(TARGET)?);
    let known = sizes.into_iter().zip(values).filter_map(|(size, value)| Some((size, value?)));
    let (sizes, values): (Vec<f64>, Vec<f64>) = known.unzip();
    for (row, size) in predictions.iter_mut().zip(log10_sizes(closed)?) {
        if row.y_hat.is_some() {
            row.baseline_size = size_baseline(&sizes, &values, size)?;
        }
    }
    Ok(())
}

impl DemoRun {
    /// Errors of the predictions and of the baselines.
    pub fn summary(&self) -> ErrorSummary {
        let outcomes: Vec<Outcome> = self.predictions.iter().map(Into::into).collect();
        ErrorSummary::new("nats", &outcomes)
    }

    /// Writes scores.csv, observations.csv, card.json and predictions.csv, and profiles.csv with all profiles
    /// in the folder.
    ///
    /// # Errors
    /// [`crate::Error::Write`], [`crate::Error::Json`]
    pub fn write(&self, folder: &Path) -> Result<()> {
        let file = |name: &str| folder.join(name);
        ProfileStore::new(folder).write_table::<Profile>()?;
        disk::write(&file("scores.csv"), &disk::csv_bytes(&file("scores.csv"), &self.scores)?)?;
        disk::write(&file("observations.csv"), &self.observations)?;
        self.card.write(&file("card.json"))?;
        let predictions = file("predictions.csv");
        disk::write(&predictions, &PredictionRow::to_bytes(&predictions, &self.predictions)?)
    }
}
