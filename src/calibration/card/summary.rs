//! Summarises a card in a few lines, for the end of a calibration. `Display` describes the whole card.

use super::contents::Card;
use super::describe::{name_of, short};
use crate::calibration::validation::regime::Regime;
use crate::calibration::validation::support::too_few_for_level;
use crate::numeric::shown::{count, fixed};

/// Maximum number of notes in a summary.
const MOST_NOTES: usize = 3;
/// Maximum number of characters of a note in a summary.
const LONGEST_NOTE: usize = 160;

impl Card {
    /// Describes the training rows in one line, each regime in one line, and the first notes, with warnings
    /// first.
    pub fn summary(&self) -> Vec<String> {
        let rows = &self.rows;
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        let mut lines = vec![format!(
            "{}{unit}: fitted on {} of {} in {}, with {}",
            self.target,
            count(rows.n, "row"),
            count(rows.n_models, "model"),
            count(rows.families.len(), "family"),
            count(self.columns.features.len(), "feature")
        )];
        lines.extend(Regime::ALL.map(|regime| self.in_brief(regime)));
        let (warnings, others): (Vec<&String>, Vec<&String>) =
            self.notes.iter().partition(|note| is_warning(note));
        let shown = warnings.into_iter().chain(others).take(MOST_NOTES);
        lines.extend(shown.map(|note| format!("note: {}", shortened(note))));
        let more = self.notes.len().saturating_sub(MOST_NOTES);
        if more > 0 {
            lines.push(format!("and {}", count(more, "more note")));
        }
        lines
    }

    /// The error, skill and coverage in a regime, or the reason why it is not supported.
    fn in_brief(&self, regime: Regime) -> String {
        if let Some(line) = self.without_figures(regime) {
            return line;
        }
        let (name, families) = (name_of(regime), self.rows.families.len());
        let selected = regime.selected(&self.fit);
        let score = selected.and_then(|selected| regime.score_of(selected.name(), &self.scores));
        let mut parts = vec![];
        parts.extend(score.map(|score| {
            let skill = fixed(score.skill_mean, 2);
            format!("mean absolute error {}, skill {skill} against the mean", short(score.mae))
        }));
        parts.push(self.coverage(regime));
        if regime == Regime::NewFamily && too_few_for_level(families, self.level) {
            parts.push(format!("ONLY {families} FAMILIES"));
        }
        format!("{name}: {}", parts.join("; "))
    }
}

/// Whether a note has two consecutive words in capitals, as warnings do.
fn is_warning(note: &str) -> bool {
    let is_loud = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase());
    let words: Vec<bool> = note.split_whitespace().map(is_loud).collect();
    words.windows(2).any(|pair| pair == [true, true])
}

fn shortened(note: &str) -> String {
    match note.char_indices().nth(LONGEST_NOTE) {
        Some((end, _)) => format!("{} ...", note[..end].trim_end()),
        None => note.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_notes_with_words_in_capitals_and_long_notes_are_cut() {
        assert!(is_warning("feature a RANKS THE ROWS AS THE TARGET y DOES"));
        assert!(!is_warning("column MMLU is constant and is left out") && !is_warning("SIZE A of b"));
        assert_eq!(shortened("a note"), "a note");
        assert_eq!(shortened(&"é".repeat(200)).chars().count(), LONGEST_NOTE + 4);
    }
}
