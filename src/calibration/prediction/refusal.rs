//! Finds the reason why a row is refused.

use super::advice::known_feature;
use super::extrapolation_limit::{exceeds_limit, invalid_proxy};
use super::placement::{Placement, unsupported};
use super::query::Query;
use crate::calibration::card::contents::{Card, TrainingRows};
use crate::calibration::validation::support::no_new_family;

/// The first reason to refuse a row before its back-test is made: an invalid proxy, an unsupported regime, an
/// unmet condition, no known feature, an unsupported new family, or a distance that no back-test reached.
pub(super) fn refusal(card: &Card, query: &Query, placement: &Placement) -> Option<String> {
    let predictors = &query.predictors;
    let judged = placement.judged.selected(&card.fit);
    let nothing_known = predictors.x.iter().all(Option::is_none)
        && predictors.log10_size.is_none()
        && predictors.proxy.is_none();
    let TrainingRows { n, families, n_without_family, .. } = &card.rows;
    let invalid_proxy = || {
        let selected = [placement.by_range.selected(&card.fit), judged];
        selected.into_iter().flatten().find_map(|selected| invalid_proxy(card, selected, predictors))
    };
    let new_family = || no_new_family(families.len(), *n_without_family, *n).filter(|_| query.is_new_family);
    let no_feature =
        || format!("none of the features is known; {}", known_feature(card, placement.situation.choice));
    invalid_proxy()
        .or_else(|| unsupported(card, placement.regime).map(Into::into))
        .or_else(|| query.unmet_condition.clone())
        .or_else(|| nothing_known.then(no_feature))
        .or_else(new_family)
        .or_else(|| {
            let size_gap = placement.size_gap.filter(|_| placement.size_matters);
            exceeds_limit(card, &placement.x, size_gap, placement.distance)
        })
}
