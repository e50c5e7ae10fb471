//! Writes the sentences about estimates of paired samples and comparisons of texts.

use super::measured::known_estimator;
use super::prose::Prose;
use super::recorded::Filed;
use super::records::{ComparisonRecord, EstimateRecord};
use super::words::{distinct, numbers};
use crate::error::{Error, Result};

/// Describes each estimate written by `surmise mi --json`.
pub(super) fn estimates(estimates: &[Filed<EstimateRecord>], prose: &mut Prose) -> Result<()> {
    for filed in estimates {
        let estimate = &filed.record;
        prose.say(format!(
            "The mutual information of {} paired rows was estimated with the estimator {}",
            estimate.n, estimate.estimator
        ));
        prose.cite(known_estimator(&estimate.estimator, filed)?).say(format!(", seed {}", estimate.seed));
        if let Some(test) = &estimate.permutation_test {
            let (pairs, keys): (&str, &[&'static str]) = match test.pairing.as_str() {
                "shuffled" => ("random pairings", &["phipson2010permutation"]),
                "circular_shifts" => ("circular shifts", &["phipson2010permutation", "politis1992circular"]),
                other => {
                    let reason = format!(
                        "names the pairing `{other}`, which this version of surmise does not support; use \
                         the version that wrote the file"
                    );
                    return Err(Error::Config { path: filed.path.clone(), reason });
                }
            };
            prose.say(format!(", and compared with {} {pairs} of the rows", test.permutations)).cite(keys);
        }
        prose.say(". ");
    }
    Ok(())
}

/// Describes each comparisons.csv.
pub(super) fn comparisons(rows: &[Filed<ComparisonRecord>], prose: &mut Prose) -> Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let all = rows.iter().map(|filed| &filed.record);
    prose.say(format!(
        "Groups of texts were compared by the states of {}, in {} windows of {} tokens for each group, with \
         the estimator {}",
        distinct(all.clone().map(|row| row.model.as_str())),
        distinct(all.clone().map(|row| row.n_windows)),
        distinct(all.clone().map(|row| row.window_tokens)),
        distinct(all.clone().map(|row| row.estimator.as_str())),
    ));
    let mut keys: Vec<&'static str> = vec![];
    for filed in rows {
        keys.extend(known_estimator(&filed.record.estimator, filed)?);
    }
    keys.sort_unstable();
    keys.dedup();
    prose.cite(&keys);
    let scales: Vec<f64> = all.clone().filter_map(|row| row.noise_scale).collect();
    if !scales.is_empty() {
        prose.say(format!(" at b = {}", numbers(scales)));
    }
    prose.say(format!("; two-sided p values were computed with {} permutations", first.record.permutations));
    prose.cite(&["phipson2010permutation"]).say(" with Holm's correction");
    prose.cite(&["holm1979simple"]).say(". ");
    Ok(())
}
