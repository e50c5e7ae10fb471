//! Assesses the reliability of the headline of a profile: its bounds, and the number of blocks whose
//! information is near the largest value that this number of windows can show.

use std::collections::BTreeSet;

use super::block_reading::BlockFlag;
use super::profile::Profile;
use super::profile_row::ProfileRow;
use crate::corpus::Role;

/// An estimate above this share of its ceiling is near the ceiling; bounds begin to diverge there.
const NEAR_CEILING: f64 = 0.6;
/// A lower bound above this share of its ceiling only shows that the information is large.
const SATURATED: f64 = 0.85;
/// Bounds further apart than this, in nats, are uninformative.
const WIDE_GAP_NATS: f64 = 0.5;
/// If fewer than this share of the windows are distinct, windows repeat too often.
const FEW_DISTINCT: f64 = 0.5;

/// How close an estimate is to its ceiling. The ceiling is the smallest of several limits, such as log n and
/// the entropy of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Below,
    NearCeiling,
    Saturated,
}

impl Standing {
    fn of(row: &ProfileRow) -> Self {
        let ceiling = row.macro_ceiling_nats;
        let gap = row.macro_upper_nats.zip(row.macro_lower_nats).map(|(upper, lower)| upper - lower);
        // If nothing varies, the ceiling and the information are both 0, which does not count as saturated.
        let lower = row.macro_lower_nats.unwrap_or(row.macro_mi_nats);
        let is_saturated = ceiling > 0.0 && lower > SATURATED * ceiling;
        match () {
            () if is_saturated || gap.is_some_and(|gap| gap > WIDE_GAP_NATS) => Self::Saturated,
            () if ceiling > 0.0 && row.macro_mi_nats > NEAR_CEILING * ceiling => Self::NearCeiling,
            () => Self::Below,
        }
    }
}

/// The reliability of a headline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// Lower and upper bound of the headline. The lower bound is the mean over blocks of the lower macro
    /// bound minus the upper micro bound. The upper bound is the mean of the upper macro bound minus the
    /// lower micro bound. `None` for an estimator without bounds.
    pub bounds_nats: Option<[f64; 2]>,
    /// Number of blocks in the headline.
    pub n_blocks: usize,
    /// Number of these blocks whose macro information is saturated: its lower bound is above .85 of its
    /// ceiling, or its bounds are more than half a nat apart.
    pub n_saturated: usize,
    /// Number of the other blocks whose macro information is above .6 of its ceiling.
    pub n_near_ceiling: usize,
    /// Number of blocks of the model with an attention sink at position 0.
    pub n_attention_sink: usize,
    /// Number of windows and number of distinct windows.
    pub windows: [usize; 2],
}

impl Reliability {
    /// Assesses the rows of one profile at one noise scale.
    pub fn of(rows: &[&ProfileRow]) -> Self {
        let own: Vec<&ProfileRow> = rows.iter().filter(|row| row.control.is_none()).copied().collect();
        let entities = || own.iter().filter(|row| row.role != Role::Separator);
        let last = entities().map(|row| row.reading_index).max();
        let headline: Vec<&ProfileRow> =
            entities().filter(|row| Some(row.reading_index) == last && row.block >= 2).copied().collect();
        let standings: Vec<Standing> = headline.iter().map(|row| Standing::of(row)).collect();
        let count = |wanted: Standing| standings.iter().filter(|standing| **standing == wanted).count();
        let bounds = headline.iter().map(|row| {
            Some([
                row.macro_lower_nats? - row.micro_upper_nats?,
                row.macro_upper_nats? - row.micro_lower_nats?,
            ])
        });
        let bounds: Option<Vec<[f64; 2]>> = bounds.collect();
        let n = headline.len() as f64;
        let mean = |bounds: Vec<[f64; 2]>| [0, 1].map(|side| bounds.iter().map(|b| b[side]).sum::<f64>() / n);
        let is_sink =
            |row: &&&ProfileRow| row.flags.split(' ').any(|flag| flag == BlockFlag::AttentionSink.name());
        let sinks: BTreeSet<usize> = own.iter().filter(is_sink).map(|row| row.block).collect();
        let first = own.first();
        Self {
            bounds_nats: bounds.filter(|bounds| !bounds.is_empty()).map(mean),
            n_blocks: headline.len(),
            n_saturated: count(Standing::Saturated),
            n_near_ceiling: count(Standing::NearCeiling),
            n_attention_sink: sinks.len(),
            windows: first.map_or([0, 0], |row| [row.n_windows, row.n_distinct.unwrap_or(row.n_windows)]),
        }
    }

    /// Whether too few of the windows are distinct.
    pub fn has_few_distinct(&self) -> bool {
        let [n, distinct] = self.windows;
        (distinct as f64) < FEW_DISTINCT * n as f64
    }

