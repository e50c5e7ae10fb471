//! Predicts every row of a table, in the order of the table. A prediction has an interval and its back-tested
//! coverage; a refused row has the reason for the refusal.

use rayon::prelude::*;

use super::advice::nearer_models;
use super::evidence::{Evidence, Verdict};
use super::extrapolation_limit::proxy_excess_of;
use super::notes::{IntervalContext, note};
use super::placement::Placement;
use super::query::{Query, queries};
use super::refusal::refusal;
use super::row::{PredictionRow, PredictionStatus};
use crate::calibration::card::contents::Card;
use crate::calibration::intervals::method::check_level;
use crate::calibration::table::tidy::Table;
use crate::calibration::validation::coverage::Coverage;
use crate::calibration::validation::regime::Regime;
use crate::error::Result;

/// Level of the interval from the 10 % to the 90 % quantile.
const DECILES: f64 = 0.8;

/// Settings of predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionSettings {
    /// Level of the intervals.
    pub level: f64,
    /// An absolute error, in the unit of the response. If given, each prediction reports the back-tested
    /// probability that its error is at most this.
    pub within: Option<f64>,
}

impl Card {
    /// Predicts every row of a table. The target column is optional: its values are copied to `measured` and
    /// not used for predictions.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a level outside (0, 1);
    /// [`Error::Csv`](crate::Error::Csv) if the table lacks a column of the card, or a cell is not a number.
    pub fn predict(&self, table: &Table, level: f64) -> Result<Vec<PredictionRow>> {
        self.predict_with(table, PredictionSettings { level, within: None })
    }

    /// Like [`Self::predict`], but also reports the back-tested probability that the error is at most
    /// `settings.within`.
    ///
    /// # Errors
    /// Returns the errors of [`Self::predict`].
    pub fn predict_with(&self, table: &Table, settings: PredictionSettings) -> Result<Vec<PredictionRow>> {
        check_level(settings.level)?;
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
        let placed: Vec<(Query, Placement)> = queries(self, table)?
            .into_par_iter()
            .map(|query| {
                let placement = Placement::of(self, &query);
                (query, placement)
            })
            .collect();
        let refusals: Vec<Option<String>> =
            placed.iter().map(|(query, placement)| refusal(self, query, placement)).collect();
        let answered = placed.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none());
        let situations = answered.map(|((_, placement), _)| placement.situation.clone()).collect();
        let evidence = Evidence::new(self, situations, settings.level)?;
        let rows = placed.par_iter().zip(refusals).enumerate().map(|(at, ((query, placement), refusal))| {
            PredictionRow {
                corpus: corpus[at].into(),
                shots: shots[at].parse().ok(),
                api_version: version[at].into(),
                api_date: date[at].into(),
                measured: measured[at],
                ..predict_row(self, &evidence, query, placement, refusal, settings)
            }
        });
        Ok(rows.collect())
    }
}

fn predict_row(
    card: &Card,
    evidence: &Evidence,
    query: &Query,
    placement: &Placement,
    refusal: Option<String>,
    settings: PredictionSettings,
) -> PredictionRow {
    let predictors = &query.predictors;
    let is_known = predictors.x.is_empty() || predictors.x.iter().any(Option::is_some);
    let distance = placement.distance;
    let (basis, link) = (&card.fit.basis, card.link);
    let size = card.fit.size.as_ref().filter(|_| predictors.log10_size.is_some());
    let mut row = PredictionRow {
        target_model: query.model.clone(),
        family: query.family.clone(),
        target: card.target.clone(),
        unit: card.unit.clone(),
        level: Some(settings.level),
        regime: placement.regime.name().into(),
        mahalanobis: Some(distance).filter(|distance| is_known && distance.is_finite()),
        mahal_pct: Some(card.range.percentile(distance)).filter(|_| is_known),
        size_gap_log10: placement.size_gap,
        out_of_range_features: out_of_range(card, query, placement),
        missing_features: listed(card, |j| predictors.x[j].is_none()).join(" "),
        in_training: Some(query.is_trained_on),
        baseline_mean: Some(card.fit.mean.predict(&placement.x, predictors, basis, link)),
        baseline_size: size.map(|size| size.predict(&placement.x, predictors, basis, link)),
        card_sha256: card.card_sha256.clone(),
        ..PredictionRow::default()
    };
    let verdict = match refusal {
        Some(reason) => Err(reason),
        None => evidence.verdict(&placement.situation),
    };
    match verdict {
        Ok(verdict) => fill(card, &mut row, (evidence, &verdict), query, placement, settings),
        Err(reason) => {
            let far = placement.far_proxy.iter().cloned();
            row.note = far.chain([reason]).collect::<Vec<_>>().join("; ");
        }
    }
    row
}

