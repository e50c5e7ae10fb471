//! Predictions: one row per row of a table, in its order, with an interval, where the query stands, and the
//! coverage such intervals reached; or the reason why there is no number.

use rayon::prelude::*;

use super::caveats::Made;
use super::row::{PredictionRow, PredictionStatus};
use super::support::{Regime, distance, no_stranger};
use crate::calibration::card::file::{Card, Rows};
use crate::calibration::table::plan::{Columns, proxies};
use crate::calibration::table::sample::Query;
use crate::calibration::table::tidy::Table;
use crate::calibration::table::validate;
use crate::calibration::validation::backtest::Coverage;
use crate::calibration::validation::fit::Chosen;
use crate::error::{Error, Result};

/// What the regime of a row below the training range is called.
const BELOW: &str = "below_range";
/// Share of the features, and of the formula's weight on them, of which more may not be missing.
const MOST_MISSING: f64 = 1.0 / 3.0;

/// A query with its names.
pub(crate) struct Row {
    pub query: Query,
    pub target_model: String,
    family: String,
    /// Whether its name is that of a row trained on; a row without one has none.
    pub is_trained_on: bool,
    /// A condition of the card that the row was not measured under.
    otherwise: Option<String>,
}

impl Card {
    /// Predicts every row of a table. The target column need not be there; where it is, its values are passed
    /// on as `measured` and not used.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a level outside (0, 1); [`Error::Csv`] for a column of the card that the
    /// table lacks, or a cell that is no number.
    pub fn predict(&self, table: &Table, level: f64) -> Result<Vec<PredictionRow>> {
        check_level(level)?;
        let passed = |names: &[&str]| {
            let column = names.iter().find(|name| table.has(name));
            column.and_then(|name| table.text(name).ok()).unwrap_or_else(|| vec![""; table.len()])
        };
        let corpus = passed(&["corpus"]);
        let version = passed(&["api_version", "model_snapshot"]);
        let date = passed(&["api_date", "collected_at"]);
        let measured = match table.is_numeric(&self.target) {
            true => table.numbers(&self.target)?,
            false => vec![None; table.len()],
        };
        let rows = self.rows_of(table)?;
        let rows = rows.par_iter().enumerate().map(|(at, row)| {
            let mut prediction = self.predict_row(row, level);
            prediction.corpus = corpus[at].into();
            prediction.api_version = version[at].into();
            prediction.api_date = date[at].into();
            prediction.measured = measured[at];
            prediction
        });
        Ok(rows.collect())
    }

    fn rows_of(&self, table: &Table) -> Result<Vec<Row>> {
        let Columns { id, group, size, .. } = &self.columns;
        let features =
            self.columns.features.iter().map(|name| table.numbers(name)).collect::<Result<Vec<_>>>()?;
        let sizes = match size {
            Some(column) => validate::log10_sizes(table, column)?,
            None => vec![f64::NAN; table.len()],
        };
        let names = |column: &Option<String>| column.as_ref().map(|column| table.text(column)).transpose();
        let (ids, families) = (names(id)?, names(group)?);
        // Only the gain asks the proxy.
        let asked = [&self.fit.within, &self.fit.beyond].into_iter().flatten().any(Chosen::asks_proxy);
        let proxies = if asked { proxies(table, &self.columns)? } else { None };
        let name = |cells: &Option<Vec<&str>>, at: usize| {
            cells.as_ref().map_or(String::new(), |cells| cells[at].into())
        };
        let mut rows = vec![];
        for at in 0..table.len() {
            let x = features.iter().map(|cells| cells[at]).collect();
            let log10_size = Some(sizes[at]).filter(|size| size.is_finite());
            let query = Query { x, log10_size, proxy: proxies.as_ref().and_then(|proxies| proxies[at]) };
            let mut otherwise = None;
            for (column, values) in &self.columns.same {
                let cell = table.text(column)?[at];
                if !values.iter().any(|value| value == cell) {
                    otherwise = Some(format!("{column} is {cell}; the card holds for {}", values.join(", ")));
                }
            }
            let own = name(&ids, at);
            let is_trained_on = !own.is_empty() && self.rows.targets.binary_search(&own).is_ok();
            let target_model = if own.is_empty() { format!("line {}", table.line(at)) } else { own };
            rows.push(Row { query, target_model, family: name(&families, at), is_trained_on, otherwise });
        }
        Ok(rows)
    }

