//! `surmise compare`: groups of texts, as read by small models.

use std::path::PathBuf;

use clap::Args;

use super::estimator::EstimatorFlag;
use super::texts::TextFlags;
use super::{Fetching, Opening, Progress, Sampling, config_notes, print, status};
use crate::disk;
use crate::emergence::Micro;
use crate::emergence::compare;
use crate::emergence::compare::{Comparison, Permutations};
use crate::error::{Error, Result};
use crate::model::Model;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Models that read the texts: folders, ids on a Hugging Face hub, or names from `surmise list models`
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    #[command(flatten)]
    texts: TextFlags,
    /// Compare each group with this group only [default: all pairs]
    #[arg(long, value_name = "GROUP")]
    reference: Option<String>,
    /// Permutations of the group labels; the smallest possible p-value is 1 / (1 + N)
    #[arg(long, default_value_t = 199, value_name = "N")]
    permutations: usize,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    sampling: Sampling,
    #[command(flatten)]
    estimator: EstimatorFlag,
    #[command(flatten)]
    opening: Opening,
    /// CSV file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    if !(19..=99_999).contains(&flags.permutations) {
        let reason = format!(
            "must be from 19, the fewest that can give p = .05, to 99999, and is {}",
            flags.permutations
        );
        return Err(Error::Parameter { name: "--permutations", reason });
    }
    let sampling = &flags.sampling;
    let groups = flags.texts.read()?;
    let n_pairs = compare::pairs(&groups, flags.reference.as_deref())?.len();
    let hub = flags.fetching.hub(&flags.models, quiet)?;
    flags.models.iter().try_for_each(|name| Model::find(name, &hub).map(drop))?;
    let output = flags.output.as_deref().map(disk::Partial::begin).transpose()?;
    let windows = flags.texts.window_settings(sampling.draw);
    let settings = flags.estimator.settings(sampling.scale, sampling.draw.seed, Micro::Alone)?;
    let bar = Progress::start((flags.models.len() * n_pairs * flags.permutations) as u64, quiet);
    let mut rows: Vec<Comparison> = vec![];
    for (at, name) in flags.models.iter().enumerate() {
        bar.set_message(name.clone());
        let model = Model::load_with(name, flags.opening.clone().into(), &hub)?;
        config_notes(&model.info, quiet);
        let before = at * n_pairs * flags.permutations;
        let how = Permutations {
            permutations: flags.permutations,
            reference: flags.reference.as_deref(),
            step: &|done| bar.set_position((before + done) as u64),
        };
        rows.extend(compare::compare(&model, &groups, &windows, &settings, &how)?);
    }
    bar.finish();
    let csv = disk::csv_bytes("comparisons.csv".as_ref(), &rows)?;
    match output {
        Some(output) => output.fill(&csv)?,
        None => print(&csv)?,
    }
    if !quiet {
        rows.chunk_by(|x, y| (&x.model, &x.group_a, &x.group_b) == (&y.model, &y.group_a, &y.group_b))
            .for_each(|pair| status(&summary(pair)));
    }
    Ok(())
}

/// One line of status about a pair of groups.
fn summary(pair: &[Comparison]) -> String {
    let Some(raw) = pair.first() else { return String::new() };
    let values: Vec<String> = pair
        .iter()
        .map(|row| {
            format!(
                "{} {:.3} against {:.3} nats (d = {}, p = {:.3})",
                row.quantity.replace('_', " "),
                row.a_nats,
                row.b_nats,
                row.effect_size.map_or("unknown".into(), |d| format!("{d:.2}")),
                row.p_value
            )
        })
        .collect();
    format!(
        "{}: {} against {}, {} windows each: {}; {}",
        raw.model,
        raw.group_a,
        raw.group_b,
        raw.n_windows,
        values.join("; "),
        raw.verdict.sentence()
    )
}
