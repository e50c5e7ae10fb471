//! `surmise measure`: profiles of models on corpora, as files or as CSV on stdout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::estimator::EstimatorFlag;
use super::texts::{CorpusSource, TextFlags};
use super::{Fetching, Opening, Sampling, choice, config_notes, print, progress, status};
use crate::corpus::Control;
use crate::disk;
use crate::emergence;
use crate::emergence::{Headline, Micro, Profile, ProfileRow};
use crate::error::{Error, Result};
use crate::mi::Flag;
use crate::model::Model;
use crate::model::hub;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Folders with config.json, tokenizer.json and model.safetensors or pytorch_model.bin (in one file or
    /// several), ids on a Hugging Face hub (owner/name, or owner/name@revision), or names from `surmise list
    /// models`
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// A name from `surmise list corpora`, or a CSV file with a column `entity`; may be given several times
    #[arg(long = "corpus", required_unless_present = "texts", value_name = "NAME|FILE")]
    corpora: Vec<String>,
    #[command(flatten)]
    texts: TextFlags,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    sampling: Sampling,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    estimator: EstimatorFlag,
    /// What stands for a token without its context
    #[arg(
        long,
        value_parser = choice::choice(&Micro::ALL, Micro::name, Micro::describe),
        default_value = "alone"
    )]
    micro: Micro,
    /// Family of the models: the recipe that they belong to, for calibration; it is not the architecture
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Folder for one JSON per model and corpus, and profiles.csv of all that are in it; what is there
    /// already is not measured again. Without it the CSV rows go to stdout
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let sampling = &flags.sampling;
    let settings = flags.estimator.settings(sampling.scale, sampling.draw.seed, flags.micro)?;
    let sources = CorpusSource::all(&flags.corpora, &flags.texts, sampling.draw)?;
    // A wrong name is an error before the first model is measured, not after.
    let hub = flags.fetching.hub(&flags.models, quiet)?;
    let ids = flags
        .models
        .iter()
        .map(|name| Ok(disk::id_in_file_names(&Model::find(name, &hub)?)))
        .collect::<Result<Vec<_>>>()?;
    check_names("MODEL", ids.iter().map(String::as_str))?;
    check_names("--corpus", sources.iter().map(CorpusSource::name))?;
    if let Some(folder) = &flags.output {
        disk::make_folder(folder)?;
        disk::probe(folder)?;
    }
    // So is a download that fails; and no measurement waits for one.
    let mut ids = flags.models.iter().filter(|name| hub::is_id(name));
    ids.try_for_each(|name| hub.folder(name, hub::Need::Text).map(drop))?;
    let bar = progress(flags.models.len() * sources.len(), quiet);
    let mut profiles: Vec<Profile> = vec![];
    for name in &flags.models {
        let mut model = Model::load_with(name, flags.opening.clone().into(), &hub)?;
        config_notes(&model.info, quiet);
        model.info.family = flags.family.clone().or(model.info.family);
        for source in &sources {
            bar.set_message(format!("{}, {}", model.info.id, source.name()));
            let corpus = source.corpus(&model.tokenizer)?;
            let file = flags.output.as_ref().map(|d| {
                d.join(format!("{}--{}.json", disk::id_in_file_names(&model.info.id), source.name()))
            });
            let kept = file.as_ref().filter(|f| f.is_file()).map(|file| Profile::read(file)).transpose()?;
            if let (Some(kept), Some(file)) = (&kept, &file)
                && kept.estimator.name != settings.estimator().name()
            {
                let reason = format!(
                    "{} is a profile by {}; name another folder for one by {}",
                    file.display(),
                    kept.estimator.name,
                    settings.estimator().name()
                );
                return Err(Error::Parameter { name: "--output", reason });
            }
            let profile = match kept {
                Some(kept) if emergence::is_current(&kept, &model, &corpus, &settings) => kept,
                _ => emergence::measure(&model, &corpus, &settings)?,
            };
            if let Some(file) = &file {
                disk::write_json(file, &profile)?;
            }
            profiles.push(profile);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let csv = |profiles: &[Profile]| {
        let rows: Vec<ProfileRow> = profiles.iter().flat_map(Profile::rows).collect();
        disk::csv_bytes("profiles.csv".as_ref(), &rows)
    };
    match &flags.output {
        Some(folder) => disk::write(&folder.join("profiles.csv"), &csv(&all(folder)?)?)?,
        None => print(&csv(&profiles)?)?,
    }
    if !quiet {
        for profile in &profiles {
            status(&summary(profile));
        }
        if settings.estimator().noise_scales().is_empty() {
            status(DETERMINISTIC);
        }
    }
    Ok(())
}

/// The meaning of an estimate by another estimator than `channel`.
const DETERMINISTIC: &str = "states are functions of their tokens: from the second block on their \
                             information without noise is the entropy of the context, the same for every \
                             model; an estimate of it says what the estimator could extract from so many \
                             windows, and its ceiling, not the model, may be what is seen";

/// Every profile of a folder, this run's and those before, by file name.
fn all(folder: &Path) -> Result<Vec<Profile>> {
    let entries = std::fs::read_dir(folder).map_err(|source| Error::Read { path: folder.into(), source })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| {
        file.extension().is_some_and(|json| json == "json") && file.to_string_lossy().contains("--")
    });
    files.sort_unstable();
    files.iter().map(|file| Profile::read(file)).collect()
}

/// Rows and files are told apart by the names of model and corpus alone.
fn check_names<'a>(what: &'static str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let reason = format!(
                "names {name} twice, or two folders or files that end in it; measure them in two runs"
            );
            return Err(Error::Parameter { name: what, reason });
        }
    }
    Ok(())
}

/// The noise scale of the estimate, or the estimator that has none and its warnings.
fn how(profile: &Profile, noise_scale: Option<f64>) -> String {
    if let Some(noise_scale) = noise_scale {
        return format!("at b = {noise_scale}");
    }
    let sides = profile.blocks.iter().flat_map(|reading| [&reading.macro_mi, &reading.micro_mi]);
    let flags: BTreeSet<&str> = sides.flat_map(|side| side.flags.iter().map(Flag::name)).collect();
    let flags: Vec<&str> = flags.into_iter().collect();
    let warned = if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(", ")) };
    format!("by {}{warned}", profile.estimator.name)
}

fn stderr(headline: &Headline) -> String {
    headline.stderr_nats.map_or("unknown".into(), |stderr| format!("{stderr:.3}"))
}

/// One line of status about a profile.
fn summary(profile: &Profile) -> String {
    let (model, corpus) = (&profile.model.id, &profile.corpus.name);
    match (&profile.headline, profile.control_headline()) {
        (Some(h), Some(control)) => format!(
            "{model} on {corpus}: {} windows, emergence at the last position {:.3} +- {} nats {}; {} {:.3}, \
             difference {:.3}",
            profile.corpus.n_windows,
            h.emergence_nats,
            stderr(h),
            how(profile, h.noise_scale),
            profile.corpus.control.map_or("", Control::name),
            control.emergence_nats,
            h.emergence_nats - control.emergence_nats,
        ),
        (Some(h), None) => format!(
            "{model} on {corpus}: emergence {:.3} +- {} nats {} (randomly initialised model {:.3}, learned \
             {:.3})",
            h.emergence_nats,
            stderr(h),
            how(profile, h.noise_scale),
            h.random_init_nats,
            h.learned_nats
        ),
        (None, _) => {
            format!("{model} on {corpus}: one block only, so no headline; the rows hold what was measured")
        }
    }
}
