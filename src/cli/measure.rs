//! `surmise measure`: profiles of models on corpora, as files or as CSV on stdout.

use std::path::PathBuf;

use clap::Args;

use super::{Opening, Sampling, print, progress, talk};
use crate::corpus::{Category, Series};
use crate::disk;
use crate::error::{Error, Result};
use crate::mi::Channel;
use crate::model::Model;
use crate::profile::{self, Profile};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Folders with config.json, tokenizer.json and model.safetensors or pytorch_model.bin (in one file or several), or names from `surmise list models`
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// A name from `surmise list corpora`, or a CSV file with a column `entity`; may be given several times
    #[arg(long = "corpus", required = true, value_name = "NAME|FILE")]
    corpora: Vec<String>,
    #[command(flatten)]
    sampling: Sampling,
    #[command(flatten)]
    opening: Opening,
    /// Folder for one JSON per model and corpus, and profiles.csv; what is there already is not measured again. Without it the CSV rows go to stdout
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let sampling = &flags.sampling;
    let categories = flags.corpora.iter().map(|name| Category::load(name)).collect::<Result<Vec<_>>>()?;
    let series = categories
        .iter()
        .map(|category| Series::draw(category, sampling.draw.shots, sampling.draw.windows, sampling.draw.seed))
        .collect::<Result<Vec<_>>>()?;
    // A name that is wrong is said before the first model is measured, not after.
    flags.models.iter().try_for_each(|name| Model::find(name))?;
    if let Some(folder) = &flags.output {
        disk::make_folder(folder)?;
        disk::probe(folder)?;
    }
    let settings = profile::Settings {
        channel: Channel::with_scale(sampling.scale.into()),
        seed: sampling.draw.seed,
        twin_seed: sampling.draw.seed,
    };
    let bar = progress(flags.models.len() * series.len(), quiet);
    let mut profiles: Vec<Profile> = vec![];
    for name in &flags.models {
        let model = Model::load_with(name, flags.opening.into())?;
        for (series, category) in series.iter().zip(&categories) {
            bar.set_message(format!("{}, {}", model.card.id, category.name));
            let corpus = series.tokenize(&model.tokenizer)?;
            let file = flags.output.as_ref().map(|d| d.join(format!("{}--{}.json", model.card.id, category.name)));
            if let Some(taken) = file.as_ref().filter(|file| profiles.iter().any(|p| &at(flags, p) == *file)) {
                let hint = format!(
                    "two models or corpora would both be written to {}; give them in two runs",
                    taken.display()
                );
                return Err(Error::Unknown { kind: "output name of", name: name.clone(), hint });
            }
            let kept = file.as_ref().filter(|f| f.is_file()).map(|file| Profile::read(file)).transpose()?;
            let profile = match kept {
                Some(kept) if profile::is_current(&kept, &model, &corpus, &settings) => kept,
                _ => profile::measure(&model, &corpus, &settings)?,
            };
            if let Some(file) = &file {
                disk::write_json(file, &profile)?;
            }
            profiles.push(profile);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let rows: Vec<profile::Row> = profiles.iter().flat_map(Profile::rows).collect();
    let csv = disk::csv_bytes("profiles.csv".as_ref(), &rows)?;
    match &flags.output {
        Some(folder) => disk::write(&folder.join("profiles.csv"), &csv)?,
        None => print(&csv)?,
    }
    if !quiet {
        for profile in &profiles {
            talk(&summary(profile));
        }
    }
    Ok(())
}

fn at(flags: &Flags, profile: &Profile) -> PathBuf {
    let folder = flags.output.clone().unwrap_or_default();
    folder.join(format!("{}--{}.json", profile.model.id, profile.corpus.name))
}

/// One line of talk about a profile.
fn summary(profile: &Profile) -> String {
    let (model, corpus) = (&profile.model.id, &profile.corpus.name);
    match &profile.headline {
        Some(h) => format!(
            "{model} on {corpus}: emergence {:.3} +- {:.3} nats at b = {} (untrained twin {:.3}, learned {:.3})",
            h.emergence_nats, h.stderr_nats, h.setting, h.twin_nats, h.learned_nats
        ),
        None => format!("{model} on {corpus}: one block only, so no headline; the rows hold what was measured"),
    }
}
