//! `surmise mi`: estimates the mutual information of paired samples, as JSON or as a table.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::choice::listed;
use super::{Progress, TableBytes, TableFlags, print, status};
use crate::arrays::{self, Array};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::mi::permutation_test::{
    CHECKED_NATS, Pairing, PermutationTest, SelfCheckResult, permutation_test, self_check,
};
use crate::mi::row_order::RowDependence;
use crate::mi::{self, Estimate, Flag, Pairs};
use crate::numeric::shown::fixed;

/// Version of the JSON format.
const VERSION: u32 = 2;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// First variable, one row per sample: safetensors (the array `x`), npy or CSV
    #[arg(long, value_name = "FILE")]
    x: PathBuf,
    /// Second variable, with the same number of rows as --x: safetensors (the array `y`), npy or CSV; one
    /// safetensors file may contain both variables
    #[arg(long, value_name = "FILE")]
    y: PathBuf,
    #[arg(
        long,
        value_name = "NAME",
        default_value_t = mi::DEFAULT.name().to_owned(),
        help = listed("Estimator", mi::ALL.iter().map(|estimator| estimator.name())),
    )]
    estimator: String,
    /// Seed of the estimator's random draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print an aligned table, in which negative estimates are shown as 0 [default: JSON]
    #[arg(long, conflicts_with_all = ["csv", "json"])]
    table: bool,
    #[command(flatten)]
    output: TableFlags,
    /// Also compute K estimates on randomly re-paired rows, which have no mutual information, and report the
    /// p-value; if rows depend on earlier rows, K circular shifts of y are used instead
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    permutations: Option<u32>,
    /// Also run the estimator on Gaussian samples of the same shape with a true value of 0, 1 and 3 nats
    #[arg(long)]
    self_check: bool,
}

/// The JSON report.
#[derive(Debug, Serialize)]
struct Report {
    schema: Schema,
    estimator: String,
    seed: u64,
    x: InputFile,
    y: InputFile,
    /// The estimate; with several noise scales, the estimate at the headline scale.
    #[serde(flatten)]
    estimate: Estimate,
    /// The estimates at all noise scales, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    estimates: Vec<Estimate>,
    /// Present if rows depend on earlier rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    row_dependence: Option<RowDependence>,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    permutation_test: Option<PermutationTest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    self_check: Vec<SelfCheckResult>,
}

