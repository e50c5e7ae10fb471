//! Places a row relative to the training rows, and decides which regime's candidate and intervals apply.

use super::evidence::Situation;
use super::extrapolation_limit::{beyond_proxies, is_distant, proxy_excess_of};
use super::query::Query;
use crate::calibration::card::contents::Card;
use crate::calibration::intervals::residuals::Gaps;
use crate::calibration::validation::range::distance;
use crate::calibration::validation::regime::Regime;

/// The place of a row relative to the training rows.
pub(super) struct Placement {
    /// The features, with imputed values in missing cells.
    pub x: Vec<f64>,
    /// The regime according to size, first component, distance and kind. The proxy is not considered.
    pub by_range: Regime,
    /// Like `by_range`, but [`Regime::Extrapolation`] if the proxy lies outside its training range.
    pub regime: Regime,
    /// The regime whose candidate, interval and coverage apply. For a row of unknown size, this is the regime
    /// beyond the range, because the model may be larger than all training models.
    pub judged: Regime,
    /// The situation whose back-test errors apply to the row.
    pub situation: Situation,
    /// Whether the candidate for rows within the range uses the size.
    pub size_matters: bool,
    /// Signed distance of the size from the training range, in decades; `None` if the size is unknown.
    pub size_gap: Option<f64>,
    /// Mahalanobis distance from the training mean.
    pub distance: f64,
    /// Distances of the row from the training range.
    pub gaps: Gaps,
    /// The reason why the proxy is not used: it lies farther from the training range than any proxy in the
    /// back-tests.
    pub far_proxy: Option<String>,
}

impl Placement {
    pub(super) fn of(card: &Card, query: &Query) -> Self {
        let (basis, predictors) = (&card.fit.basis, &query.predictors);
        let x = basis.complete(predictors);
        let size_gap = card.range.size_gap(predictors);
        let distance = distance(basis, card.range.distance_components, &x);
        let inside = match card.columns.group.is_some() && !query.is_new_family {
            true => Regime::Interpolation,
            false => Regime::NewFamily,
        };
        // If the candidate does not use the size, the size does not decide the regime.
        let uses_size = |regime: Regime| {
            let selected = regime.selected(&card.fit);
            selected.is_none_or(|selected| selected.fitted.model().uses_size())
        };
        let size_matters = uses_size(inside);
        let is_larger = size_matters && size_gap.is_some_and(|gap| gap != 0.0);
        let is_outside = card.range.strength_gap(basis, &x) != 0.0 || is_larger;
        let is_another_kind = !query.unseen.is_empty() && unsupported(card, Regime::Extrapolation).is_none();
        let by_range = if card.range.is_below(predictors, basis, &x, size_matters) {
            Regime::BelowRange
        } else if is_outside || is_distant(card, distance) || is_another_kind {
            Regime::Extrapolation
        } else {
            inside
        };
        // A gain is linear in the proxy's value, and was fitted only within the training range of the proxy.
        // Outside it, the prediction is an extrapolation.
        let outside = proxy_excess_of(card, by_range.selected(&card.fit), predictors);
        let regime = if outside == [0.0; 2] { by_range } else { Regime::Extrapolation };
        let may_be_larger = query.is_unsized
            && size_matters
            && regime != Regime::BelowRange
            && unsupported(card, Regime::Extrapolation).is_none();
        let judged = if may_be_larger { Regime::Extrapolation } else { regime };
        let beyond = proxy_excess_of(card, judged.selected(&card.fit), predictors);
        let mut usable = predictors.clone();
        let far_proxy = beyond_proxies(card, beyond).or_else(|| beyond_proxies(card, outside));
        usable.proxy = usable.proxy.filter(|_| far_proxy.is_none());
        // A row of an unseen kind does not continue the trend over size or strength. Like a row of a new
        // family, it may deviate from the training rows in any direction.
        let is_kind = is_another_kind && judged == Regime::Extrapolation;
        let has_choice = Regime::NewFamily.selected(&card.fit).is_some();
        let choice = if is_kind && has_choice { Regime::NewFamily } else { judged };
        let situation = Situation::of(judged, choice, &usable);
        let uses_size = uses_size(judged);
        let gaps = card.range.gaps(predictors, basis, &x, uses_size);
        Self { x, by_range, regime, judged, situation, size_gap, size_matters, distance, gaps, far_proxy }
    }
}

/// The reason why a card does not support a regime; `None` if it does.
pub(super) fn unsupported(card: &Card, regime: Regime) -> Option<&str> {
    card.support.iter().find(|support| support.regime == regime)?.unsupported.as_deref()
}
