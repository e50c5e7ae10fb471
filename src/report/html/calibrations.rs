//! Makes the section on calibrations: rows, features and back-tests of each card.

use serde_json::{Value, json};

use super::data::{Budget, PageTable};
use super::folder::ResultFiles;
use super::limits::Limits;
use super::sources::Sources;
use crate::calibration::{Card, Regime};
use crate::report::calibration;

/// Maximum number of cards to read. A blind test writes a card for each hidden member.
const MOST_CARDS: usize = 60;

/// Makes the section: a table of the cards, and details of the cards that fit into the limit.
pub(super) fn calibrations(files: &ResultFiles, sources: &Sources, limits: &Limits) -> Value {
    let mut overview = PageTable::new(
        "calibrations",
        &[
            "card",
            "card_sha256",
            "target",
            "rows",
            "models",
            "families",
            "features",
            "within_range",
            "beyond_range",
            "level",
            "coverage_new_model",
            "coverage_new_family",
            "coverage_beyond_range",
        ],
    );
    let (mut details, mut budget) = (vec![], Budget::new(limits.cards));
    for path in files.cards.iter().take(MOST_CARDS) {
        let Some(card) = sources.read(path, Card::read) else { continue };
        let name = sources.name(path);
        let selected = |regime: Regime| regime.selected(&card.fit).map(|selected| selected.name().to_owned());
        overview.push(vec![
            json!(name),
            json!(card.card_sha256),
            json!(card.target),
            json!(card.rows.n),
            json!(card.rows.n_models),
            json!(card.rows.families.len()),
            json!(card.columns.features.join(", ")),
            json!(selected(Regime::Interpolation)),
            json!(selected(Regime::Extrapolation)),
            json!(card.level),
            json!(coverage(&card, Regime::Interpolation)),
            json!(coverage(&card, Regime::NewFamily)),
            json!(coverage(&card, Regime::Extrapolation)),
        ]);
        details.extend(detail(&card, &name).and_then(|detail| budget.take(detail)));
    }
    json!({
        "table": overview.within(limits.cards / 4, "the cards").json(), "cards": details,
        "n": files.cards.len(),
        "n_not_read": files.cards.len().saturating_sub(MOST_CARDS),
    })
}

/// The coverage of the intervals of a regime in the back-test.
fn coverage(card: &Card, regime: Regime) -> Option<f64> {
    regime.coverage(&card.backtest).map(|coverage| coverage.at(card.level))
}

fn detail(card: &Card, name: &str) -> Option<Value> {
    let svg = calibration::dots(card).figure().ok()?;
    Some(json!({
        "file": name, "caption": calibration::caption(card, &card.unit), "text": card.to_string(),
        "svg": svg.svg(), "table": PageTable::from_report("backtest", &calibration::table(card)).json(),
    }))
}
