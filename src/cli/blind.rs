//! `surmise blind`: members of a family are hidden behind an API, predicted, and then measured.

use std::path::PathBuf;

use clap::Args;

use super::estimator::EstimatorFlag;
use super::{Fetching, Progress, choice, print, status};
use crate::corpus::category::DEFAULT;
use crate::emergence::Micro;
use crate::error::{Error, Result};
use crate::mi::Scale;
use crate::study::blind;
use crate::study::blind::{BlindSettings, BlindTest, FEATURES, Family, PredictionSettings, feature_columns};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A CSV table of members with the columns `model` (a folder, an id, an embedded name) and `family`
    /// [default: the embedded models]
    #[arg(long, value_name = "FILE")]
    family: Option<PathBuf>,
    /// Family or member to be hidden, each member by itself; may be given several times [default: every
    /// member]
    #[arg(long = "hide", value_name = "NAME")]
    hide: Vec<String>,
    /// A name from `surmise list corpora`, or a CSV file with a column `entity` and others to be asked for;
    /// may be given several times [default: countries, animals, colours, numbers, cities]
    #[arg(long = "corpus", value_name = "NAME|FILE")]
    corpora: Vec<String>,
    /// Series per profile
    #[arg(long, default_value_t = 3000, value_name = "N")]
    windows: usize,
    /// Entities per series
    #[arg(long, default_value_t = 4, value_name = "K")]
    shots: usize,
    /// Most shots of the in-context tasks
    #[arg(long, default_value_t = 4, value_name = "K")]
    task_shots: usize,
    /// Questions per relation of the in-context tasks
    #[arg(long, default_value_t = 10, value_name = "N")]
    items: usize,
    /// Series per corpus for the context information of the next token
    #[arg(long, default_value_t = 200, value_name = "N")]
    context_windows: usize,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What the channel's noise is relative to
    #[arg(
        long,
        value_parser = choice::choice(&Scale::ALL, Scale::name, Scale::describe),
        default_value = "spread"
    )]
    scale: Scale,
    #[command(flatten)]
    estimator: EstimatorFlag,
    /// Noise scale b of the emergence that is predicted [default: that of the headline]
    #[arg(long, alias = "setting", value_name = "B")]
    noise_scale: Option<f64>,
    #[arg(
        long,
        help = format!("Features of the card: {}", feature_columns().join(", ")),
        value_delimiter = ',',
        default_values_t = FEATURES.map(String::from),
        value_name = "NAMES"
    )]
    features: Vec<String>,
    /// Treat the hidden member's size as published: a feature, and a baseline that a candidate must beat
    #[arg(long)]
    sizes: bool,
    /// Nominal level of the intervals
    #[arg(long, default_value_t = 0.9)]
    level: f64,
    /// Port of the server on this machine; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Print an aligned table instead of CSV
    #[arg(long, conflicts_with = "json")]
    table: bool,
    /// Print the whole record as JSON instead of CSV
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetching: Fetching,
    /// Folder for journals, scores, profiles, readings, cards, observations.csv, predictions.csv, blind.csv
    /// and blind.json; what is there is neither asked nor measured again
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    for (name, value, least, most) in [
        ("--windows", flags.windows, 50, 100_000),
        ("--shots", flags.shots, 1, 64),
        ("--task-shots", flags.task_shots, 1, 64),
        ("--items", flags.items, 2, 10_000),
        ("--context-windows", flags.context_windows, 50, 10_000),
    ] {
        if !(least..=most).contains(&value) {
            return Err(Error::Parameter {
                name,
                reason: format!("must be from {least} to {most}, and is {value}"),
            });
        }
    }
    let hub = flags.fetching.hub(&[], quiet)?;
    let family = match &flags.family {
        Some(path) => Family::read(path, hub)?,
        None => Family::embedded(hub)?,
    };
    let scale = flags.scale;
    let settings = BlindSettings {
        corpora: if flags.corpora.is_empty() {
            DEFAULT.map(String::from).to_vec()
        } else {
            flags.corpora.clone()
        },
        windows: flags.windows,
        shots: flags.shots,
        task_shots: flags.task_shots,
        items: flags.items,
        context_windows: flags.context_windows,
        seed: flags.seed,
        estimator: flags.estimator.name().into(),
        scale,
    };
    let headline = flags.estimator.settings(scale, flags.seed, Micro::Alone)?;
    let headline = headline.estimator().headline_noise_scale();
    let how = PredictionSettings {
        hide: flags.hide.clone(),
        noise_scale: flags.noise_scale.or(headline),
        features: flags.features.clone(),
        sizes: flags.sizes,
        level: flags.level,
        port: flags.port,
    };
    let temporary =
        tempfile::tempdir().map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let folder = flags.output.as_deref().unwrap_or(temporary.path());
    let bar = Progress::start(0, quiet);
    let step = |what: &str| {
        bar.set_message(what.to_owned());
        bar.inc(1);
    };
    let test = blind::run(&family, &settings, &how, folder, &step)?;
    bar.finish();
    let json = |test: &BlindTest| {
        serde_json::to_vec_pretty(test).map_err(|source| Error::Json { path: "stdout".into(), source })
    };
    match (flags.json, flags.table) {
        (true, _) => print(&[json(&test)?, b"\n".to_vec()].concat())?,
        (_, true) => print(table(&test).as_bytes())?,
        _ => print(&test.csv()?)?,
    }
    if !quiet {
        status(&test.summary.sentence("hidden members", test.level));
        let widest = test.rows.iter().map(|row| row.widest_gap_nats).fold(0.0, f64::max);
        if widest > WIDE_NATS {
            status(&format!(
                "the bounds of what was measured are up to {widest:.2} nats apart; --windows brings them \
                 nearer"
            ));
        }
    }
    if test.summary.n_predicted == 0 {
        let reason = "finished, and no hidden member could be predicted; the notes say why".into();
        return Err(Error::Gaps { reason });
    }
    Ok(())
}

/// Gap between bounds above which a message is written.
const WIDE_NATS: f64 = 0.5;

/// The rows as an aligned table.
fn table(test: &BlindTest) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
    let mut text = format!(
        "{:<16} {:>9} {:>9} {:>7} {:>7} {:>9} {:>6} {:>9} {:>6}\n",
        "member", "params", "predicted", "low", "high", "measured", "inside", "size line", "mean"
    );
    for row in &test.rows {
        let inside = row.inside.map_or("-", |inside| if inside { "yes" } else { "no" });
        text.push_str(&format!(
            "{:<16} {:>9} {:>9} {:>7} {:>7} {:>9.3} {:>6} {:>9} {:>6.3}\n",
            row.target_model,
            row.n_params,
            number(row.y_hat),
            number(row.low),
            number(row.high),
            row.measured,
            inside,
            number(row.baseline_size),
            row.baseline_mean
        ));
        if row.y_hat.is_none() {
            text.push_str(&format!("  {}\n", row.note));
        }
    }
    text
}
