//! Prediction: one row for each row of a table, in its order, with an interval and the coverage that such
//! intervals reached, or the reason why there is none.

use rayon::prelude::*;

use super::notes::{IntervalContext, note};
use super::placement::Placement;
use super::query::{Query, queries};
use super::refusal::refusal;
use super::row::{PredictionRow, PredictionStatus};
use crate::calibration::card::contents::Card;
use crate::calibration::intervals::method::check_level;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::tidy::Table;
use crate::calibration::validation::coverage::Coverage;
use crate::calibration::validation::regime::Regime;
use crate::error::Result;

/// The regime of a row below the training range, in predictions.csv.
const BELOW: &str = "below_range";

impl Card {
    /// Predicts every row of a table. The target column need not be there; where it is, its values are passed
    /// on as `measured` and not used.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a level outside (0, 1);
    /// [`Error::Csv`](crate::Error::Csv) for a column of the card that the table lacks, or a cell that is not
    /// a number.
    pub fn predict(&self, table: &Table, level: f64) -> Result<Vec<PredictionRow>> {
        check_level(level)?;
        let table = &table.clone().with_decimal_signs(&self.columns.decimal_signs);
        let passed_on = |names: &[&str]| {
            let column = names.iter().find(|name| table.has(name));
            column.and_then(|name| table.text(name).ok()).unwrap_or_else(|| vec![""; table.len()])
        };
        let corpus = passed_on(&["corpus"]);
        let shots = passed_on(&["shots"]);
        let version = passed_on(&["api_version", "model_snapshot"]);
        let date = passed_on(&["api_date", "collected_at"]);
        let measured = match table.is_numeric(&self.target) {
            true => table.numbers(&self.target)?,
            false => vec![None; table.len()],
        };
        let rows = queries(self, table)?;
        let rows = rows.par_iter().enumerate().map(|(at, query)| PredictionRow {
            corpus: corpus[at].into(),
            shots: shots[at].parse().ok(),
            api_version: version[at].into(),
            api_date: date[at].into(),
            measured: measured[at],
            ..predict_row(self, query, level)
        });
        Ok(rows.collect())
    }
}

fn predict_row(card: &Card, query: &Query, level: f64) -> PredictionRow {
    let predictors = &query.predictors;
    let placement = Placement::of(card, query);
    let is_known = predictors.x.is_empty() || predictors.x.iter().any(Option::is_some);
    let distance = placement.distance;
    let regime = if placement.is_below { BELOW } else { placement.regime.name() };
    let mut row = PredictionRow {
        target_model: query.model.clone(),
        family: query.family.clone(),
        target: card.target.clone(),
        unit: card.unit.clone(),
        level: Some(level),
        regime: regime.into(),
        mahalanobis: Some(distance).filter(|distance| is_known && distance.is_finite()),
        mahal_pct: Some(card.range.percentile(distance)).filter(|_| is_known),
        size_gap_log10: placement.size_gap,
        out_of_range_features: out_of_range(card, query, &placement),
        missing_features: listed(card, |j| predictors.x[j].is_none()).join(" "),
        in_training: Some(query.is_trained_on),
        card_sha256: card.card_sha256.clone(),
        ..PredictionRow::default()
    };
    let selected = placement.judged.selected(&card.fit);
    match (refusal(card, query, &placement), selected) {
        (None, Some(selected)) => fill(card, &mut row, selected, query, &placement, level),
        (reason, _) => {
            row.note = reason.unwrap_or_else(|| "no candidate was selected for this regime".into());
        }
    }
    row
}

/// Names of the features for which something holds.
fn listed(card: &Card, which: impl Fn(usize) -> bool) -> Vec<&str> {
    let names = &card.columns.features;
    (0..names.len()).filter(|&j| which(j)).map(|j| names[j].as_str()).collect()
}

/// Features outside their training range, and the proxy and its size where they are.
fn out_of_range(card: &Card, query: &Query, placement: &Placement) -> String {
    let basis = &card.fit.basis;
    let is_outside =
        |j: usize| query.predictors.x[j].is_some_and(|value| !(basis.min[j]..=basis.max[j]).contains(&value));
    let mut names = listed(card, is_outside);
    for (at, name) in [&card.columns.proxy, &card.columns.proxy_size].into_iter().enumerate() {
        if placement.proxy_excess.iter().any(|excess| excess[at] != 0.0) {
            names.extend(name.as_deref());
        }
    }
    names.join(" ")
}

/// The coverage that applies to a row. Forward folds train on other models of the families of most rows that
/// they predict, and a row of a new family has none: the lowest coverage applies of forward folds, of
/// families left out, and of forward folds with families left out. The last alone are of few rows each,
/// whose intervals are wider than those of all.
fn applicable_coverage(card: &Card, regime: Regime, is_new_family: bool, level: f64) -> Option<&Coverage> {
    let own = regime.coverage(&card.backtest);
    if !is_new_family || regime != Regime::Extrapolation {
        return own;
    }
    let others = [&card.backtest.leave_family_out, &card.backtest.forward_new_family];
    let others = others.map(|coverages| regime.regime_coverage(coverages));
    own.into_iter().chain(others.into_iter().flatten()).min_by(|a, b| a.at(level).total_cmp(&b.at(level)))
}

/// The numbers of a prediction that is not refused.
fn fill(
    card: &Card,
    row: &mut PredictionRow,
    selected: &SelectedCandidate,
    query: &Query,
    placement: &Placement,
    level: f64,
) {
    let (basis, predictors, link) = (&card.fit.basis, &query.predictors, card.link);
    let (judged, x) = (placement.judged, &placement.x);
    let method = judged.interval_method();
    let y_hat = selected.fitted.predict(x, predictors, basis, link);
    let (low, high, is_enough) = selected.interval(method, x, predictors, basis, link, level);
    let (low, high) = (link.low_end(low).min(y_hat), link.high_end(high).max(y_hat));
    if ![y_hat, low, high].iter().all(|value| value.is_finite()) {
        "the row is so far from the training rows that the prediction overflows".clone_into(&mut row.note);
        return;
    }
    let coverage = applicable_coverage(card, judged, query.is_new_family, level);
    let score = judged.score_of(selected.name(), &card.scores);
    let size = card.fit.size.as_ref().filter(|_| predictors.log10_size.is_some());
    row.y_hat = Some(y_hat);
    (row.low, row.high) = (Some(low), Some(high));
    method.name().clone_into(&mut row.interval_method);
    row.backtest_coverage = coverage.map(|coverage| coverage.at(level));
    row.backtest_n = coverage.map(|coverage| coverage.levels.len());
    row.baseline_mean = Some(card.fit.mean.predict(x, predictors, basis, link));
    row.baseline_size = size.map(|size| size.predict(x, predictors, basis, link));
    row.skill_mean = score.map(|score| score.skill_mean);
    row.skill_size = score.and_then(|score| score.skill_size);
    row.status = PredictionStatus::Ok;
    row.note = note(card, query, row, &IntervalContext { judged, score, coverage, is_enough, level });
}
