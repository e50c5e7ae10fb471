//! Compares groups of texts (such as human, model A, model B) by the emergence of one model that reads them.
//! The comparison tests whether groups differ, and whether a difference remains once the difference in
//! diversity is removed.
//!
//! The statistic is the headline of texts: the mean emergence over blocks `2..=L` at the last position. A
//! second statistic is its difference from the shuffled control. The null distribution comes from permuting
//! the group labels over texts. Labels are not permuted over windows, because windows of the same text are
//! dependent. Every permutation is estimated from scratch, including the standardisation and the micro
//! information. The two-sided p value is `p = (1 + #{|permuted| >= |observed|}) / (1 + permutations)`
//! (Phipson & Smyth 2010), with Holm's correction over the pairs of groups. The effect size is Cohen's d,
//! `d = difference / (sd_permuted sqrt(n / 2))` for `n` windows in each group. Here `sd_permuted sqrt(n / 2)`
//! is the standard deviation of one window, computed from the permuted differences.
//!
//! All groups use the same number of windows, because the estimate and its ceiling depend on this number. A
//! more diverse group also has larger entropies. So if the emergence differs but its difference from the
//! control does not, the groups differ only in diversity.

mod comparison;
mod groups;
mod pool;

pub use self::comparison::{ALPHA, Comparison, Verdict};
pub use self::groups::{Permutations, compare, pairs};