    /// Warnings, one sentence each, with what to do; empty if there are no problems.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = vec![];
        if self.n_saturated + self.n_near_ceiling > 0 {
            advice.push(format!(
                "blocks {}; the number of windows, rather than the model, may determine the estimate; use \
                 shorter series (--entities), a larger noise scale (--noise-scale of the commands \
                 observations and report), or more windows (--windows)",
                blocks(self.n_saturated, self.n_near_ceiling, self.n_blocks)
            ));
        }
        if self.has_few_distinct() {
            let [n, distinct] = self.windows;
            advice.push(format!(
                "few distinct windows: {distinct} of {n}; use longer series (--entities), or a corpus with \
                 more entities or texts; more windows would only repeat the same series or texts"
            ));
        }
        if self.n_attention_sink > 0 {
            advice.push(format!(
                "attention sink at position 0 in {} of the blocks, so their micro information measures the \
                 sink; compare --bos on and --bos off",
                self.n_attention_sink
            ));
        }
        advice
    }
}

/// Describes how many of `n` blocks are saturated or near their ceiling.
pub(crate) fn blocks(n_saturated: usize, n_near_ceiling: usize, n: usize) -> String {
    format!("saturated: {n_saturated} of {n}, near their ceiling: {n_near_ceiling} of {n}")
}

impl Profile {
    /// The reliability of the headline.
    pub fn reliability(&self) -> Reliability {
        let rows = self.rows();
        let at = self.headline.and_then(|headline| headline.noise_scale);
        Reliability::of(&rows.iter().filter(|row| row.noise_scale == at).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of block 2 at the last of two entities, from 1000 windows. `macro_mi` contains the lower bound,
    /// the estimate and the upper bound.
    fn row(macro_mi: [f64; 3], ceiling_nats: f64) -> ProfileRow {
        let header = "model,family,n_params,corpus,n_windows,n_distinct,estimator,scale,block,role,\
                      reading_index,control,noise_scale,macro_mi_nats,macro_lower_nats,macro_upper_nats,\
                      macro_ceiling_nats,micro_lower_nats,micro_upper_nats,emergence_nats,\
                      random_init_nats,learned_nats";
        let [lower, mi, upper] = macro_mi;
        let cells = format!(
            "m,,1,c,1000,499,channel,spread,2,entity,2,,0.4,{mi},{lower},{upper},{ceiling_nats},0.5,1,1,0,1"
        );
        let csv = format!("{header}\n{cells}\n");
        csv::Reader::from_reader(csv.as_bytes()).deserialize().next().unwrap().unwrap()
    }

    #[test]
    fn an_estimate_is_judged_by_its_own_ceiling() {
        let standing = |macro_mi, ceiling| Standing::of(&row(macro_mi, ceiling));
        // log 1000 is 6.9; with 60 distinct inputs the ceiling is 4.1.
        assert_eq!(standing([2.9, 3.0, 3.1], 6.9), Standing::Below);
        assert_eq!(standing([2.9, 3.0, 3.1], 4.1), Standing::NearCeiling);
        assert_eq!(standing([3.6, 3.7, 3.8], 4.1), Standing::Saturated);
        assert_eq!(standing([1.0, 1.3, 1.6], 6.9), Standing::Saturated);
        assert_eq!(standing([0.0, 0.0, 0.0], 0.0), Standing::Below);
        let unbounded =
            ProfileRow { macro_lower_nats: None, macro_upper_nats: None, ..row([0.0, 4.0, 0.0], 4.1) };
        assert_eq!(Standing::of(&unbounded), Standing::Saturated);
    }

    #[test]
    fn blocks_are_counted_at_the_last_entity_from_the_second_block_on() {
        let at = |block, reading_index, macro_mi| ProfileRow { block, reading_index, ..row(macro_mi, 4.1) };
        let near = [2.9, 3.0, 3.1];
        let rows = [at(1, 2, near), at(2, 2, near), at(3, 2, [1.0, 1.1, 1.2]), at(2, 1, near)];
        let sink = ProfileRow { flags: "attention_sink".into(), ..at(3, 1, near) };
        let control = ProfileRow { control: Some("shuffled".into()), ..at(2, 2, near) };
        let rows: Vec<&ProfileRow> = rows.iter().chain([&sink, &control]).collect();
        let found = Reliability::of(&rows);
        assert_eq!((found.n_blocks, found.n_saturated, found.n_near_ceiling), (2, 0, 1));
        assert_eq!((found.n_attention_sink, found.windows), (1, [1000, 499]));
        // The macro bounds of the two blocks are 2.9 to 3.1 and 1.0 to 1.2, with means 1.95 and 2.15. The
        // micro bounds are .5 to 1. So the lower bound is 1.95 - 1, and the upper bound is 2.15 - .5.
        let [lower, upper] = found.bounds_nats.unwrap();
        assert!((lower - 0.95).abs() < 1e-12 && (upper - 1.65).abs() < 1e-12);
    }

    #[test]
    fn advice_counts_blocks_and_windows() {
        let good = Reliability {
            bounds_nats: None,
            n_blocks: 5,
            n_saturated: 0,
            n_near_ceiling: 0,
            n_attention_sink: 0,
            windows: [1000, 500],
        };
        assert!(good.advice().is_empty());
        let bad = Reliability {
            n_saturated: 1,
            n_near_ceiling: 2,
            n_attention_sink: 3,
            windows: [1000, 499],
            ..good
        };
        let advice = bad.advice();
        assert!(advice[0].starts_with("blocks saturated: 1 of 5, near their ceiling: 2 of 5"));
        assert!(advice[0].contains("--entities") && advice[0].contains("--windows"));
        assert!(advice[1].contains("499 of 1000") && advice[2].contains("in 3 of the blocks"));
    }
}
