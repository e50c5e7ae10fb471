//! `surmise calibrate`: fits a calibration to a tidy table and writes it as a card.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::column_lists::listed;
use super::table_input::TableInput;
use super::{Progress, is_stdout, print, status};
use crate::calibration::{CalibrationSpec, Card, Condition, Link, Table, calibrate};
use crate::disk;
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    input: TableInput,
    /// Column to predict; rows without a value in this column are not used for fitting
    #[arg(long, value_name = "COL")]
    target: String,
    /// Features, by name or with the wildcard `*`; quote a name that contains a comma [default: every numeric
    /// column, and every text column with few distinct values, that has a value in at least half of the rows
    /// with a target and in at least a fifth of the rows without a target]
    #[arg(long, value_name = "A,B,..")]
    features: Vec<String>,
    /// Column with the family of the model [default: family]
    #[arg(long, value_name = "COL")]
    group: Option<String>,
    /// Column with the size of the model, a positive number [default: params_b]
    #[arg(long, value_name = "COL")]
    size: Option<String>,
    /// Column with the name of the model; the rows of one model stay in one fold, and their weights add up to
    /// 1 [default: target_model, model, or a column detected by its values; without such a column, each row
    /// counts as a separate model]
    #[arg(long, value_name = "COL")]
    id: Option<String>,
    /// Column with the weight of the row
    #[arg(long, value_name = "COL")]
    weights: Option<String>,
    /// Column with the proxy's value of the target quantity; the candidates gain-1 and gain use it
    #[arg(long, value_name = "COL")]
    proxy: Option<String>,
    /// Column with the size of the proxy
    #[arg(long, value_name = "COL", requires = "proxy")]
    proxy_size: Option<String>,
    /// Column with the standard error of the target; the card reports the share of the squared prediction
    /// error that is due to noise in the target [default: a column whose name is the name of the target with
    /// a suffix such as _stderr or _se]
    #[arg(long, value_name = "COL")]
    stderr: Option<String>,
    /// Link function of the regressions; auto selects logit if all targets lie between 0 and 1 or are
    /// percentages
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    link: Choice,
    /// Lowest and highest possible value of the target, for the logit link [default: 0,1]
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    range: Vec<f64>,
    /// Number of answer options per question, if the target is the score of a multiple-choice task; the range
    /// then starts just below the guessing rate
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(2..=1000),
        conflicts_with = "range"
    )]
    choices: Option<u32>,
    /// Use only rows that meet a condition, such as flops_1e21<=84; may be given several times
    #[arg(long = "where", value_name = "COL=VALUE")]
    conditions: Vec<String>,
    /// Columns to ignore
    #[arg(long, value_name = "A,B,..")]
    ignore: Vec<String>,
    /// Columns in which a predicted row must have a value that occurs in the training rows [default, for
    /// surmise's own observations: corpus_sha256,n_windows,shots,scale,noise_scale,reader]
    #[arg(long, value_name = "A,B,..")]
    same: Vec<String>,
    /// Allow only features that can be observed through an API
    #[arg(long)]
    for_api: bool,
    /// Nominal level of the intervals
    #[arg(long, default_value_t = 0.9, value_name = "P")]
    level: f64,
    /// Unit of the target, which the card and the predictions report
    #[arg(long, default_value = "", value_name = "UNIT")]
    unit: String,
    /// Card to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    Auto,
    Identity,
    Logit,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let output = flags.output.as_ref().filter(|path| !is_stdout(path));
    let path = flags.input.path();
    output.map_or(Ok(()), |output| disk::check_apart([&path], output))?;
    let bar = Progress::uncounted("calibrating", quiet);
    let table = Table::read(&path)?.filter(&conditions(&flags.conditions)?)?;
    let ignored = listed(&flags.ignore, table.columns());
    let table = table.without(&ignored)?;
    if table.is_empty() {
        return Err(Error::Parameter {
            name: "--where",
            reason: "leaves no row; change or remove a condition".into(),
        });
    }
    // Calibration takes time, so check first that the output can be written.
    let partial = output.map(|path| disk::Partial::begin(path)).transpose()?;
    let card = calibrate(&table, &specification(flags, &table)?)?;
    drop(partial);
    bar.finish();
    match output {
        Some(path) => card.write(path)?,
        None => print(&card.to_bytes()?)?,
    }
    if !quiet {
        card.summary().iter().for_each(|line| status(line));
        status(&match output.map(|path| path.display()) {
            Some(path) => format!("wrote {path}; `surmise card {path}` describes it"),
            None => {
                "the card is on stdout; -o FILE writes it to a file, which `surmise card` describes".into()
            }
        });
    }
    unsupported(&card)
}

/// Builds the specification of the calibration, with column names spelled as in the table.
fn specification(flags: &Flags, table: &Table) -> Result<CalibrationSpec> {
    let one = |typed: &Option<String>| typed.as_ref().map(|typed| table.column_of(typed));
    let all = |typed: &[String]| {
        listed(typed, table.columns()).iter().map(|typed| table.column_of(typed)).collect()
    };
    let (low, high) = match flags.range.as_slice() {
        [] => (0.0, 1.0),
        [low, high] => (*low, *high),
        _ => {
            return Err(Error::Parameter { name: "--range", reason: "must be two numbers, LOW,HIGH".into() });
        }
    };
    let logit = Some(Link::Logit { low, high });
    let link = match flags.link {
        Choice::Identity if !flags.range.is_empty() => {
            return Err(Error::Parameter {
                name: "--range",
                reason: "needs the logit link, but --link is identity".into(),
            });
        }
        Choice::Auto if flags.range.is_empty() => None,
        Choice::Identity => Some(Link::Identity),
        Choice::Auto | Choice::Logit => logit,
    };
    Ok(CalibrationSpec {
        target: table.column_of(&flags.target),
        features: all(&flags.features),
        group: one(&flags.group),
        size: one(&flags.size),
        id: one(&flags.id),
        weights: one(&flags.weights),
        proxy: one(&flags.proxy),
        proxy_size: one(&flags.proxy_size),
        stderr: one(&flags.stderr),
        link,
        choices: flags.choices,
        same: all(&flags.same),
        for_api: flags.for_api,
        level: flags.level,
        unit: flags.unit.clone(),
    })
}

/// The conditions given with `--where`.
pub(super) fn conditions(typed: &[String]) -> Result<Vec<Condition>> {
    let parse = |text: &String| text.parse().map_err(|reason| Error::Parameter { name: "--where", reason });
    typed.iter().map(parse).collect()
}

/// Returns an error if the card supports no regime. The card has already been written.
fn unsupported(card: &Card) -> Result<()> {
    let missing = card.support.iter().filter(|support| support.unsupported.is_some()).count();
    if missing < card.support.len() {
        return Ok(());
    }
    let reason = format!(
        "the card supports no predictions; `surmise card` shows the reason for each of the {missing} kinds \
         of rows (regimes)"
    );
    Err(Error::Gaps { reason })
}
