//! Advice at the end of the note of a refused row: what to add to get a prediction.

use crate::calibration::card::contents::Card;
use crate::calibration::card::describe::short;
use crate::calibration::table::ranges::signed_excess;
use crate::calibration::validation::regime::Regime;

/// The feature that is most important for the candidate of a regime, among the features that `is_among`
/// selects.
pub(super) fn most_important(card: &Card, regime: Regime, is_among: impl Fn(usize) -> bool) -> Option<&str> {
    let names = &card.columns.features;
    let selected = regime.selected(&card.fit)?;
    let importance = selected.fitted.model().feature_importance(&card.fit.basis);
    let among = (0..names.len()).filter(|&j| is_among(j));
    among.max_by(|a, b| importance[*a].total_cmp(&importance[*b])).map(|j| names[j].as_str())
}

/// Advice for a row whose features are all missing. `regime` is the regime whose candidate would predict the
/// row.
pub(super) fn known_feature(card: &Card, regime: Regime) -> String {
    let names = &card.columns.features;
    match (most_important(card, regime, |_| true), names.as_slice()) {
        (_, []) => format!("fill in {}", card.columns.size.as_deref().unwrap_or("its size")),
        (_, [name]) => format!("fill in {name}"),
        (Some(name), _) => format!("fill in at least one of them; {name} matters most"),
        (None, _) => "fill in at least one of them".into(),
    }
}

/// Advice for a row that is too far from the training rows, with completed features `x`. It names the feature
/// that is farthest outside its training range, in standard deviations.
pub(super) fn nearer_models(card: &Card, x: &[f64]) -> String {
    let (basis, names) = (&card.fit.basis, &card.columns.features);
    let excess = |j: usize| signed_excess([basis.min[j], basis.max[j]], x[j]) / basis.sd[j];
    let worst = (0..names.len()).max_by(|a, b| excess(*a).abs().total_cmp(&excess(*b).abs()));
    match worst.map(|j| (&names[j], x[j], excess(j))) {
        Some((name, value, excess)) if excess != 0.0 => {
            let until = if excess > 0.0 { "up to" } else { "down to" };
            let value = if value.abs() < 1e6 { short(value) } else { format!("{value:.1e}") };
            format!("check {name}, or add models with {name} {until} {value}")
        }
        _ => "check its features, or add models with a similar combination of features".into(),
    }
}

/// Advice for a size outside the training range: add models on the same side of the range. `size_gap` is the
/// signed distance in decades.
pub(super) fn models_of_size(size_gap: f64) -> &'static str {
    if size_gap > 0.0 { "add larger models" } else { "add smaller models" }
}