#[derive(Debug, Serialize)]
struct InputFile {
    file: String,
    format: &'static str,
    sha256: String,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    flags.output.check(None, [&flags.x, &flags.y])?;
    let estimator = mi::find(&flags.estimator)?;
    let bar = Progress::uncounted("estimating", quiet);
    let (x, y) = (arrays::read(&flags.x, "x")?, arrays::read(&flags.y, "y")?);
    if let Some(note) = estimator.note_on_samples().filter(|_| flags.permutations.is_some()) {
        let reason = format!("does not apply to {}; {note}", estimator.name());
        return Err(Error::Parameter { name: "--permutations", reason });
    }
    let pairs = Pairs::new(x.values.view(), y.values.view())?;
    let start = Instant::now();
    let mut estimates = estimator.estimate(&pairs, flags.seed)?;
    let seconds = start.elapsed().as_secs_f64();
    let row_dependence = RowDependence::of(&pairs);
    bar.finish();
    if row_dependence.is_some() {
        estimates.iter_mut().for_each(|estimate| estimate.flags.push(Flag::DependentRows));
    }
    let headline = estimator.headline_noise_scale();
    let at = estimates.iter().position(|estimate| estimate.noise_scale == headline).unwrap_or(0);
    let estimate = match estimates.get(at) {
        Some(estimate) => estimate.clone(),
        None => {
            return Err(Error::Samples {
                estimator: estimator.name(),
                reason: "returned no estimate".into(),
            });
        }
    };
    if estimates.len() == 1 {
        estimates.clear();
    }
    let steps =
        flags.permutations.unwrap_or(0) as usize + if flags.self_check { CHECKED_NATS.len() } else { 0 };
    let bar = Progress::start(steps as u64, quiet);
    let pairing = Pairing::of(row_dependence.as_ref());
    let test = flags.permutations.map(|k| {
        let observed_nats = estimate.mi_nats;
        permutation_test(estimator, &pairs, observed_nats, k as usize, pairing, flags.seed, &|| bar.inc(1))
    });
    // The estimate is reported even if the estimator returns an error for re-paired rows.
    let (permutation_test, without_p) = match test.transpose() {
        Err(refused @ Error::Samples { .. }) => {
            let reason = "no p-value, because the estimator returned an error for re-paired rows";
            (None, Some(format!("{reason}: {refused}")))
        }
        other => (other?, None),
    };
    let checks = if flags.self_check {
        let dims = [x.values.ncols(), y.values.ncols()];
        self_check(estimator, x.values.nrows(), dims, flags.seed, &|| bar.inc(1))
    } else {
        vec![]
    };
    bar.finish();
    if let Some(note) = estimator.note_on_samples().filter(|_| !quiet) {
        status(note);
    }
    let report = Report {
        schema: Schema::new("mi", VERSION),
        estimator: estimator.name().to_owned(),
        seed: flags.seed,
        x: input_file(&flags.x, &x),
        y: input_file(&flags.y, &y),
        estimate,
        estimates,
        row_dependence,
        seconds,
        permutation_test,
        self_check: checks,
    };
    if !quiet && !flags.table {
        warnings(&report).iter().for_each(|line| status(line));
    }
    if flags.table {
        print(table(&report).as_bytes())?;
    } else {
        let mut json = serde_json::to_vec_pretty(&report)
            .map_err(|source| Error::Json { path: "stdout".into(), source })?;
        json.push(b'\n');
        // An infinite value is null in JSON but an error in CSV, so CSV is made only on request.
        let csv = match &flags.output.csv {
            Some(_) => disk::csv_bytes("mi.csv".as_ref(), &csv_rows(&report))?,
            None => vec![],
        };
        let bytes = TableBytes { csv, json };
        flags.output.write(&bytes, &bytes.json)?;
    }
    without_p.map_or(Ok(()), |reason| Err(Error::Gaps { reason }))
}

/// A row of the CSV: one noise scale, or the single estimate of an estimator without noise scales.
#[derive(Debug, Serialize)]
struct CsvRow<'a> {
    estimator: &'a str,
    noise_scale: Option<f64>,
    mi_nats: f64,
    lower_nats: Option<f64>,
    upper_nats: Option<f64>,
    stderr_nats: Option<f64>,
    ceiling_nats: f64,
    kind: &'static str,
    flags: String,
    n: usize,
    n_distinct: usize,
    x_columns: usize,
    y_columns: usize,
    seed: u64,
    /// Set only in the row of the headline noise scale.
    p_value: Option<f64>,
    x_sha256: &'a str,
    y_sha256: &'a str,
}

fn csv_rows(report: &Report) -> Vec<CsvRow<'_>> {
    let row = |estimate: &Estimate| CsvRow {
        estimator: &report.estimator,
        noise_scale: estimate.noise_scale,
        mi_nats: estimate.mi_nats,
        lower_nats: estimate.lower_nats,
        upper_nats: estimate.upper_nats,
        stderr_nats: estimate.stderr_nats,
        ceiling_nats: estimate.ceiling_nats,
        kind: estimate.kind.name(),
        flags: estimate.flags.iter().map(Flag::name).collect::<Vec<_>>().join(" "),
        n: estimate.n,
        n_distinct: estimate.n_distinct,
        x_columns: estimate.dims[0],
        y_columns: estimate.dims[1],
        seed: report.seed,
        p_value: report
            .permutation_test
            .as_ref()
            .filter(|_| estimate.noise_scale == report.estimate.noise_scale)
            .map(|test| test.p_value),
        x_sha256: &report.x.sha256,
        y_sha256: &report.y.sha256,
    };
    let single = std::slice::from_ref(&report.estimate);
    let estimates = if report.estimates.is_empty() { single } else { report.estimates.as_slice() };
    estimates.iter().map(row).collect()
}

