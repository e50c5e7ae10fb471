//! Computes the densities between the states of one query, for every pair of relations and every example set.
//!
//! # Formula
//! Let `A_ij = -|y_i + sigma z_i - y_j|^2 / (2 sigma^2)` be the log density, up to a constant, of the noisy
//! state `i` under a normal distribution around state `j`. For a state `i = (p, s)` of the query and another
//! relation `q`:
//!
//! ```text
//! D     = log mean_{t != s} exp A_i,(q,t) - log mean_{t != s} exp A_i,(p,t)
//! micro = A_ii - log mean_t exp A_i,(p,t)
//! ```
//!
//! Each noise vector is used with both signs. The term `|z_i|^2 / 2` occurs in every `A_ij` and cancels.

use super::tally::{Accumulator, Tally};
use crate::numeric::kernels;

/// Distances and noise projections between the states of one query. State `(r, s)` has the index
/// `r * n_sets + s`.
#[derive(Debug, Clone)]
pub(super) struct QueryKernel {
    n_relations: usize,
    n_sets: usize,
    /// `(n, n)`: `-|y_i - y_j|^2 / 2`.
    distances: Vec<f64>,
    /// `(n, n)`: `z_i . (y_j - y_i)`.
    noise: Vec<f64>,
}

/// The states to compare.
#[derive(Clone, Copy)]
pub(super) struct Compared<'a> {
    /// `(n_relations, n_relations)`: whether this query is left out of a pair of relations.
    pub(super) left_out: &'a [bool],
    /// `(n_relations, n_relations, n_sets, n_sets)`: whether to compare set `t` with set `s` for a pair of
    /// relations. `None` compares all sets.
    pub(super) keep: Option<&'a [bool]>,
    /// Whether to also compute the sums that leave out one set, for the jackknife.
    pub(super) with_replicates: bool,
}

impl QueryKernel {
    /// Takes centred states and their noise.
    ///
    /// # Shapes
    /// `states` and `noise` are `(n_relations * n_sets, d)`.
    pub(super) fn new(
        (n_relations, n_sets): (usize, usize),
        d: usize,
        states: &[f64],
        noise: &[f64],
    ) -> Self {
        let n = n_relations * n_sets;
        let mut distances = vec![0.0; n * n];
        kernels::matmul_t_f64((n, n, d), d, states, states, &mut distances);
        let half_norms: Vec<f64> = (0..n).map(|i| 0.5 * distances[i * n + i]).collect();
        let mut projected = vec![0.0; n * n];
        kernels::matmul_t_f64((n, n, d), d, noise, states, &mut projected);
        for i in 0..n {
            let own = projected[i * n + i];
            for j in 0..n {
                let at = i * n + j;
                distances[at] = (distances[at] - half_norms[i] - half_norms[j]).min(0.0);
                projected[at] -= own;
            }
            distances[i * n + i] = 0.0;
        }
        Self { n_relations, n_sets, distances, noise: projected }
    }

    /// Reorders the states: state `i` of the result is state `from[i]` of `self`.
    fn rearranged(&self, n_sets: usize, from: &[usize]) -> Self {
        let n = self.n_relations * self.n_sets;
        let pick = |values: &[f64]| -> Vec<f64> {
            from.iter().flat_map(|i| from.iter().map(move |j| values[i * n + j])).collect()
        };
        Self {
            n_relations: self.n_relations,
            n_sets,
            distances: pick(&self.distances),
            noise: pick(&self.noise),
        }
    }

    /// The same query with only some of its example sets.
    pub(super) fn of_sets(&self, sets: std::ops::Range<usize>) -> Self {
        let places = (0..self.n_relations).flat_map(|r| sets.clone().map(move |s| r * self.n_sets + s));
        self.rearranged(sets.len(), &places.collect::<Vec<_>>())
    }

    /// The same query with the relations of each example set renamed: state `(r, s)` of the result is state
    /// `(names[s][r], s)` of `self`.
    pub(super) fn with_names(&self, names: &[Vec<usize>]) -> Self {
        let places = (0..self.n_relations)
            .flat_map(|r| names.iter().enumerate().map(move |(s, names)| names[r] * self.n_sets + s));
        self.rearranged(self.n_sets, &places.collect::<Vec<_>>())
    }

