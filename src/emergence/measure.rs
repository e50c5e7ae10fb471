//! A profile measured: macro and micro information of every block, trained and randomly initialised, on a
//! corpus and its control.

use super::block_reading::{BlockMi, BlockReading};
use super::positional::block_information;
use super::profile::{CorpusInfo, EstimatorInfo, Profile, VERSION};
use super::random_init::random_init_information;
use super::settings::MeasureSettings;
use crate::corpus::{Corpus, Role};
use crate::disk::Schema;
use crate::error::Result;
use crate::mi::Estimate;
use crate::model::Model;

/// Measures the emergence of `model` on `corpus` at every block and reading point, with the randomly
/// initialised model, and the same on the control of the corpus if it has one: the same tokens without what
/// is to be shown. The rows of the control follow and name it.
///
/// Each distinct prefix and each distinct token is computed once; only reading points are estimated. The
/// result is the same to the bit on any number of threads.
///
/// # Errors
/// If a window does not fit the model, a residual stream holds NaN or infinity, or the estimator refuses the
/// states.
pub fn measure(model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> Result<Profile> {
    let mut profile = without_readings(model, corpus, settings);
    profile.blocks = readings(model, corpus, settings)?;
    profile.headline = profile.headline_at(settings.estimator().headline_noise_scale());
    if let Some(control) = corpus.control {
        let readings = readings(model, &control.of(corpus, settings.seed), settings)?;
        let named = |reading| BlockReading { control: Some(control.name().into()), ..reading };
        profile.blocks.extend(readings.into_iter().map(named));
    }
    Ok(profile)
}

/// Whether measuring again would give this profile: the same weights, texts, estimator, seeds and schema.
pub fn is_current(profile: &Profile, model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> bool {
    let wanted = without_readings(model, corpus, settings);
    (&profile.schema, &profile.model, &profile.corpus, &profile.estimator, profile.random_init_seed)
        == (&wanted.schema, &wanted.model, &wanted.corpus, &wanted.estimator, wanted.random_init_seed)
}

fn without_readings(model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> Profile {
    let points = corpus.reading_points();
    let mut roles: Vec<Role> = points.iter().map(|(role, _)| *role).collect();
    roles.sort_unstable();
    roles.dedup();
    Profile {
        schema: Schema::new("profile", VERSION),
        model: model.card.clone(),
        corpus: CorpusInfo {
            name: corpus.name.clone(),
            sha256: corpus.sha256.clone(),
            n_windows: corpus.windows.len(),
            n_distinct: corpus.n_distinct(),
            window_tokens: corpus.windows.iter().map(|window| window.ids.len()).max().unwrap_or(0),
            n_tokens: corpus.windows.iter().map(|window| window.ids.len() - corpus.prefix.len()).sum(),
            n_bytes: corpus.windows.iter().map(|window| window.n_bytes).sum(),
            shots: points.iter().map(|(_, index)| *index).max().unwrap_or(0),
            roles,
            bos: corpus.bos,
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
fn readings(model: &Model, corpus: &Corpus, settings: &MeasureSettings) -> Result<Vec<BlockReading>> {
    let room = model.room_for_states()?;
    let trained = block_information(&model.decoder, &model.card.id, corpus, settings, room)?;
    let random_init = random_init_information(model, corpus, settings, room)?;
    let reading_points = corpus.reading_points();
    let mut readings = vec![];
    for (block, (trained, random_init)) in trained.iter().zip(&random_init).enumerate() {
        for (at, &(role, reading_index)) in reading_points.iter().enumerate() {
            let position = position(corpus, role, reading_index);
            for (s, (macro_mi, micro_mi)) in trained.macro_mi[at].iter().zip(&trained.micro_mi).enumerate() {
                let emergence_nats = trained.emergence_nats(at, s);
                let random_init_nats = random_init.emergence_nats(at, s);
                let stderr = |e: &Estimate| e.stderr_nats;
                readings.push(BlockReading {
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
                });
            }
        }
    }
    Ok(readings)
}

/// The token index of a reading point, if it is the same in every window.
fn position(corpus: &Corpus, role: Role, reading_index: usize) -> Option<usize> {
    let mut at = corpus.at(role, reading_index).into_iter().map(|(_, t)| t);
    let first = at.next()?;
    at.all(|t| t == first).then_some(first)
}
