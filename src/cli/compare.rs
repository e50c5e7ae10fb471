//! `surmise compare`: compares groups of texts by the emergence that small models show on them.

use std::path::PathBuf;

use clap::Args;

use super::choice::choice;
use super::estimator::EstimatorFlag;
use super::flags::WINDOWS;
use super::texts::TextFlags;
use super::{Fetching, Opening, Progress, TableBytes, TableFlags, config_notes, status};
use crate::emergence::Micro;
use crate::emergence::compare;
use crate::emergence::compare::{Comparison, Permutations};
use crate::error::{Error, Result};
use crate::mi::Scale;
use crate::model::Model;
use crate::numeric::shown::fixed;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Models that read the texts: folders, ids on a Hugging Face hub, or names from `surmise list models`
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    #[command(flatten)]
    texts: TextFlags,
    /// Reference group; every other group is compared with this group only [default: compare all pairs]
    #[arg(long, value_name = "GROUP")]
    reference: Option<String>,
    /// Number of permutations of the group labels; the smallest possible p-value is 1 / (1 + N)
    #[arg(long, default_value_t = 199, value_name = "N")]
    permutations: usize,
    #[command(flatten)]
    fetching: Fetching,
    /// Largest number of windows per group of texts
    #[arg(long, default_value_t = WINDOWS, value_name = "N")]
    windows: usize,
    /// Seed of the windows, noise, control and permutations
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Quantity that the noise of the estimator is proportional to: the spread of each coordinate, or the
    /// norm of each state
    #[arg(long, value_parser = choice(&Scale::ALL, Scale::name, Scale::describe), default_value = "spread")]
    scale: Scale,
    /// Now without effect: texts have no entities
    #[arg(long, hide = true, value_name = "K")]
    shots: Option<usize>,
    #[command(flatten)]
    estimator: EstimatorFlag,
    #[command(flatten)]
    opening: Opening,
    /// CSV file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    table: TableFlags,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    if !(19..=99_999).contains(&flags.permutations) {
        let reason = format!(
            "is {}; it must be from 19 (the smallest number that can give p = .05) to 99999",
            flags.permutations
        );
        return Err(Error::Parameter { name: "--permutations", reason });
    }
    flags.table.check(flags.output.as_ref(), flags.texts.files())?;
    let groups = flags.texts.read()?;
    let n_pairs = compare::pairs(&groups, flags.reference.as_deref())?.len();
    let hub = flags.fetching.hub(&flags.models, quiet)?;
    flags.models.iter().try_for_each(|name| Model::find(name, &hub).map(drop))?;
    let windows = flags.texts.window_settings(flags.windows, flags.seed);
    let settings = flags.estimator.settings(flags.scale, flags.seed, Micro::Alone)?;
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
    flags.table.write_to(flags.output.as_ref(), &TableBytes::of_rows("comparisons", &rows)?)?;
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
                "{} {} against {} nats (d = {}, p = {:.3})",
                row.quantity.replace('_', " "),
                fixed(row.a_nats, 3),
                fixed(row.b_nats, 3),
                row.effect_size.map_or("unknown".into(), |d| fixed(d, 2)),
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
