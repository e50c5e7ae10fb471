//! Writes the sentences about cards, predictions and blind tests.

use std::path::{Path, PathBuf};

use super::prose::Prose;
use super::recorded::Filed;
use super::records::BlindRecord;
use super::words::{distinct, examples, list, percent};
use crate::calibration::{Card, IntervalMethod, Link, PredictionRow, SelectedCandidate};
use crate::citations::of_candidate;
use crate::error::{Error, Result};
use crate::numeric::shown::count;

/// Maximum number of families that a sentence lists by name.
const NAMED: usize = 8;

/// Describes cards. Cards that differ only in their rows, such as the cards of a blind test, share a
/// sentence.
pub(super) fn cards(cards: &[Filed<Card>], prose: &mut Prose) -> Result<()> {
    let mut groups: Vec<(String, Vec<&Filed<Card>>)> = vec![];
    for card in cards {
        let what = predicts(&card.record);
        match groups.iter_mut().find(|(other, _)| *other == what) {
            Some((_, group)) => group.push(card),
            None => groups.push((what, vec![card])),
        }
    }
    for (what, group) in &groups {
        let first = &group[0].record;
        let rows = match group.as_slice() {
            [_] if first.rows.families.len() <= NAMED && !first.rows.families.is_empty() => format!(
                "It was fitted on {} of {} of the families {}.",
                count(first.rows.n, "row"),
                count(first.rows.n_models, "model"),
                list(&first.rows.families)
            ),
            [_] => format!(
                "It was fitted on {} of {}.",
                count(first.rows.n, "row"),
                count(first.rows.n_models, "model")
            ),
            several => format!(
                "{} such calibrations were fitted, each on {} to {} rows.",
                several.len(),
                several.iter().map(|card| card.record.rows.n).min().unwrap_or_default(),
                several.iter().map(|card| card.record.rows.n).max().unwrap_or_default()
            ),
        };
        prose.say(format!("A calibration predicts {what}. {rows} The candidates were "));
        candidates(group, prose)?;
        prose.say(
            ". They were compared by their cross-validation errors on held-out models, held-out families, \
             stronger models and weaker models",
        );
        if chosen(first).any(|(_, chosen)| chosen.fitted.name() == "blend") {
            prose
                .say("; the candidates with the smallest errors were blended")
                .cite(of_candidate("blend").unwrap_or_default());
        }
        for (regime, chosen) in chosen(first) {
            prose.say(format!("; {regime}, the calibration uses {}", names_of(chosen)));
        }
        if group.iter().any(|card| card.record.diagnostics.missing_share > 0.0) {
            prose.say(". Missing cells were filled by a factor model").cite(&["rubin1982em"]);
        }
        prose.say(". ");
    }
    Ok(())
}

/// Describes the target, features, link and level of a card.
fn predicts(card: &Card) -> String {
    let scale = match &card.link {
        Link::Identity => String::new(),
        Link::Logit { low, high } => format!(", on a logit scale with the bounds {low} and {high},"),
    };
    let unit = if card.unit.is_empty() { String::new() } else { format!(" ({})", card.unit) };
    format!(
        "{}{unit}{scale} from {}, with intervals of nominal level {}",
        card.target,
        list(&card.columns.features),
        percent(card.level)
    )
}

/// Lists all candidates that were compared. Candidates of the same kind share their references.
fn candidates(group: &[&Filed<Card>], prose: &mut Prose) -> Result<()> {
    let scores = |card: &Card| {
        let splits = [
            &card.scores.leave_model_out,
            &card.scores.leave_family_out,
            &card.scores.forward,
            &card.scores.backward,
        ];
        splits.into_iter().flatten().map(|score| score.candidate.clone()).collect::<Vec<_>>()
    };
    let mut names: Vec<(String, PathBuf)> = group
        .iter()
        .flat_map(|card| scores(&card.record).into_iter().map(|name| (name, card.path.clone())))
        .filter(|(name, _)| name != "blend")
        .collect();
    names.sort();
    names.dedup_by(|a, b| a.0 == b.0);
    for (at, (name, path)) in names.iter().enumerate() {
        let keys = of_candidate(name).ok_or_else(|| {
            let reason = format!(
                "names the candidate `{name}`, which this version of surmise does not support; use the \
                 version that wrote the file"
            );
            Error::Config { path: path.clone(), reason }
        })?;
        let between = match at {
            0 => "",
            at if at + 1 == names.len() => " and ",
            _ => ", ",
        };
        let is_last = names.get(at + 1).is_none_or(|(next, _)| of_candidate(next) != Some(keys));
        prose.say(format!("{between}{name}")).cite(if is_last { keys } else { &[] });
    }
    Ok(())
}

