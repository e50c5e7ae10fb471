//! How far a card reaches. Beyond the range an interval is as good as its back-test, and a back-test goes
//! only so far: of a row that lies further nothing was ever seen.

use super::support::{Regime, proxy_gaps};
use crate::calibration::card::describe::short;
use crate::calibration::card::file::Card;
use crate::calibration::link::Link;
use crate::calibration::table::sample::Query;
use crate::calibration::validation::fit::Chosen;

/// Times the largest distance of a training row at which a row is so far off that no training row speaks for
/// it.
const MOST_DISTANCE: f64 = 3.0;

impl Card {
    /// Whether a row is farther from the training rows than any of them by much, which is beyond the range in
    /// whatever direction it lies.
    pub(crate) fn is_far(&self, distance: f64) -> bool {
        let largest = self.range.distances.last().copied().unwrap_or(f64::INFINITY);
        !distance.is_finite() || distance > MOST_DISTANCE * largest
    }

    /// Why a row lies further out than back-tests went: by its distance, or by its size.
    pub(crate) fn out_of_reach(&self, size_gap: Option<f64>, distance: f64) -> Option<String> {
        if !distance.is_finite() {
            return Some("so far off the training rows that its distance from them overflows".into());
        }
        if self.is_far(distance) {
            let largest = self.range.distances.last().copied().unwrap_or_default();
            return Some(format!(
                "its distance from the training rows is {distance:.1}, over {MOST_DISTANCE:.0} times the \
                 largest of theirs ({largest:.1})"
            ));
        }
        let gap = size_gap.filter(|gap| *gap != 0.0)?.abs();
        match self.size_reach() {
            Some(reach) if gap <= reach + 1e-9 => None,
            Some(reach) => Some(format!(
                "size is {gap:.1} decades beyond the training range; back-tests went {:.1} beyond",
                reach.max(0.0)
            )),
            // Where too few sizes are known for forward folds, that none asked is no leave to go anywhere.
            None => Some(format!(
                "size is {gap:.1} decades beyond the training range; no back-test asked about a size beyond \
                 those trained on"
            )),
        }
    }

    /// How far outside the training range a row's proxy is, in its value and in its size ratio, for a
    /// candidate that asks it.
    pub(crate) fn proxy_gaps(&self, chosen: Option<&Chosen>, query: &Query) -> [f64; 2] {
        let proxy = query.proxy.filter(|_| chosen.is_some_and(Chosen::asks_proxy));
        self.range.proxy.zip(proxy).map_or([0.0; 2], |(spans, proxy)| proxy_gaps(spans, proxy, self.link))
    }

    /// Why a row's proxy cannot be what the training rows' were.
    pub(crate) fn is_misread(&self, chosen: &Chosen, query: &Query) -> Option<String> {
        let value = query.proxy.filter(|_| chosen.asks_proxy())?.value;
        let column = self.columns.proxy.as_deref().unwrap_or_default();
        (!self.link.holds(value)).then(|| format!("{column} is {}", self.link.excludes(value)))
    }

    /// Why a proxy lies further out than back-tests went. Forward folds are of the stronger, whose proxies
    /// may be outside on either side.
    pub(crate) fn out_of_proxies(&self, gaps: [f64; 2]) -> Option<String> {
        let held = &Regime::Extrapolation.chosen(&self.fit)?.forward.held;
        let scale = if self.link == Link::Identity { "" } else { " on the scale of the link" };
        let column = self.columns.proxy.as_deref().unwrap_or_default();
        let named =
            [format!("{column} is {{}}{scale}"), "the size ratio to the proxy is {} decades".to_owned()];
        let far = |at: usize| {
            let asked = held.iter().filter_map(|row| Some(row.proxy_gaps?[at]));
            let (least, most) = asked.fold((0.0f64, 0.0f64), |(a, b), gap| (a.min(gap), b.max(gap)));
            let (reach, side) = if gaps[at] > 0.0 { (most, "above") } else { (-least, "below") };
            let gap = gaps[at].abs();
            (gap > reach + 1e-9).then(|| {
                let gap = if gap < 1e4 { format!("{gap:.2}") } else { format!("{gap:.1e}") };
                let what = named[at].replace("{}", &gap);
                format!("{what} {side} the training range; back-tests went {reach:.2} {side}")
            })
        };
        far(0).or_else(|| far(1))
    }

    /// The size from which on a row that does not tell its own would be refused if it did: an empty cell must
    /// not be a way around it.
    pub(crate) fn largest_answered(&self, judged: Regime) -> Option<String> {
        let ([_, largest], column) = (self.range.log10_size?, self.columns.size.as_ref()?);
        let reach = self.size_reach().filter(|reach| *reach >= 0.05 && judged == Regime::Extrapolation);
        let beyond =
            reach.map_or("larger than".into(), |reach| format!("more than {reach:.1} decades beyond"));
        Some(format!("{beyond} the largest trained on ({} in {column})", short(10f64.powf(largest))))
    }

    /// How far beyond the sizes that they were trained on forward folds asked, in decades; `None` where no
    /// size is known of them.
    fn size_reach(&self) -> Option<f64> {
        let held = &Regime::Extrapolation.chosen(&self.fit)?.forward.held;
        held.iter().filter_map(|row| row.log10_size_gap).max_by(f64::total_cmp)
    }
}
