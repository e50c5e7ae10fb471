//! Scores are joined if they were made alike: the same task, rendered, graded and drawn in the same way.

use std::collections::BTreeMap;

use crate::collect::Score;
use crate::error::{Error, Result};
use crate::numeric::shown::count;

/// Refuses scores of one task that were made under different settings. Settings that a file does not state
/// differ from none.
///
/// Scores of one model are means over its rows, which no two settings share. Scores of several models are one
/// column of features: whether settings may differ there is up to the caller, `mixed`.
///
/// Returns what differs between models where that is allowed, a sentence for each task.
///
/// # Errors
/// [`Error::Observations`] with the task, the models, what differs, and the hashes of both settings; and for
/// two rows of one model, task and number of shots.
pub(super) fn check_scores(scores: &[Score], mixed: bool) -> Result<Vec<String>> {
    let mut of_model: BTreeMap<(&str, &str), Vec<&Score>> = BTreeMap::new();
    for score in scores {
        of_model.entry((&score.task, &score.model)).or_default().push(score);
    }
    for ((task, model), scores) in &of_model {
        if let Some(difference) = Difference::among(scores) {
            let reason = format!(
                "{model} has scores on {task} of different settings, {difference}; a mean of both is the \
                 score of neither: leave one file of --scores out, or remove its rows"
            );
            return Err(Error::Observations { reason });
        }
        let mut shots: Vec<usize> = scores.iter().map(|score| score.shots).collect();
        shots.sort_unstable();
        if let Some(twice) = shots.windows(2).find(|pair| pair[0] == pair[1]) {
            let reason = format!(
                "scores of {model} on {task} with {} are given twice; name each file once, and one \
                 file of --scores for each model",
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
        let what = format!("scores on {task} were made under different settings, {difference}");
        if mixed {
            notes.push(format!("{what}; --mixed-scores compares them nevertheless"));
            continue;
        }
        let reason = format!(
            "{what}; they are one column of features: leave one file of --scores out, collect all alike, or \
             give --mixed-scores to compare them nevertheless"
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
    /// The first difference between the settings that are stated.
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
        // A mean over rows of one model is wrong whatever is allowed between models.
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
