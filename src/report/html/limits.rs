//! Limits the bytes of each kind of data, so that a page stays below 2 MB. For data that do not fit, the page
//! shows their number and the file that contains them.

/// Maximum bytes of the data of a page. Style and script are added to this.
pub(super) const LARGEST: usize = 1_880_000;

/// Maximum bytes of each kind of data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// study.toml, and each table of the study.
    pub study_text: usize,
    pub study_table: usize,
    /// All figures of predictions, and all their rows.
    pub figures: usize,
    pub predictions: usize,
    pub profiles: usize,
    /// Figures, tables and descriptions of cards.
    pub cards: usize,
    pub spend: usize,
    /// Scores, and semantic estimates.
    pub scores: usize,
    /// The list of files.
    pub files: usize,
}

impl Limits {
    /// Default limits, which leave space for single answers except in folders with unusually many results.
    const WIDE: Self = Self {
        study_text: 30_000,
        study_table: 70_000,
        figures: 350_000,
        predictions: 260_000,
        profiles: 620_000,
        cards: 150_000,
        spend: 60_000,
        scores: 90_000,
        files: 120_000,
    };

    /// The limits scaled by `share`, for a folder in which all kinds of data are large.
    pub(super) fn of(share: f64) -> Self {
        let part = |bytes: usize| (share * bytes as f64) as usize;
        let Self { study_text, study_table, figures, predictions, profiles, cards, spend, scores, files } =
            Self::WIDE;
        Self {
            study_text: part(study_text),
            study_table: part(study_table),
            figures: part(figures),
            predictions: part(predictions),
            profiles: part(profiles),
            cards: part(cards),
            spend: part(spend),
            scores: part(scores),
            files: part(files),
        }
    }
}
