//! Groups of texts (human, model A, model B) compared by the emergence that one model shows on them: do they
//! differ, and by more than their diversity?
//!
//! The statistic is the headline of texts, the mean of emergence over blocks `2..=L` at the last position,
//! and its difference from that of the shuffled control. Its distribution without a difference between groups
//! comes from permuting the groups' labels over texts, not over windows, because the windows of one text
//! stand or fall together; every permutation is estimated anew, with spreads and tokens of its own.
//! Two-sided, `p = (1 + #{|permuted| >= |observed|}) / (1 + permutations)` (Phipson & Smyth 2010),
//! with Holm's correction over the pairs of groups. The effect size is Cohen's d, with the standard deviation
//! of one window that the permutations imply: `d = difference / (sd_permuted sqrt(n / 2))` for `n` windows in
//! each group.
//!
//! All groups give the same number of windows: the estimate and its ceiling depend on it. A
//! group that is more diverse also has the larger entropies: a difference that is there in the raw value and
//! not in the difference from control is one of diversity.

mod comparison;
mod groups;
mod pool;

pub use self::comparison::{ALPHA, Comparison, Verdict};
pub use self::groups::{Permutations, compare, pairs};
