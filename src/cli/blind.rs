//! `surmise blind`: hides members of a model family behind an API, predicts their emergence from the answers
//! of this API, and then measures it.

use std::path::PathBuf;

use clap::Args;

use super::{Fetching, Progress, TableBytes, TableFlags, print, status};
use crate::disk;
use crate::error::{Error, Result};
use crate::study::blind;
use crate::study::blind::{BlindSettings, BlindTest, Family, PredictionSettings, RecordedRows};
use crate::study::card::{FEATURES, TARGET};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// CSV table of the family's members with the columns `model` (a folder, an id, or an embedded name) and
    /// `family`; for checkpoints of one training run also `run` and `step` [default: the embedded models
    /// trained on invented facts]
    #[arg(long, value_name = "FILE")]
    family: Option<PathBuf>,
    /// observations.csv of an earlier blind test; its rows are additional training data for the cards, and a
    /// model named RUN-stepN is the checkpoint at step N of the training run RUN [default: built-in rows of
    /// checkpoints of the embedded models, if --family, --corpus, --shots, --sets, --queries and --seed have
    /// their defaults]
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Family or member to hide; members are hidden one at a time; may be given several times [default: every
    /// member]
    #[arg(long = "hide", value_name = "NAME")]
    hide: Vec<String>,
    /// Corpus: a name from `surmise list corpora`, or a CSV file with a column `entity` and two or more
    /// relations; may be given several times [default: moons, guilds, potions]
    #[arg(long = "corpus", value_name = "NAME|FILE")]
    corpora: Vec<String>,
    /// Numbers of examples in a prompt
    #[arg(long, value_delimiter = ',', default_values_t = BlindSettings::default().shots, value_name = "K")]
    shots: Vec<usize>,
    /// Number of example sets, S; a set is a list of entities with their answers
    #[arg(long, default_value_t = BlindSettings::default().sets, value_name = "S")]
    sets: usize,
    /// Number of queries, X; a query is an entity that a prompt asks about
    #[arg(long, default_value_t = BlindSettings::default().queries, value_name = "X")]
    queries: usize,
    /// Seed of all random draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Column of observations.csv to predict
    #[arg(long, default_value = TARGET, value_name = "NAME")]
    target: String,
    /// Features of the card: columns of observations.csv; each distinct value of a text column is one level
    #[arg(long, value_delimiter = ',', default_values_t = FEATURES.map(String::from), value_name = "NAMES")]
    features: Vec<String>,
    /// Treat the sizes of models as published: use size as a feature, and select only candidates whose error
    /// is lower than the error of the size baseline
    #[arg(long)]
    sizes: bool,
    /// Nominal level of the intervals
    #[arg(long, default_value_t = 0.9)]
    level: f64,
    /// Port of the local server; 0 selects a free port
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Print an aligned table instead of CSV
    #[arg(long, conflicts_with_all = ["csv", "json"])]
    table: bool,
    // The JSON contains the whole record of the test, not only the rows of the table.
    #[command(flatten)]
    tables: TableFlags,
    #[command(flatten)]
    fetching: Fetching,
    /// Folder for journals, profiles, cards, observations.csv, predictions.csv, blind.csv and blind.json;
    /// results that it already contains are not requested or measured again
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let corpora: Vec<PathBuf> = flags.corpora.iter().map(PathBuf::from).collect();
    flags.tables.check(None, flags.family.iter().chain(&flags.rows).chain(&corpora))?;
    let hub = flags.fetching.hub(&[], quiet)?;
    let family = match &flags.family {
        Some(path) => Family::read(path, hub)?,
        None => Family::embedded(hub)?,
    };
    let default = BlindSettings::default();
    let settings = BlindSettings {
        corpora: if flags.corpora.is_empty() { default.corpora.clone() } else { flags.corpora.clone() },
        shots: flags.shots.clone(),
        sets: flags.sets,
        queries: flags.queries,
        seed: flags.seed,
    };
    let recorded = match &flags.rows {
        Some(path) => RecordedRows::read(path)?,
        None if flags.family.is_none() && settings == default => RecordedRows::embedded()?,
        None => RecordedRows::default(),
    };
    let how = PredictionSettings {
        hide: flags.hide.clone(),
        target: flags.target.clone(),
        features: flags.features.clone(),
        sizes: flags.sizes,
        level: flags.level,
        port: flags.port,
    };
    let temporary = disk::TemporaryFolder::begin()
        .map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let folder = flags.output.as_deref().unwrap_or(temporary.path());
    let bar = Progress::start(0, quiet);
    let step = |what: &str| {
        bar.set_message(what.to_owned());
        bar.inc(1);
    };
    let test = blind::run(&family, &recorded, &settings, &how, folder, &step)?;
    bar.finish();
    if flags.table {
        print(table(&test).as_bytes())?;
    } else {
        let json = disk::json_bytes("blind.json".as_ref(), &test)?;
        flags.tables.write_to(None, &TableBytes { csv: test.csv()?, json })?;
    }
    let unit = test.rows.first().map_or("", |row| row.unit.as_str());
    for summary in test.summaries.iter().filter(|_| !quiet) {
        status(&summary.sentence(unit, test.level));
    }
    if test.rows.iter().all(|row| row.y_hat.is_none()) {
        let reason =
            "the test finished, but no hidden member could be predicted; the note of each row gives \
                      the reason"
                .into();
        return Err(Error::Gaps { reason });
    }
    Ok(())
}

/// Formats the rows as an aligned table.
fn table(test: &BlindTest) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
    let mut text = format!(
        "{:<20} {:<12} {:>5} {:>9} {:>7} {:>7} {:>8} {:>6} {:>6} {:>6} {:>7}\n",
        "member",
        "corpus",
        "shots",
        "predicted",
        "low",
        "high",
        "measured",
        "inside",
        "mean",
        "size",
        "outside"
    );
    for row in &test.rows {
        let inside = row.inside.map_or("-", |inside| if inside { "yes" } else { "no" });
        text.push_str(&format!(
            "{:<20} {:<12} {:>5} {:>9} {:>7} {:>7} {:>8} {:>6} {:>6} {:>6} {:>7}\n",
            row.target_model,
            row.corpus,
            row.shots,
            number(row.y_hat),
            number(row.low),
            number(row.high),
            number(row.measured),
            inside,
            number(row.baseline_mean),
            number(row.baseline_size),
            number(row.baseline_outside),
        ));
        if row.y_hat.is_none() {
            text.push_str(&format!("  {}\n", row.note));
        }
    }
    text
}