/// The candidate chosen for each regime.
fn chosen(card: &Card) -> impl Iterator<Item = (&'static str, &SelectedCandidate)> {
    let fit = &card.fit;
    [
        ("for new models of known families", &fit.known_family),
        ("for new families", &fit.within_range),
        ("beyond the training range", &fit.beyond_range),
        ("below the training range", &fit.below_range),
    ]
    .into_iter()
    .filter_map(|(regime, chosen)| Some((regime, chosen.as_ref()?)))
}

/// The name of a chosen candidate, or the names of the parts of a blend.
fn names_of(chosen: &SelectedCandidate) -> String {
    let parameters = chosen.fitted.model().parameters().unwrap_or_default();
    let parts = parameters["parts"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = parts.iter().filter_map(|part| part["fitted"]["candidate"].as_str()).collect();
    if names.is_empty() { chosen.fitted.name().to_owned() } else { list(names) }
}

/// Describes each predictions.csv.
pub(super) fn predictions(files: &[Filed<Vec<PredictionRow>>], prose: &mut Prose) -> Result<()> {
    for file in files {
        of_file(&file.path, &file.record, prose)?;
    }
    Ok(())
}

fn of_file(path: &Path, rows: &[PredictionRow], prose: &mut Prose) -> Result<()> {
    let predicted: Vec<&PredictionRow> = rows.iter().filter(|row| row.y_hat.is_some()).collect();
    let refused = rows.len() - predicted.len();
    let refusals = match refused {
        0 => "none was refused".to_owned(),
        n => format!("{n} {} refused", if n == 1 { "was" } else { "were" }),
    };
    prose.say(format!("Predictions were requested for {}; {refusals}.", count(rows.len(), "row")));
    let levels: Vec<f64> = predicted.iter().filter_map(|row| row.level).collect();
    if !levels.is_empty() {
        let mut methods: Vec<&str> = predicted.iter().map(|row| row.interval_method.as_str()).collect();
        methods.sort_unstable();
        methods.dedup();
        let mut described = vec![];
        for name in methods.into_iter().filter(|name| !name.is_empty()) {
            described.push(interval(name).ok_or_else(|| {
                let reason = format!(
                    "names the interval method `{name}`, which this version of surmise does not support; use \
                     the version that wrote the file"
                );
                Error::Config { path: path.into(), reason }
            })?);
        }
        prose.say(format!(
            " Intervals have a nominal level of {} and are computed from {}",
            distinct(levels.into_iter().map(percent)),
            list(&described)
        ));
        if described.iter().any(|method| method.contains('+')) {
            prose.cite(&["barber2021predictive"]);
        }
        prose.say("; each prediction is reported with the back-tested coverage of its interval.");
    }
    let dates: Vec<&str> = rows.iter().map(|row| row.api_date.as_str()).filter(|d| !d.is_empty()).collect();
    if !dates.is_empty() {
        prose.say(format!(" The models were asked on {}.", distinct(dates)));
    }
    prose.say(" ");
    Ok(())
}

/// Describes an interval method.
fn interval(name: &str) -> Option<&'static str> {
    let method = IntervalMethod::ALL.into_iter().find(|method| method.name() == name)?;
    Some(match method {
        IntervalMethod::JackknifePlus => "the jackknife+ over models",
        IntervalMethod::FamilyCvPlus => "CV+ over families",
        IntervalMethod::Forward => "back-test errors on stronger models",
        IntervalMethod::Backward => "back-test errors on weaker models",
        IntervalMethod::Maximum => {
            "the union of the intervals from jackknife+, CV+ and back-test errors on stronger models"
        }
        IntervalMethod::MaximumBelow => {
            "the union of the intervals from jackknife+, CV+ and back-test errors on weaker models"
        }
    })
}

/// Describes each blind.json.
pub(super) fn blind(tests: &[BlindRecord], prose: &mut Prose) {
    for test in tests {
        let Some(all) = test.summaries.iter().find(|summary| summary.family == "all") else { continue };
        let families: Vec<&str> =
            test.summaries.iter().map(|summary| summary.family.as_str()).filter(|of| *of != "all").collect();
        let was = if all.n_members == 1 { "was" } else { "were" };
        let of = match families.as_slice() {
            [] => String::new(),
            [one] => format!(" of the family {one}"),
            several => format!(" of the families {}", distinct(several.iter().copied())),
        };
        prose.say(format!(
            "In a blind test, {}{of} {was} hidden behind an API, one after the other. Each member answered \
             the prompts of {} (S = {}, X = {}, {}, seed {}). The target {} was predicted from {} before the \
             member was measured: {} of {} were predicted, with intervals of nominal level {}. ",
            count(all.n_members, "member"),
            list(&test.settings.corpora),
            test.settings.sets,
            test.settings.queries,
            examples(test.settings.shots.iter().copied()),
            test.settings.seed,
            test.target,
            list(&test.features),
            all.n_predicted,
            count(all.n, "row"),
            percent(test.level)
        ));
    }
}
