//! Positional profiles: each model on each corpus, kept in a folder or printed.

use super::flags::Flags;
use super::names::{check_label, check_names, kept};
use super::summary::{self, summary};
use crate::cli::texts::CorpusSource;
use crate::cli::{Progress, config_notes, print, status};
use crate::disk;
use crate::emergence::{
    Origin, Profile, ProfileRow, ProfileStore, measure_once, measure_with_progress, settings_of,
};
use crate::error::Result;
use crate::model::Model;
use crate::model::hub;

/// Steps of the display for one model and corpus.
const STEPS: u64 = 1000;

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let sampling = flags.sampling.positional();
    let settings = flags.estimator.settings(sampling.scale, sampling.draw.seed, flags.micro)?;
    let sources = CorpusSource::all(&flags.corpora, &flags.texts, sampling.draw)?;
    // A wrong name is an error before the first model is measured, not after.
    let hub = flags.fetching.hub(&flags.models, quiet)?;
    let labels = flags.models.iter().map(|name| Model::find(name, &hub)).collect::<Result<Vec<_>>>()?;
    check_label(flags)?;
    check_names("MODEL", labels.iter().map(String::as_str), "give one of them a --name of its own")?;
    check_names("--corpus", sources.iter().map(CorpusSource::name), "rename one of the files")?;
    let store = flags.output.as_deref().map(ProfileStore::new);
    if let Some(store) = &store {
        disk::make_folder(store.folder())?;
        disk::probe(store.folder())?;
        // So is a file of the folder that the table could not be made of.
        store.check::<Profile>()?;
    }
    // So is a download that fails; and no measurement waits for one.
    let mut ids = flags.models.iter().filter(|name| hub::is_id(name));
    ids.try_for_each(|name| hub.folder(name, hub::Need::Text).map(drop))?;
    let progress = Progress::start((flags.models.len() * sources.len()) as u64 * STEPS, quiet);
    let mut profiles: Vec<(Profile, Origin)> = vec![];
    for name in &flags.models {
        let mut model = Model::load_with(name, flags.opening.clone().into(), &hub)?;
        config_notes(&model.info, quiet);
        model.info.family = flags.family.clone().or(model.info.family);
        model.info.id = flags.name.clone().unwrap_or(model.info.id);
        for source in &sources {
            progress.set_message(format!("{}, {}", model.info.id, source.name()));
            let corpus = source.corpus(&model.tokenizer)?;
            let before = profiles.len() as u64 * STEPS;
            let step = |done: usize, total: usize| {
                progress.set_position(before + STEPS * done as u64 / total.max(1) as u64);
            };
            let wanted = settings_of(&model, &corpus, &settings);
            let measure = || measure_with_progress(&model, &corpus, &settings, &step);
            profiles.push(measure_once(store.as_ref(), &model.info, &corpus.name, &wanted, measure)?);
            progress.set_position(before + STEPS);
        }
    }
    progress.finish();
    match &store {
        Some(store) => store.write_table::<Profile>()?,
        None => {
            let rows: Vec<ProfileRow> = profiles.iter().flat_map(|(profile, _)| profile.rows()).collect();
            print(&disk::csv_bytes("stdout".as_ref(), &rows)?)?;
        }
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
