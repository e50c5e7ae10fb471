//! Checks that joined scores have the same settings: task, rendering, grading and seed.

use std::collections::BTreeMap;

use crate::collect::Score;
use crate::error::{Error, Result};
use crate::numeric::shown::count;

/// Returns an error for scores of one task with different settings. A setting that a file does not state is
/// compatible with any value.
///
/// The scores of one model are averaged over its rows, so their settings must never differ. The scores of
/// different models form one feature column, in which the settings may differ only if `mixed` is set.
///
/// Returns the allowed differences between models, one sentence per task.
///
/// # Errors
/// [`Error::Observations`] with the task, the models, the difference, and the hashes of both settings; also
/// for two rows of one model, task and number of shots.
pub(super) fn check_scores(scores: &[Score], mixed: bool) -> Result<Vec<String>> {
    let mut of_model: BTreeMap<(&str, &str), Vec<&Score>> = BTreeMap::new();
    for score in scores {
        of_model.entry((&score.task, &score.model)).or_default().push(score);
    }
    for ((task, model), scores) in &of_model {
        if let Some(difference) = Difference::among(scores) {
            let reason = format!(
                "{model} has scores on {task} with different settings, {difference}; their mean would be \
                 meaningless: leave out one file of --scores, or remove its rows"
            );
            return Err(Error::Observations { reason });
        }
        let mut shots: Vec<usize> = scores.iter().map(|score| score.shots).collect();
        shots.sort_unstable();
        if let Some(twice) = shots.windows(2).find(|pair| pair[0] == pair[1]) {
            let reason = format!(
                "scores of {model} on {task} with {} are given twice; give each file once, and one file of \
                 --scores per model",
                count(twice[0], "shot")
            );
            return Err(Error::Observations { reason });
        }
    }
    let mut of_task: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
    scores.iter().for_each(|score| of_task.entry(&score.task).or_default().push(score));
    let mut notes = vec![];
    for (task, scores) in of_task {
        let Some(difference) = Difference::among(&scores) else { continue };
        let what = format!("scores on {task} have different settings, {difference}");
        if mixed {
            notes.push(format!("{what}; --mixed-scores compares them nevertheless"));
            continue;
        }
        let reason = format!(
            "{what}; they would form one feature column: leave out one file of --scores, collect all scores \
             with the same settings, or give --mixed-scores to compare them nevertheless"
        );
        return Err(Error::Observations { reason });
    }
    Ok(notes)
}

/// Two scores and the first setting in which they differ.
struct Difference<'a> {
    setting: &'static str,
    values: [String; 2],
    scores: [&'a Score; 2],
}

impl<'a> Difference<'a> {
    /// The first difference between the stated settings.
    fn among(scores: &[&'a Score]) -> Option<Self> {
        let mut known: BTreeMap<&'static str, (String, &'a Score)> = BTreeMap::new();
        for score in scores {
            for (setting, value) in score.settings() {
                let Some(value) = value else { continue };
                match known.get(setting) {
                    Some((other, first)) if *other != value => {
                        return Some(Self {
                            setting,
                            values: [other.clone(), value],
                            scores: [*first, *score],
                        });
                    }
                    Some(_) => {}
                    None => drop(known.insert(setting, (value, score))),
                }
            }
        }
        None
    }
}

impl std::fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b] = &self.scores;
        let hash = |score: &Score| score.settings_hash();
        let (a_value, b_value) = (&self.values[0], &self.values[1]);
        write!(
            f,
            "{}: {a_value:.12} of {} (settings_sha256 {:.12}) and {b_value:.12} of {} (settings_sha256 \
             {:.12})",
            self.setting,
            a.model,
            hash(a),
            b.model,
            hash(b)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(model: &str, shots: usize) -> Score {
        Score::of_accuracy("x", model, "colours", shots, 100, 40.0)
    }

    fn refused(scores: &[Score], mixed: bool, parts: &[&str]) {
        let message = check_scores(scores, mixed).expect_err("a refusal").to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{parts:?}: {message}");
    }

    #[test]
    fn settings_that_differ_are_named_with_both_hashes() {
        let turns = Score { rendering: Some("turns".into()), ..score("a", 0) };
        let text = Score { rendering: Some("text".into()), ..score("a", 1) };
        let hashes = [&turns, &text].map(|score| format!("{:.12}", score.settings_hash()));
        assert_ne!(hashes[0], hashes[1]);
        let parts = ["a has scores on colours", "rendering: turns", "and text", &hashes[0], &hashes[1]];
        refused(&[turns.clone(), text.clone()], false, &parts);
        // Even if settings may differ between models, a mean over rows of one model with different settings
        // is an error.
        refused(&[turns.clone(), text], true, &parts);

        let other = Score { rendering: Some("text".into()), ..score("b", 0) };
        let both = [turns, other];
        refused(&both, false, &["scores on colours", &hashes[0], &hashes[1], "--mixed-scores"]);
        let notes = check_scores(&both, true).expect("a note");
        assert!(notes.len() == 1 && notes[0].contains("turns") && notes[0].contains("of b"), "{notes:?}");
    }

    #[test]
    fn every_setting_counts_and_one_that_is_not_stated_differs_from_none() {
        let base = score("a", 0);
        let graded = |grader: &str| Score { grader: Some(grader.into()), ..score("b", 0) };
        let others = [
            [graded("exact"), Score { grader: Some("contains".into()), ..base.clone() }],
            [
                Score { task_sha256: Some("1".repeat(64)), ..score("b", 0) },
                Score { task_sha256: Some("2".repeat(64)), ..base.clone() },
            ],
            [Score { seed: Some(1), ..score("b", 0) }, Score { seed: Some(2), ..base.clone() }],
            [
                Score { ignore_case: Some(true), ..score("b", 0) },
                Score { ignore_case: Some(false), ..base.clone() },
            ],
        ];
        for pair in &others {
            assert!(check_scores(pair, false).is_err(), "{pair:?}");
        }
        assert!(check_scores(&[graded("exact"), base.clone()], false).expect("alike").is_empty());
        refused(&[base.clone(), base], false, &["0 shots are given twice"]);
    }
}
