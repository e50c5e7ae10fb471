//! Refusals: why a row has no prediction.

use super::extrapolation_limit::{beyond_proxies, exceeds_limit, invalid_proxy};
use super::placement::{Placement, unsupported};
use super::query::Query;
use crate::calibration::card::contents::{Card, TrainingRows};
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::sample::Predictors;
use crate::calibration::validation::support::no_new_family;

/// Largest share of the features, and of their importance, that may be missing.
const MOST_MISSING: f64 = 1.0 / 3.0;

/// The first reason why a row is refused.
pub(super) fn refusal(card: &Card, query: &Query, placement: &Placement) -> Option<String> {
    let predictors = &query.predictors;
    let judged = placement.judged.selected(&card.fit);
    let is_empty = !predictors.x.is_empty() && predictors.x.iter().all(Option::is_none);
    let TrainingRows { n, families, n_without_family, .. } = &card.rows;
    let invalid_proxy = || {
        let selected = [placement.by_range.selected(&card.fit), judged];
        selected.into_iter().flatten().find_map(|selected| invalid_proxy(card, selected, predictors))
    };
    let new_family = || no_new_family(families.len(), *n_without_family, *n).filter(|_| query.is_new_family);
    invalid_proxy()
        .or_else(|| unsupported(card, placement.regime).map(Into::into))
        .or_else(|| query.unmet_condition.clone())
        .or_else(|| is_empty.then(|| "none of the features is known".into()))
        .or_else(|| {
            placement.is_below.then(|| {
                "weaker than every row that was trained on; back-tests are of stronger rows only".into()
            })
        })
        .or_else(new_family)
        .or_else(|| exceeds_limit(card, placement.size_gap, placement.distance))
        .or_else(|| beyond_proxies(card, placement.proxy_excess[1]))
        .or_else(|| judged.and_then(|selected| lacks_predictors(card, selected, predictors)))
}

/// Why a row lacks the proxy, or too much of what the candidate predicts from: intervals are made from rows
/// that lacked less.
fn lacks_predictors(card: &Card, selected: &SelectedCandidate, predictors: &Predictors) -> Option<String> {
    if selected.needs_proxy() && predictors.proxy.is_none() {
        return Some("the proxy's value or a size is missing".into());
    }
    let importance = selected.fitted.model().feature_importance(&card.fit.basis);
    let missing = |j: &usize| predictors.x[*j].is_none();
    let n = predictors.x.len();
    let (all, lost): (f64, f64) =
        ((0..n).map(|j| importance[j]).sum(), (0..n).filter(missing).map(|j| importance[j]).sum());
    let absent = (0..n).filter(missing).count();
    let is_too_much = |part: f64, whole: f64| part > MOST_MISSING * whole;
    (is_too_much(absent as f64, n as f64) || is_too_much(lost, all)).then(|| {
        format!(
            "{absent} of {n} features are missing, {:.0} % of the weight of all features",
            100.0 * lost / all.max(f64::MIN_POSITIVE)
        )
    })
}
