//! Measures a profile: the macro and micro information of every block, for the trained and the randomly
//! initialised model, on a corpus and its control.

use sha2::{Digest, Sha256};

use super::attention_sink::position_0_norm_ratios;
use super::block_reading::{BlockFlag, BlockMi, BlockReading};
use super::positional::block_information;
use super::profile::{CorpusInfo, EstimatorInfo, Profile};
use super::profile_settings::ProfileSettings;
use super::random_init::random_init_information;
use super::settings::MeasureSettings;
use super::steps::Steps;
use super::store::StoredProfile;
use crate::corpus::{Corpus, Role};
use crate::disk::Schema;
use crate::error::{Error, Result};
use crate::mi::Estimate;
use crate::model::{Bos, Model};
use crate::seed;

/// Position 0 is an attention sink if the ratio of norms exceeds this.
const SINK_RATIO: f64 = 10.0;

/// Measures the emergence of `model`, and of its randomly initialised version, at every block and reading
/// point of `corpus`. If the corpus has a control, the function also measures the control and appends its
/// rows, which contain the name of the control.
///
/// The states of each distinct prefix and of each distinct token are computed once. Estimates are made only
/// at reading points. The result is bit-identical on any number of threads.
///
/// # Errors
/// An error if a window does not fit the model, a residual stream contains NaN or infinity, or the estimator
/// rejects the states.
pub fn measure(model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> Result<Profile> {
    measure_with_progress(model, corpus, settings, &|_, _| ())
}

/// Like [`measure`], but calls `progress` with the number of completed steps and the total.
///
/// # Errors
/// Returns the errors of [`measure`].
pub fn measure_with_progress(
    model: &Model,
    corpus: &Corpus,
    settings: &MeasureSettings,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Profile> {
    let n_corpora = if corpus.control.is_some() { 2 } else { 1 };
    // For each corpus, the progress counts four tasks, with one step for each block: the states and the
    // estimates of the trained model and of the randomly initialised model.
    let steps = Steps::new(n_corpora * 4 * model.info.n_layers, progress);
    let mut profile = without_readings(model, corpus, settings);
    profile.blocks = readings(model, corpus, settings, &steps)?;
    profile.headline = profile.headline_at(settings.estimator().headline_noise_scale());
    if let Some(control) = corpus.control {
        let readings = readings(model, &control.of(corpus, settings.seed), settings, &steps)?;
        let named = |reading| BlockReading { control: Some(control.name().into()), ..reading };
        profile.blocks.extend(readings.into_iter().map(named));
    }
    Ok(profile)
}

/// All settings that determine the results of a profile. If profiles.csv has a column for a setting, the
/// setting has the name of the column.
pub fn settings_of(model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> ProfileSettings {
    let estimator = settings.estimator();
    let noise_scales: Vec<String> = estimator.noise_scales().iter().map(f64::to_string).collect();
    let own = [
        ("corpus_sha256", corpus.sha256.clone()),
        ("tokens_sha256", tokens_sha256(corpus)),
        ("n_windows", corpus.windows.len().to_string()),
        ("shots", shots(corpus).to_string()),
        ("bos", bos(corpus).name().to_owned()),
        ("control", corpus.control.map_or("none", |control| control.name()).to_owned()),
        ("estimator", estimator.name().to_owned()),
        ("scale", settings.scale().name().to_owned()),
        ("noise_scales", noise_scales.join(" ")),
        ("micro", settings.micro.name().to_owned()),
        ("seed", settings.seed.to_string()),
        ("random_init", "on".to_owned()),
        ("random_init_seed", settings.random_init_seed.to_string()),
    ];
    ProfileSettings::of_estimand(Profile::ESTIMAND, model, own)
}

/// SHA-256 of the token ids and token labels of all windows.
fn tokens_sha256(corpus: &Corpus) -> String {
    let mut hash = Sha256::new();
    for window in &corpus.windows {
        hash.update((window.ids.len() as u64).to_le_bytes());
        for (id, label) in window.ids.iter().zip(&window.labels) {
            hash.update(id.to_le_bytes());
            hash.update([label.role as u8, u8::from(label.is_reading_point)]);
            hash.update((label.reading_index as u64).to_le_bytes());
        }
    }
    seed::hex(&hash.finalize())
}

/// The number of entities per series, or of tokens per window of a text.
fn shots(corpus: &Corpus) -> usize {
    corpus.reading_points().iter().map(|(_, index)| *index).max().unwrap_or(0)
}

/// Whether windows begin with special tokens.
fn bos(corpus: &Corpus) -> Bos {
    if corpus.prefix.is_empty() { Bos::Off } else { Bos::On }
}

fn without_readings(model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> Profile {
    let points = corpus.reading_points();
    let mut roles: Vec<Role> = points.iter().map(|(role, _)| *role).collect();
    roles.sort_unstable();
    roles.dedup();
    Profile {
        schema: Schema::new(Profile::SCHEMA, Profile::VERSION),
        settings: settings_of(model, corpus, settings),
        model: model.info.clone(),
        corpus: CorpusInfo {
            name: corpus.name.clone(),
            sha256: corpus.sha256.clone(),
            n_windows: corpus.windows.len(),
            n_distinct: corpus.n_distinct(),
            window_tokens: corpus.windows.iter().map(|window| window.ids.len()).max().unwrap_or(0),
            n_tokens: corpus.windows.iter().map(|window| window.ids.len() - corpus.prefix.len()).sum(),
            n_bytes: corpus.windows.iter().map(|window| window.n_bytes).sum(),
            shots: shots(corpus),
            roles,
            bos: bos(corpus),
            control: corpus.control,
        },
        estimator: EstimatorInfo {
            name: settings.estimator().name().into(),
            scale: settings.scale(),
            noise_scales: settings.estimator().noise_scales().to_vec(),
            micro: settings.micro,
            seed: settings.seed,
        },
        random_init_seed: settings.random_init_seed,
        headline: None,
        blocks: vec![],
    }
}

/// One row for each block, reading point and noise scale.
fn readings(
    model: &Model,
    corpus: &Corpus,
    settings: &MeasureSettings,
    steps: &Steps<'_>,
) -> Result<Vec<BlockReading>> {
    let room = model.room_for_states()?;
    let ratios = position_0_norm_ratios(&model.decoder, &model.info.id, corpus, room)?;
    let trained = block_information(&model.decoder, &model.info.id, corpus, settings, room, steps)?;
    let random_init = random_init_information(model, corpus, settings, room, steps)?;
    let reading_points = corpus.reading_points();
    let mut readings = vec![];
    for (block, (trained, random_init)) in trained.iter().zip(&random_init).enumerate() {
        let position_0_norm_ratio = ratios.get(block).copied().flatten();
        let is_sink = position_0_norm_ratio.is_some_and(|ratio| ratio > SINK_RATIO);
        for (at, &(role, reading_index)) in reading_points.iter().enumerate() {
            let position = position(corpus, role, reading_index);
            for (s, (macro_mi, micro_mi)) in trained.macro_mi[at].iter().zip(&trained.micro_mi).enumerate() {
                let emergence_nats = trained.emergence_nats(at, s);
                let random_init_nats = random_init.emergence_nats(at, s);
                let stderr = |e: &Estimate| e.stderr_nats.filter(|stderr| stderr.is_finite());
                let reading = BlockReading {
                    block: block + 1,
                    position,
                    role,
                    reading_index,
                    control: None,
                    noise_scale: macro_mi.noise_scale,
                    macro_mi: BlockMi::from(macro_mi),
                    micro_mi: BlockMi::from(micro_mi),
                    emergence_nats,
                    stderr_nats: stderr(macro_mi).zip(stderr(micro_mi)).map(|(a, b)| a.hypot(b)),
                    variance_nats2: stderr(macro_mi).map(|e| e * e * macro_mi.n as f64),
                    random_init_nats,
                    learned_nats: emergence_nats - random_init_nats,
                    position_0_norm_ratio,
                    flags: if is_sink { vec![BlockFlag::AttentionSink] } else { vec![] },
                };
                check_finite(&reading, settings)?;
                readings.push(reading);
            }
        }
    }
    Ok(readings)
}

/// Returns an error for a value that is not finite, because files cannot contain it. [`block_information`]
/// has already reported infinite estimates with a more specific reason.
fn check_finite(reading: &BlockReading, settings: &MeasureSettings) -> Result<()> {
    let numbers = [
        ("macro_mi_nats", reading.macro_mi.mi_nats),
        ("macro_ceiling_nats", reading.macro_mi.ceiling_nats),
        ("micro_mi_nats", reading.micro_mi.mi_nats),
        ("micro_ceiling_nats", reading.micro_mi.ceiling_nats),
        ("random_init_nats", reading.random_init_nats),
    ];
    match numbers.iter().find(|(_, number)| !number.is_finite()) {
        None => Ok(()),
        Some((name, number)) => {
            let reason = format!(
                "{name} is {number} at block {}, reading point {:?}/{}; choose another estimator, or measure \
                 more windows",
                reading.block, reading.role, reading.reading_index
            );
            Err(Error::Samples { estimator: settings.estimator().name(), reason })
        }
    }
}

/// The token index of a reading point; `None` if it differs between windows.
fn position(corpus: &Corpus, role: Role, reading_index: usize) -> Option<usize> {
    let mut at = corpus.at(role, reading_index).into_iter().map(|(_, t)| t);
    let first = at.next()?;
    at.all(|t| t == first).then_some(first)
}
