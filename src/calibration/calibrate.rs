//! From a table to a card.

use super::card::file::{Card, Rows};
use super::prediction::predict::check_level;
use super::prediction::support::{Range, supports};
use super::table::plan::{Columns, Plan, Prepared};
use super::table::sample::{Sample, distinct};
use super::table::tidy::Table;
use super::validation::backtest::backtest;
use super::validation::diagnostics::{Diagnostics, dependent};
use super::validation::fit::fit;
use crate::disk::Schema;
use crate::error::Result;
use crate::seed::sha256_hex;

/// Most folds of targets or families, and most of a back-test and inside one. A few rows are cheap to leave
/// out one by one; of many, a group says as much.
struct Folds {
    fit: usize,
    outer: usize,
    strangers: usize,
    inner: usize,
}

impl Folds {
    fn for_rows(n: usize) -> Self {
        match n {
            0..=150 => Self { fit: 50, outer: 24, strangers: 12, inner: 10 },
            151..=400 => Self { fit: 25, outer: 8, strangers: 12, inner: 6 },
            _ => Self { fit: 12, outer: 5, strangers: 3, inner: 4 },
        }
    }
}

/// Calibrates on the rows of a table whose target is known.
///
/// # Errors
/// [`Error::Csv`] and [`Error::Fit`] naming the columns and rows at fault, [`Error::Parameter`] for a flag.
pub fn calibrate(table: &Table, plan: &Plan) -> Result<Card> {
    check_level(plan.level)?;
    let Prepared { sample, columns, link, noise, mut notes } = plan.prepare(table)?;
    let folds = Folds::for_rows(sample.len());
    let (fit, scores) = fit(&sample, link, folds.fit)?;
    let backtest = backtest(&sample, link, plan.level, [folds.outer, folds.strangers, folds.inner])?;
    let support = supports(&fit, &scores, &backtest, &sample, link);
    let dependent = dependent(&sample, &columns.features, &fit.basis);
    if !dependent.is_empty() {
        notes.push(format!(
            "made of the features before them: {}; coefficients among these are shared out by a penalty, \
             not by the data",
            dependent.join(", ")
        ));
    }
    let targets = distinct(&sample.targets);
    let card = Card {
        schema: Schema::new("card", 0),
        card_sha256: String::new(),
        target: plan.target.clone(),
        unit: plan.unit.clone(),
        level: plan.level,
        link,
        for_api: plan.for_api,
        rows: Rows {
            n: sample.len(),
            n_targets: targets.len(),
            targets,
            families: sample.known_families(),
            n_without_family: sample.n_without_family(),
            observations_sha256: hash(&sample, &columns),
        },
        support,
        range: Range::new(&sample, &fit.basis, link, folds.fit)?,
        diagnostics: Diagnostics { noise, ..Diagnostics::new(&sample, &columns.features, &fit)? },
        columns,
        fit,
        scores,
        backtest,
        notes,
    };
    card.seal()
}

/// SHA-256 of the names of the columns, then the rows as CSV in their sorted order: target, family, log10
/// size, target value, weight, the proxy's value and log10 size ratio where there is one, features; missing
/// cells empty.
fn hash(sample: &Sample, columns: &Columns) -> String {
    let cell = |value: &f64| if value.is_finite() { value.to_string() } else { String::new() };
    let lines = (0..sample.len()).map(|i| {
        let numbers = [sample.log10_sizes[i], sample.y[i], sample.weights[i]];
        let proxy = sample.proxies.iter().flat_map(|proxies| [proxies[i].value, proxies[i].log10_ratio]);
        let numbers = numbers.into_iter().chain(proxy).chain(sample.x.row(i).to_vec());
        let cells: Vec<String> = numbers.map(|value| cell(&value)).collect();
        format!("{:?},{:?},{}\n", sample.targets[i], sample.families[i], cells.join(","))
    });
    sha256_hex((format!("{columns:?}\n") + &lines.collect::<String>()).as_bytes())
}