/// Names of the features that `which` selects.
fn listed(card: &Card, which: impl Fn(usize) -> bool) -> Vec<&str> {
    let names = &card.columns.features;
    (0..names.len()).filter(|&j| which(j)).map(|j| names[j].as_str()).collect()
}

/// Names of the features and proxy columns whose values lie outside their training ranges.
fn out_of_range(card: &Card, query: &Query, placement: &Placement) -> String {
    let basis = &card.fit.basis;
    let is_outside =
        |j: usize| query.predictors.x[j].is_some_and(|value| !(basis.min[j]..=basis.max[j]).contains(&value));
    let mut names = listed(card, is_outside);
    let excess = proxy_excess_of(card, placement.judged.selected(&card.fit), &query.predictors);
    for (at, name) in [&card.columns.proxy, &card.columns.proxy_size].into_iter().enumerate() {
        if excess[at] != 0.0 {
            names.extend(name.as_deref());
        }
    }
    names.join(" ")
}

/// The coverage that applies to a row. Beyond the range, forward folds usually train on other models of the
/// families that they predict. A row of a new family has no such models. The lowest of three coverages
/// applies to this row: the coverage of forward folds, of left-out families, and of forward folds with
/// families left out. Using only the third coverage would be too optimistic: its folds have few rows, and
/// intervals from few rows are wider.
fn applicable_coverage(card: &Card, regime: Regime, is_new_family: bool, level: f64) -> Option<&Coverage> {
    let own = regime.coverage(&card.backtest);
    if !is_new_family || regime != Regime::Extrapolation {
        return own;
    }
    let others = [&card.backtest.leave_family_out, &card.backtest.forward_new_family];
    let others = others.map(|coverages| regime.regime_coverage(coverages));
    own.into_iter().chain(others.into_iter().flatten()).min_by(|a, b| a.at(level).total_cmp(&b.at(level)))
}

/// Fills in the numbers of a prediction that is not refused.
fn fill(
    card: &Card,
    row: &mut PredictionRow,
    (evidence, verdict): (&Evidence, &Verdict),
    query: &Query,
    placement: &Placement,
    settings: PredictionSettings,
) {
    let (basis, predictors, link) = (&card.fit.basis, &query.predictors, card.link);
    let (judged, level) = (placement.judged, settings.level);
    let y_hat = verdict.fitted.predict(&placement.x, predictors, basis, link);
    let own = (link.apply(y_hat), placement.gaps);
    let ends = |level: f64| {
        let (low, high, is_enough) = evidence.interval(verdict, judged, predictors, own, level);
        (link.low_end(low).min(y_hat), link.high_end(high).max(y_hat), is_enough)
    };
    let (low, high, is_enough) = ends(level);
    if ![y_hat, low, high].iter().all(|value| value.is_finite()) {
        row.note = format!(
            "the row is so far from the training rows that the prediction overflows; {}",
            nearer_models(card, &placement.x)
        );
        return;
    }
    let (tenth, ninetieth, _) = ends(DECILES);
    let coverage = applicable_coverage(card, judged, query.is_new_family, level);
    // The card's coverage was back-tested with the selected candidate on rows without missing cells. No
    // coverage applies to a row of an unseen kind, because no back-test left out a whole kind of rows.
    let is_tested = query.unseen.is_empty();
    let coverage = coverage.filter(|_| verdict.is_own && is_tested);
    let of_families = verdict.family_coverage.filter(|_| query.is_new_family);
    let other = verdict.coverage.into_iter().chain(of_families).min_by(|a, b| a.0.total_cmp(&b.0));
    let other = other.filter(|_| !verdict.is_own && is_tested);
    let score = judged.score_of(verdict.fitted.name(), &card.scores);
    let score = score.filter(|_| verdict.is_own || verdict.is_size);
    row.y_hat = Some(y_hat);
    (row.low, row.high) = (Some(low), Some(high));
    row.answered_by = verdict.fitted.name().into();
    row.backtest_mae = Some(verdict.mae);
    row.decile_width = Some(ninetieth - tenth);
    row.p_within = settings.within.map(|most| verdict.share_within(most));
    judged.interval_method().name().clone_into(&mut row.interval_method);
    row.backtest_coverage = coverage.map(|coverage| coverage.at(level)).or(other.map(|(held, _)| held));
    row.backtest_n = coverage.map(|coverage| coverage.levels.len()).or(other.map(|(_, n)| n));
    row.skill_mean = score.map(|score| score.skill_mean);
    row.skill_size = score.and_then(|score| score.skill_size);
    row.status = PredictionStatus::Ok;
    row.note = note(
        card,
        query,
        row,
        &IntervalContext {
            judged,
            score,
            coverage,
            is_enough,
            level,
            far_proxy: placement.far_proxy.as_deref(),
            verdict,
        },
    );
}
