//! Measures positional profiles, each model on each corpus, and stores or prints them.

use super::flags::Flags;
use super::prepared::{Prepared, kept};
use super::summary::{self, summary};
use crate::cli::texts::CorpusSource;
use crate::cli::{Progress, TableBytes, status};
use crate::emergence::{Origin, Profile, ProfileRow, measure_once, measure_with_progress, settings_of};
use crate::error::Result;

/// Progress steps for one model and corpus.
const STEPS: u64 = 1000;

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let sampling = flags.sampling.positional(quiet)?;
    let settings = flags.estimator.settings(sampling.scale, sampling.draw.seed, flags.micro)?;
    let sources = CorpusSource::all(&flags.corpora, &flags.texts, sampling.draw)?;
    let prepared = Prepared::new::<Profile>(flags, sources.iter().map(CorpusSource::name), quiet)?;
    let store = prepared.store.as_ref();
    let progress = Progress::start((flags.models.len() * sources.len()) as u64 * STEPS, quiet);
    let mut profiles: Vec<(Profile, Origin)> = vec![];
    for name in &flags.models {
        let model = prepared.open(name, true)?;
        for source in &sources {
            progress.set_message(format!("{}, {}", model.info.id, source.name()));
            let corpus = source.corpus(&model.tokenizer)?;
            let before = profiles.len() as u64 * STEPS;
            let step = |done: usize, total: usize| {
                progress.set_position(before + STEPS * done as u64 / total.max(1) as u64);
            };
            let wanted = settings_of(&model, &corpus, &settings);
            let measure = || measure_with_progress(&model, &corpus, &settings, &step);
            profiles.push(measure_once(store, &model.info, &corpus.name, &wanted, measure)?);
            progress.set_position(before + STEPS);
        }
    }
    progress.finish();
    if let Some(store) = store {
        store.write_table::<Profile>()?;
    }
    if store.is_none() || flags.table.is_given() {
        let rows: Vec<ProfileRow> = profiles.iter().flat_map(|(profile, _)| profile.rows()).collect();
        flags.table.write_to(None, &TableBytes::of_rows("profiles", &rows)?)?;
    }
    if !quiet {
        for (profile, origin) in &profiles {
            if let Some(note) = kept(&profile.model.id, &profile.corpus.name, &profile.settings, origin) {
                status(&note);
            }
            status(&summary(profile));
            summary::advice(profile).iter().for_each(|line| status(line));
        }
        if settings.estimator().noise_scales().is_empty() {
            status(summary::DETERMINISTIC);
        }
        status(summary::NOT_ACROSS_FAMILIES);
    }
    Ok(())
}
