//! `surmise demo`: demonstrates the positional estimand on an embedded model family.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::estimator::EstimatorFlag;
use super::{Progress, Sampling, TableBytes, TableFlags, status};
use crate::calibration::PredictionRow;
use crate::corpus::category::DEFAULT;
use crate::disk;
use crate::emergence::Micro;
use crate::error::{Error, Result};
use crate::model::FAMILY;
use crate::study::demo::{self, DemoSettings};

/// Printed values are rounded to 1e-4 nats; their standard errors are hundreds of times larger.
const PRINTED_PER_NAT: f64 = 1e4;

#[derive(Debug, Args)]
pub(crate) struct Flags {
    #[command(flatten)]
    sampling: Sampling,
    #[command(flatten)]
    estimator: EstimatorFlag,
    /// Folder for all output files: one JSON per model and corpus, profiles.csv, scores.csv,
    /// observations.csv, card.json, predictions.csv
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    table: TableFlags,
}

/// The columns of predictions.csv that are printed.
#[derive(Debug, Serialize)]
struct PrintedRow<'a> {
    target_model: &'a str,
    corpus: &'a str,
    y_hat: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    measured: Option<f64>,
    baseline_size: Option<f64>,
    baseline_mean: Option<f64>,
    status: &'static str,
}

impl<'a> PrintedRow<'a> {
    fn new(row: &'a PredictionRow) -> Self {
        let round = |nats: Option<f64>| nats.map(|nats| (nats * PRINTED_PER_NAT).round() / PRINTED_PER_NAT);
        Self {
            target_model: &row.target_model,
            corpus: &row.corpus,
            y_hat: round(row.y_hat),
            low: round(row.low),
            high: round(row.high),
            measured: round(row.measured),
            baseline_size: round(row.baseline_size),
            baseline_mean: round(row.baseline_mean),
            status: row.status.name(),
        }
    }
}

pub(crate) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    flags.table.check(None, [])?;
    let folder = flags.output.as_deref();
    if let Some(folder) = folder {
        disk::make_folder(folder)?;
        disk::probe(folder)?;
    }
    let Sampling { draw, scale } = flags.sampling;
    let measure = flags.estimator.settings(scale, draw.seed, Micro::Alone)?;
    let settings = DemoSettings { windows: draw.windows, shots: draw.entities, measure, family: None };
    let models: Vec<String> = FAMILY.iter().map(|member| member.name.to_owned()).collect();
    let bar = Progress::start((models.len() * DEFAULT.len()) as u64, quiet);
    let made = demo::run(&models, &settings, folder, &|done, model, corpus| {
        bar.set_position(done as u64);
        bar.set_message(format!("{model}, {corpus}"));
    })?;
    bar.finish();
    if let Some(folder) = folder {
        made.write(folder)?;
    }
    let rows: Vec<PrintedRow> = made.predictions.iter().map(PrintedRow::new).collect();
    flags.table.write_to(None, &TableBytes::of_rows("demonstration", &rows)?)?;
    let summary = made.summary();
    if !quiet {
        status(&summary.sentence("held-out rows", demo::LEVEL));
        if let Some(refused) = made.predictions.iter().find(|row| row.y_hat.is_none()) {
            status(&format!(
                "{} on {}: no prediction, {}",
                refused.target_model, refused.corpus, refused.note
            ));
        }
        status(&format!(
            "{}This family of tiny models demonstrates the method; it is not a calibration for real closed \
             models.",
            made.noise_scale.map_or_else(String::new, |b| format!("Noise scale b = {b}. "))
        ));
    }
    if summary.n_predicted == 0 {
        let reason = "the demonstration finished, but no held-out model could be predicted; with -o DIR, \
                      the column note of predictions.csv gives the reasons"
            .into();
        return Err(Error::Gaps { reason });
    }
    Ok(())
}
