//! Assesses the reliability of the headlines of positional profiles, in sentences for a caption.

use std::collections::BTreeMap;

use crate::emergence::ProfileRow;
use crate::emergence::reliability::{Reliability, blocks};

/// Sentences about the bounds, blocks near their ceiling, repeated windows, and attention sinks, if there are
/// any.
pub(super) fn reliability(rows: &[ProfileRow]) -> String {
    let mut profiles: BTreeMap<(&str, &str), Vec<&ProfileRow>> = BTreeMap::new();
    for row in rows {
        profiles.entry((&row.model, &row.corpus)).or_default().push(row);
    }
    let all: Vec<((&str, &str), Reliability)> =
        profiles.into_iter().map(|(of, rows)| (of, Reliability::of(&rows))).collect();
    let mut text = String::new();
    let gaps = all.iter().filter_map(|(of, found)| found.bounds_nats.map(|[low, high]| (of, high - low)));
    if let Some(((model, corpus), gap)) = gaps.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        text.push_str(&format!(
            " The bounds of the mean over blocks at the last reading point are at most {gap:.3} nats apart \
             ({model} on {corpus})."
        ));
    }
    let (mut n_blocks, mut saturated, mut near) = (0, 0, 0);
    let (mut few, mut sinks) = (vec![], vec![]);
    for ((model, corpus), found) in &all {
        n_blocks += found.n_blocks;
        saturated += found.n_saturated;
        near += found.n_near_ceiling;
        if found.has_few_distinct() {
            few.push(format!("{model} on {corpus} ({} of {})", found.windows[1], found.windows[0]));
        }
        if found.n_attention_sink > 0 {
            sinks.push(format!("{model} on {corpus} ({} blocks)", found.n_attention_sink));
        }
    }
    if saturated + near > 0 {
        text.push_str(&format!(
            " Blocks {}. Use fewer shots, a larger noise scale or more windows.",
            blocks(saturated, near, n_blocks)
        ));
    }
    if !few.is_empty() {
        text.push_str(&format!(" Few distinct windows: {}.", few.join(", ")));
    }
    if !sinks.is_empty() {
        text.push_str(&format!(" Attention sink at position 0: {}.", sinks.join(", ")));
    }
    format!("{text} Positional emergence is not comparable across families of models.")
}