    /// The scores of the query with noise of standard deviation `sigma`: over all sets and, for the
    /// jackknife, without each set.
    pub(super) fn tallies(&self, sigma: f64, compared: &Compared<'_>) -> Vec<Tally> {
        let (n_relations, n_sets) = (self.n_relations, self.n_sets);
        let n = n_relations * n_sets;
        let n_sums = if compared.with_replicates { 1 + n_sets } else { 1 };
        let mut found = vec![Accumulator::default(); n_sums];
        let mut exponents = vec![0.0; n];
        let mut sums = vec![vec![0.0; n_sums]; n_relations];
        let mut kept = [vec![0.0; n_sums], vec![0.0; n_sums]];
        let mut scratch = vec![0.0; 2 * n_sets + 1];
        for i in 0..n {
            let (p, s) = (i / n_sets, i % n_sets);
            let rows = self.distances[i * n..][..n].iter().zip(&self.noise[i * n..][..n]);
            for sign in [1.0, -1.0] {
                for (exponent, (distance, noise)) in exponents.iter_mut().zip(rows.clone()) {
                    *exponent = distance / (sigma * sigma) + sign * noise / sigma;
                }
                let of = |r: usize| &exponents[r * n_sets..][..n_sets];
                for (r, sums) in sums.iter_mut().enumerate() {
                    log_sums(of(r), s, None, sums, &mut scratch);
                }
                // The sums exclude the state itself, whose exponent is 0, so add its term here.
                for (k, found) in found.iter_mut().enumerate().filter(|(k, _)| *k != s + 1) {
                    let n_here = (n_sets - usize::from(k > 0)) as f64;
                    found.add_micro(n_here.ln() - log_1p_exp(sums[p][k]));
                }
                for q in (0..n_relations).filter(|q| *q != p && !compared.left_out[p * n_relations + q]) {
                    let (own, other) = if let Some(keep) = compared.keep {
                        let keep = &keep[((p * n_relations + q) * n_sets + s) * n_sets..][..n_sets];
                        let [own, other] = &mut kept;
                        log_sums(of(p), s, Some(keep), own, &mut scratch);
                        log_sums(of(q), s, Some(keep), other, &mut scratch);
                        (&*own, &*other)
                    } else {
                        (&sums[p], &sums[q])
                    };
                    let ratios = own.iter().zip(other).zip(&mut found).enumerate();
                    for (_, ((own, other), found)) in ratios.filter(|(k, _)| *k != s + 1) {
                        // Both sums have the same number of terms. If there are no terms, there is no
                        // comparison.
                        if *own > f64::NEG_INFINITY {
                            found.add_ratio(other - own);
                        }
                    }
                }
            }
        }
        found.iter().map(Accumulator::tally).collect()
    }
}

/// `log(1 + e^x)`, without overflow.
fn log_1p_exp(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

/// A sum below this has lost precision to underflow; it is computed again relative to its own largest term.
const SMALL: f64 = 1e-200;

/// Computes `log sum_t exp e_t` over the kept sets except `own`. The first value of `out` is the sum over all
/// of these sets; the following values are sums without set `0, 1, ...`. A sum without terms is minus
/// infinity.
fn log_sums(e: &[f64], own: usize, keep: Option<&[bool]>, out: &mut [f64], scratch: &mut [f64]) {
    let n = e.len();
    let is_in = |t: usize| t != own && keep.is_none_or(|keep| keep[t]);
    let largest = |without: usize| {
        let kept = (0..n).filter(|t| *t != without && is_in(*t)).map(|t| e[t]);
        kept.fold(f64::NEG_INFINITY, f64::max)
    };
    let top = largest(n);
    if top == f64::NEG_INFINITY {
        out.fill(top);
        return;
    }
    // Compute the sums without a set from prefix and suffix sums, because subtracting a term from the total
    // would lose small terms.
    let (terms, behind) = scratch.split_at_mut(n);
    behind[n] = 0.0;
    for t in (0..n).rev() {
        terms[t] = if is_in(t) { (e[t] - top).exp() } else { 0.0 };
        behind[t] = behind[t + 1] + terms[t];
    }
    let (first, others) = out.split_at_mut(1);
    first[0] = top + behind[0].ln();
    let mut before = 0.0;
    for (t, out) in others.iter_mut().enumerate() {
        let rest = before + behind[t + 1];
        *out = if !is_in(t) {
            first[0]
        } else if rest > SMALL {
            top + rest.ln()
        } else {
            let top = largest(t);
            let kept = (0..n).filter(|other| *other != t && is_in(*other));
            // If no term remains, the result is minus infinity.
            if top == f64::NEG_INFINITY {
                top
            } else {
                top + kept.map(|t| (e[t] - top).exp()).sum::<f64>().ln()
            }
        };
        before += terms[t];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_without_a_set_are_those_of_the_others_at_any_magnitude() {
        let e = [-3.0, 0.5, -2000.0, -1990.0, 1.0];
        let mut scratch = [0.0; 11];
        let direct = |sets: &[usize]| {
            let top = sets.iter().map(|t| e[*t]).fold(f64::NEG_INFINITY, f64::max);
            top + sets.iter().map(|t| (e[*t] - top).exp()).sum::<f64>().ln()
        };
        let mut out = [0.0; 6];
        log_sums(&e, 4, None, &mut out, &mut scratch);
        let exact = [
            direct(&[0, 1, 2, 3]),
            direct(&[1, 2, 3]),
            direct(&[0, 2, 3]),
            direct(&[0, 1, 3]),
            direct(&[0, 1, 2]),
            direct(&[0, 1, 2, 3]),
        ];
        assert!(out.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-12), "{out:?} {exact:?}");
        // Keep two sets, one of them with a far smaller exponent.
        let keep = [false, true, true, false, true];
        log_sums(&e, 4, Some(&keep), &mut out, &mut scratch);
        assert!((out[2] - e[2]).abs() < 1e-12 && (out[3] - e[1]).abs() < 1e-12, "{out:?}");
        log_sums(&e, 1, Some(&[false, true, false, false, false]), &mut out, &mut scratch);
        assert_eq!(out, [f64::NEG_INFINITY; 6]);
    }
}
