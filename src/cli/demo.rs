//! The bare command: the whole line on the embedded family.

use std::path::PathBuf;

use clap::Args;

use super::{Sampling, print, progress, talk};
use crate::disk;
use crate::emergence::ProfileRow;
use crate::error::Result;
use crate::study::demo;

#[derive(Debug, Default, Args)]
pub(crate) struct Flags {
    #[command(flatten)]
    sampling: Sampling,
    /// Folder for what is made on the way: profiles.csv, scores.csv, observations.csv, line.json,
    /// predictions.csv
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let sampling = &flags.sampling;
    if let Some(folder) = &flags.output {
        disk::make_folder(folder)?;
        disk::probe(folder)?;
    }
    let settings = demo::Settings {
        windows: sampling.draw.windows,
        shots: sampling.draw.shots,
        seed: sampling.draw.seed,
        scale: sampling.scale,
    };
    let models = demo::family();
    let bar = progress(models.len() * demo::CORPORA.len(), quiet);
    let run = demo::run(&models, &settings, &|done, model, corpus| {
        bar.set_position(done as u64);
        bar.set_message(format!("{model}, {corpus}"));
    })?;
    bar.finish_and_clear();
    let predictions = disk::csv_bytes("predictions.csv".as_ref(), &run.rows)?;
    if let Some(folder) = &flags.output {
        let rows: Vec<ProfileRow> = run.profiles.iter().flat_map(crate::emergence::Profile::rows).collect();
        let at = |name: &str| folder.join(name);
        disk::write(&at("profiles.csv"), &disk::csv_bytes(&at("profiles.csv"), &rows)?)?;
        disk::write(&at("scores.csv"), &disk::csv_bytes(&at("scores.csv"), &run.scores)?)?;
        disk::write(&at("observations.csv"), &disk::csv_bytes(&at("observations.csv"), &run.observations)?)?;
        disk::write_json(&at("line.json"), &run.regression)?;
        disk::write(&at("predictions.csv"), &predictions)?;
    }
    print(&predictions)?;
    if !quiet {
        let errors = run.errors();
        talk(&format!(
            "Mean absolute error on {} held-out rows, nats: calibration {:.3}, size line {:.3}, mean {:.3}; \
             {} of {} measurements lie inside the {:.0} % interval.",
            run.rows.len(),
            errors.calibration,
            errors.size_line,
            errors.mean,
            run.n_inside(),
            run.rows.len(),
            100.0 * demo::LEVEL,
        ));
        talk(&format!(
            "Setting b = {} ({:?}). This family of tiny models demonstrates the method; it is no \
             calibration for real closed models.",
            run.regression.validity.noise_scale, run.regression.validity.scale
        ));
    }
    Ok(())
}
