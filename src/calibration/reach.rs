//! How far a card reaches. Beyond the range an interval is as good as its back-test, and a back-test goes only so far: of a row that lies further nothing was ever seen.

use super::card::Card;
use super::support::Regime;

/// Times the largest distance of a training row at which a row is so far off that no training row speaks for it.
const MOST_DISTANCE: f64 = 3.0;

impl Card {
    /// Whether a row is farther from the training rows than any of them by much, which is beyond the range in whatever direction it lies.
    pub(super) fn is_far(&self, distance: f64) -> bool {
        let largest = self.range.distances.last().copied().unwrap_or(f64::INFINITY);
        !distance.is_finite() || distance > MOST_DISTANCE * largest
    }

    /// Why a row lies further out than back-tests went: by its distance, or by its size.
    pub(super) fn out_of_reach(&self, size_gap: Option<f64>, distance: f64) -> Option<String> {
        if !distance.is_finite() {
            return Some("so far off the training rows that its distance from them overflows".into());
        }
        if self.is_far(distance) {
            let largest = self.range.distances.last().copied().unwrap_or_default();
            return Some(format!(
                "its distance from the training rows is {distance:.1}, over {MOST_DISTANCE:.0} times the largest of theirs ({largest:.1})"
            ));
        }
        let gap = size_gap?.abs();
        let reach = self.size_reach()?;
        (gap > reach + 1e-9).then(|| {
            format!("size is {gap:.1} decades beyond the training range; back-tests went {:.1} beyond", reach.max(0.0))
        })
    }

    /// How far beyond the sizes that they were trained on forward folds asked, in decades; `None` where no size is known of them.
    fn size_reach(&self) -> Option<f64> {
        let held = &Regime::Extrapolation.chosen(&self.fit)?.forward.held;
        held.iter().filter_map(|row| row.log10_size_gap).max_by(f64::total_cmp)
    }
}
