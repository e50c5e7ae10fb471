//! Compares texts exactly: the whole answer, its beginning, or its first line.

use crate::collect::grading::grade::{Grade, GradeKind};
use crate::collect::grading::normalisation::Normalisation;
use crate::collect::grading::settings::Grading;
use crate::collect::item::Item;

/// Compares a text with the right answers. A truncated text is compared only if it contains the end of the
/// answer.
pub(super) fn compare(item: &Item, text: &str, whole: bool, rule: &str, how: &Grading) -> Grade {
    let line_feed = ["\n".to_owned()];
    let (piece, ended) = match rule {
        "first-line" => {
            let (line, ended) = cut(text, &line_feed);
            let (piece, stopped) = cut(line, &how.stops);
            (piece, ended || stopped)
        }
        _ => cut(text, &how.stops),
    };
    let normal = how.normalisation;
    let gold = item.gold.iter().map(|gold| normal.apply(gold));
    if rule == "prefix" {
        return prefix(&gold.collect::<Vec<_>>(), piece, whole || ended, normal);
    }
    let extracted = normal.apply(piece);
    match (whole || ended, extracted.is_empty()) {
        (false, _) => Grade::none(GradeKind::Truncated, extracted),
        // The text begins with a stop sequence.
        (true, true) => Grade::none(GradeKind::Empty, extracted),
        (true, false) => {
            Grade::scored(f64::from(u8::from(gold.into_iter().any(|gold| gold == extracted))), extracted)
        }
    }
}

/// Returns the text before the first stop sequence, without leading white space, and whether there was a stop
/// sequence.
fn cut<'a>(text: &'a str, stops: &[String]) -> (&'a str, bool) {
    let text = text.trim_start();
    match stops.iter().filter_map(|stop| text.find(stop.as_str())).min() {
        Some(end) => (&text[..end], true),
        None => (text, false),
    }
}

/// Grades a text, which is right if it begins with a right answer. A truncated text is graded only if no
/// continuation could change the grade.
fn prefix(gold: &[String], piece: &str, whole: bool, normal: Normalisation) -> Grade {
    // A punctuation mark may directly follow the answer. The added character prevents normalisation from
    // removing this mark.
    let kept = normal.apply(&format!("{}\u{2502}", piece.trim_end()));
    let text = kept.strip_suffix('\u{2502}').unwrap_or(&kept).trim_end();
    if text.is_empty() {
        return Grade::none(if whole { GradeKind::Empty } else { GradeKind::Truncated }, "");
    }
    let mut open = false;
    for gold in gold {
        match text.strip_prefix(gold.as_str()).map(|rest| rest.chars().next()) {
            Some(Some(next)) if !next.is_alphanumeric() => return Grade::scored(1.0, text),
            Some(None) if whole => return Grade::scored(1.0, text),
            Some(None) => open = true,
            _ => open |= gold.starts_with(text),
        }
    }
    if open && !whole { Grade::none(GradeKind::Truncated, text) } else { Grade::scored(0.0, text) }
}