    fn predict_row(&self, row: &Row, level: f64) -> PredictionRow {
        let (basis, query) = (&self.fit.basis, &row.query);
        let x = basis.complete(query);
        let names = &self.columns.features;
        let listed = |which: &dyn Fn(usize) -> bool| {
            (0..names.len()).filter(|&j| which(j)).map(|j| names[j].as_str()).collect::<Vec<_>>().join(" ")
        };
        let beyond =
            |j: usize| query.x[j].is_some_and(|value| !(basis.min[j]..=basis.max[j]).contains(&value));
        let size_gap = self.range.size_gap(query);
        let distance = distance(basis, self.range.distance_components, &x);
        let is_outside = self.range.strength_gap(basis, &x) != 0.0 || size_gap.is_some_and(|gap| gap != 0.0);
        let placed = if is_outside || self.is_far(distance) {
            Regime::Extrapolation
        } else if self.columns.group.is_some() && self.rows.families.binary_search(&row.family).is_ok() {
            Regime::Interpolation
        } else {
            Regime::NewFamily
        };
        // The gain is a line in what the proxy reads, of which it knows no more than the training range.
        let outside = self.proxy_gaps(placed.chosen(&self.fit), query);
        let regime = if outside == [0.0; 2] { placed } else { Regime::Extrapolation };
        let below = self.range.is_below(query, basis, &x);
        let unknown = !names.is_empty() && query.x.iter().all(Option::is_none);
        let mut prediction = PredictionRow {
            target_model: row.target_model.clone(),
            family: row.family.clone(),
            target: self.target.clone(),
            unit: self.unit.clone(),
            level: Some(level),
            regime: if below { BELOW } else { regime.name() }.into(),
            mahalanobis: Some(distance).filter(|distance| !unknown && distance.is_finite()),
            mahal_pct: Some(self.range.percentile(distance)).filter(|_| !unknown),
            size_gap_log10: size_gap,
            out_of_range_features: listed(&beyond),
            missing_features: listed(&|j| query.x[j].is_none()),
            card_sha256: self.card_sha256.clone(),
            ..PredictionRow::default()
        };
        let unsupported =
            |regime| self.support.iter().find(|s| s.regime == regime).and_then(|s| s.unsupported.clone());
        // A row of unknown size may be larger than all that was trained on: what is stated is what holds
        // there, if the card can say it.
        let may_be_larger = self.is_unsized(query) && unsupported(Regime::Extrapolation).is_none();
        let judged = if may_be_larger { Regime::Extrapolation } else { regime };
        let asked = [placed.chosen(&self.fit), judged.chosen(&self.fit)];
        let refusal = asked.into_iter().flatten().find_map(|chosen| self.is_misread(chosen, query));
        let refusal = refusal.or_else(|| unsupported(regime));
        let refusal = refusal.or_else(|| row.otherwise.clone());
        let refusal = refusal.or_else(|| unknown.then(|| "none of the features is known".to_owned()));
        let refusal = refusal.or_else(|| {
            below.then(|| {
                "weaker than every row that was trained on; predictions are back-tested upwards only"
                    .to_owned()
            })
        });
        let Rows { n, families, n_without_family, .. } = &self.rows;
        let no_stranger =
            || no_stranger(families.len(), *n_without_family, *n).filter(|_| self.is_foreign(row));
        let refusal = refusal.or_else(no_stranger);
        let refusal = refusal.or_else(|| self.out_of_reach(size_gap, distance));
        let beyond = self.proxy_gaps(judged.chosen(&self.fit), query);
        let refusal = refusal.or_else(|| self.out_of_proxies(beyond));
        let proxies = [&self.columns.proxy, &self.columns.proxy_size];
        for (at, name) in proxies.into_iter().enumerate() {
            if outside[at] != 0.0 || beyond[at] != 0.0 {
                let listed = [prediction.out_of_range_features.as_str(), name.as_deref().unwrap_or_default()];
                prediction.out_of_range_features = listed.join(" ").trim().to_owned();
            }
        }
        let refusal =
            refusal.or_else(|| judged.chosen(&self.fit).and_then(|chosen| self.lacks(chosen, query)));
        match (refusal, judged.chosen(&self.fit)) {
            (None, Some(_)) => self.fill(&mut prediction, judged, row, &x, level),
            (reason, _) => {
                prediction.note = reason.unwrap_or_else(|| "nothing was fitted for this regime".into());
            }
        }
        prediction
    }

