//! Limits how far a card may extrapolate. Beyond the training range, only a back-test supports an interval,
//! and back-tests reach only a limited distance.

use super::advice::{models_of_size, nearer_models};
use crate::calibration::card::contents::Card;
use crate::calibration::card::describe::short;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::link::Link;
use crate::calibration::table::ranges::proxy_excess;
use crate::calibration::table::sample::Predictors;
use crate::calibration::validation::regime::Regime;

/// A row is distant if its Mahalanobis distance is more than this many times the largest distance of a
/// training row.
const MOST_DISTANCE: f64 = 3.0;

/// Maximum distance of a size from the training range, as a multiple of the largest distance in forward
/// folds.
const MOST_REACH: f64 = 2.0;

/// Whether a row is much farther from the training mean than any training row, in any direction.
pub(super) fn is_distant(card: &Card, distance: f64) -> bool {
    let largest = card.range.distances.last().copied().unwrap_or(f64::INFINITY);
    !distance.is_finite() || distance > MOST_DISTANCE * largest
}

/// The reason why a row with completed features `x` is too far from the training rows, by its Mahalanobis
/// distance or by its size, with advice. `None` if both are within their limits.
pub(super) fn exceeds_limit(card: &Card, x: &[f64], size_gap: Option<f64>, distance: f64) -> Option<String> {
    if is_distant(card, distance) {
        let largest = card.range.distances.last().copied().unwrap_or_default();
        let by = if distance < 1e4 { format!("{distance:.1}") } else { format!("{distance:.1e}") };
        return Some(format!(
            "the row's Mahalanobis distance from the training mean is {by} standard deviations; the farthest \
             training row is at {largest:.1}, and the limit is {MOST_DISTANCE:.0} times this distance; {}",
            nearer_models(card, x)
        ));
    }
    let signed = size_gap.filter(|gap| *gap != 0.0)?;
    let (gap, advice) = (signed.abs(), models_of_size(signed));
    match size_reach(card) {
        Some(reach) if gap <= MOST_REACH * reach + 1e-9 => None,
        Some(reach) => Some(format!(
            "size is {gap:.1} decades beyond the training range, which is more than {MOST_REACH:.0} times \
             the largest distance in back-tests ({:.1}); {advice}",
            reach.max(0.0)
        )),
        // Without a known size in forward folds, no evidence supports an extrapolation in size.
        None => Some(format!(
            "size is {gap:.1} decades beyond the training range; no back-test predicted a size beyond its \
             training range; {advice}"
        )),
    }
}

/// Distances of the value and of the size ratio of a row's proxy from their training ranges. Both are 0 if
/// the candidate does not use the proxy.
pub(super) fn proxy_excess_of(
    card: &Card,
    selected: Option<&SelectedCandidate>,
    predictors: &Predictors,
) -> [f64; 2] {
    let proxy = predictors.proxy.filter(|_| selected.is_some_and(SelectedCandidate::needs_proxy));
    card.range.proxy.zip(proxy).map_or([0.0; 2], |(ranges, proxy)| proxy_excess(ranges, proxy, card.link))
}

/// The reason why the value of a row's proxy is not a possible value of the target; `None` if it is possible.
pub(super) fn invalid_proxy(
    card: &Card,
    selected: &SelectedCandidate,
    predictors: &Predictors,
) -> Option<String> {
    let value = predictors.proxy.filter(|_| selected.needs_proxy())?.value;
    let column = card.columns.proxy.as_deref().unwrap_or_default();
    (!card.link.contains(value)).then(|| {
        format!("{column} is {}; correct it, or leave it empty", card.link.out_of_bounds_reason(value))
    })
}

/// The reason why a proxy is not used: it lies farther outside the training range than any proxy in the
/// back-tests. `None` if the proxy is used. Forward folds test the stronger models, whose proxies may lie
/// above or below the training range.
pub(super) fn beyond_proxies(card: &Card, excess: [f64; 2]) -> Option<String> {
    let held_out = &Regime::Extrapolation.selected(&card.fit)?.residuals.forward.held_out;
    let scale = if card.link == Link::Identity { "" } else { " on the scale of the link" };
    let column = card.columns.proxy.as_deref().unwrap_or_default();
    let words = [format!("{column} is {{}}{scale}"), "the size ratio to the proxy is {} decades".to_owned()];
    let beyond = |at: usize| {
        let tested = held_out.iter().filter_map(|row| Some(row.proxy_gaps?[at]));
        let (least, most) = tested.fold((0.0f64, 0.0f64), |(a, b), gap| (a.min(gap), b.max(gap)));
        let (reach, side) = if excess[at] > 0.0 { (most, "above") } else { (-least, "below") };
        let gap = excess[at].abs();
        (gap > reach + 1e-9).then(|| {
            let gap = if gap < 1e4 { format!("{gap:.2}") } else { format!("{gap:.1e}") };
            let what = words[at].replace("{}", &gap);
            format!("{what} {side} the training range; back-tests reached only {reach:.2} {side}")
        })
    };
    beyond(0).or_else(|| beyond(1))
}

/// The size up to which back-tests support a prediction, for the note on a row of unknown size. Without this
/// note, a user could avoid the limit by leaving the size empty.
pub(super) fn largest_size(card: &Card, judged: Regime) -> Option<String> {
    let ([_, largest], column) = (card.range.log10_size?, card.columns.size.as_ref()?);
    let reach = size_reach(card).filter(|reach| *reach >= 0.05 && judged == Regime::Extrapolation);
    let beyond = reach.map_or("larger than".into(), |reach| format!("more than {reach:.1} decades beyond"));
    Some(format!("{beyond} the largest training size ({} in {column})", short(10f64.powf(largest))))
}

/// The largest distance, in decades, between a size that a forward fold predicted and the largest size in the
/// training rows of this fold. `None` if no such size is known.
fn size_reach(card: &Card) -> Option<f64> {
    let held_out = &Regime::Extrapolation.selected(&card.fit)?.residuals.forward.held_out;
    held_out.iter().filter_map(|row| row.log10_size_gap).max_by(f64::total_cmp)
}