fn input_file(path: &Path, array: &Array) -> InputFile {
    InputFile { file: path.display().to_string(), format: array.format, sha256: array.sha256.clone() }
}

/// A line for each flag that casts doubt on the estimate, and a line if rows depend on earlier rows.
fn warnings(report: &Report) -> Vec<String> {
    let flags = report.estimate.flags.iter().filter(|flag| !flag.is_descriptive());
    let mut lines: Vec<String> = flags.map(|flag| format!("{}: {}", flag.name(), flag.meaning())).collect();
    if let Some(rows) = &report.row_dependence {
        lines.push(format!(
            "{} of {}, column {}, are correlated (r = {}): {} rows count as about {:.0} independent rows. \
             Shuffle the rows if their order has no meaning.",
            match (rows.lag, rows.of_sizes) {
                (1, false) => "neighbouring rows".to_owned(),
                (1, true) => "sizes of values in neighbouring rows".to_owned(),
                (lag, false) => format!("rows {lag} apart"),
                (lag, true) => format!("sizes of values {lag} rows apart"),
            },
            rows.side,
            rows.column,
            fixed(rows.autocorrelation, 2),
            report.estimate.n,
            rows.effective_rows,
        ));
    }
    lines
}

/// Formats an aligned table. Negative estimates arise by chance and are shown as 0.
fn table(report: &Report) -> String {
    let number = |value: f64| {
        if value.is_finite() { format!("{:.3}", value.max(0.0)) } else { "infinite".to_owned() }
    };
    let cell = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let mut out = String::new();
    let mut line = |cells: [&str; 8]| {
        let [a, b, c, d, e, f, g, h] = cells;
        writeln!(out, "{a:<10} {b:>7} {c:>9} {d:>9} {e:>9} {f:>9} {g:>9}  {h}").unwrap_or_default();
    };
    line(["estimator", "noise", "MI/nats", "stderr", "lower", "upper", "ceiling", "kind; flags"]);
    let single = std::slice::from_ref(&report.estimate);
    let estimates = if report.estimates.is_empty() { single } else { report.estimates.as_slice() };
    for estimate in estimates {
        let noise_scale = estimate.noise_scale.map_or("-".to_owned(), |b| format!("{b:.2}"));
        let flags: Vec<&str> = estimate.flags.iter().map(Flag::name).collect();
        let note = [&[estimate.kind.name()], flags.as_slice()].concat().join(" ");
        line([
            &report.estimator,
            &noise_scale,
            &number(estimate.mi_nats),
            &cell(estimate.stderr_nats),
            &cell(estimate.lower_nats),
            &cell(estimate.upper_nats),
            &number(estimate.ceiling_nats),
            &note,
        ]);
    }
    if let Some(optimism) = report.estimate.optimism_nats {
        writeln!(out, "estimate on training pairs minus estimate on held-out pairs: {optimism:.3} nats")
            .unwrap_or_default();
    }
    for warning in warnings(report) {
        writeln!(out, "{warning}").unwrap_or_default();
    }
    let Estimate { n, n_distinct, dims: [dx, dy], .. } = &report.estimate;
    writeln!(out, "{n} rows, {n_distinct} distinct in x, {dx} + {dy} columns, {:.2} s", report.seconds)
        .unwrap_or_default();
    if let Some(test) = &report.permutation_test {
        let line = format!(
            "{} random {}: mean {:.3}, largest {:.3} nats; p = {:.4}",
            test.permutations,
            if test.pairing == Pairing::Shuffled { "pairings" } else { "shifts of y" },
            test.mean_nats,
            test.max_nats,
            test.p_value
        );
        writeln!(out, "{line}").unwrap_or_default();
    }
    for check in &report.self_check {
        let found = match &check.refused {
            Some(reason) => format!("error: {reason}"),
            None => format!("{} +- {}", cell(check.mi_nats), cell(check.stderr_nats)),
        };
        writeln!(
            out,
            "estimate for Gaussian samples of the same shape with a true value of {:.3} nats: {found}",
            check.true_nats
        )
        .unwrap_or_default();
    }
    out
}