    /// Whether a row is of a family that was not trained on.
    pub(crate) fn is_foreign(&self, row: &Row) -> bool {
        self.rows.families.binary_search(&row.family).is_err()
    }

    /// Whether its size is unknown to a card that places rows by size.
    pub(crate) fn is_unsized(&self, query: &Query) -> bool {
        self.range.log10_size.is_some() && query.log10_size.is_none()
    }

    /// Why a row that lacks a proxy, or much of what the formula is made of, has no number: intervals are
    /// made of rows that were whole.
    fn lacks(&self, chosen: &Chosen, query: &Query) -> Option<String> {
        if chosen.asks_proxy() && query.proxy.is_none() {
            return Some("the proxy's value or a size is missing".into());
        }
        let missing = |j: &usize| query.x[*j].is_none();
        let weight = |j: usize| (chosen.formula.coefficients[j] * self.fit.basis.sd[j]).abs();
        let n = query.x.len();
        let (all, lost): (f64, f64) = ((0..n).map(weight).sum(), (0..n).filter(missing).map(weight).sum());
        let absent = (0..n).filter(missing).count();
        let most = |part: f64, whole: f64| part > MOST_MISSING * whole;
        (most(absent as f64, n as f64) || most(lost, all)).then(|| {
            format!(
                "{absent} of {n} features are missing, {:.0} % of the formula's weight",
                100.0 * lost / all.max(f64::MIN_POSITIVE)
            )
        })
    }

    /// The back-test that speaks for a row. Forward folds train on siblings of most rows that they ask about,
    /// and a row of another family has none: of it the lowest coverage is told of those of forward folds,
    /// of families, and of forward folds that left families out as well. These alone are of few rows each,
    /// whose intervals are wider than those of all.
    fn tried(&self, regime: Regime, foreign: bool, level: f64) -> Option<&Coverage> {
        let tried = regime.coverage(&self.backtest);
        if !foreign || regime != Regime::Extrapolation {
            return tried;
        }
        let others =
            [&self.backtest.family, &self.backtest.forward_family].map(|coverages| regime.of(coverages));
        tried
            .into_iter()
            .chain(others.into_iter().flatten())
            .min_by(|a, b| a.at(level).total_cmp(&b.at(level)))
    }

    /// The numbers of a prediction that is not refused.
    fn fill(&self, prediction: &mut PredictionRow, judged: Regime, row: &Row, x: &[f64], level: f64) {
        let (basis, query, link) = (&self.fit.basis, &row.query, self.link);
        let Some(chosen) = judged.chosen(&self.fit) else { return };
        let recipe = judged.recipe();
        let y_hat = chosen.predict(x, query, basis, link);
        let (low, high, is_enough) = chosen.interval(recipe, x, query, basis, link, level);
        let (low, high) = (link.low_end(low).min(y_hat), link.high_end(high).max(y_hat));
        if ![y_hat, low, high].iter().all(|value| value.is_finite()) {
            "the row is so far off that the prediction overflows".clone_into(&mut prediction.note);
            return;
        }
        let tried = self.tried(judged, self.is_foreign(row), level);
        let baseline =
            |formula: &crate::calibration::candidates::Formula| formula.predict(x, query, basis, link);
        prediction.y_hat = Some(y_hat);
        (prediction.low, prediction.high) = (Some(low), Some(high));
        recipe.name().clone_into(&mut prediction.interval_method);
        prediction.backtest_coverage = tried.map(|coverage| coverage.at(level));
        prediction.backtest_n = tried.map(|coverage| coverage.levels.len());
        prediction.baseline_mean = Some(baseline(&self.fit.mean));
        prediction.baseline_size =
            self.fit.size.as_ref().filter(|_| query.log10_size.is_some()).map(baseline);
        let score = judged.scores(&self.scores).iter().find(|score| score.candidate == chosen.candidate);
        prediction.skill_mean = score.map(|score| score.skill_mean);
        prediction.skill_size = score.and_then(|score| score.skill_size);
        prediction.status = PredictionStatus::Ok;
        let made = Made { judged, score, tried, is_enough, level };
        prediction.note = self.caveats(row, prediction, &made);
    }
}

pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::Parameter { name: "--level", reason: format!("is {level}, not between 0 and 1") })
}
