//! Sums the scores of a query at each temperature, and chooses the temperature of each query by the scores of
//! the other queries.

use std::f64::consts::LN_2;

use super::jackknife::Replicated;

/// Temperatures `tau` that multiply a log density ratio, in increasing order. If densities are estimated from
/// few or distant states, ratios are too extreme, and a temperature below 1 shrinks them. At temperature 0
/// the ratio has no effect and the score is 0.
pub const TEMPERATURES: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0];

/// Above this, `log(1 + e^x)` equals `x` in `f64`.
const LINEAR: f64 = 37.0;
/// A product above this is replaced by its logarithm, so that it does not overflow.
const LARGE: f64 = 1e250;

/// The contribution of one query to macro and micro information.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tally {
    /// For each temperature, the sum of `log 2 - log(1 + exp(tau D))` over pairs of relations and sets.
    pub(super) scores: [f64; TEMPERATURES.len()],
    pub(super) n_scores: f64,
    pub(super) micro: f64,
    pub(super) n_micro: f64,
}

/// Accumulates a tally. It multiplies many terms before it takes one logarithm, because logarithms are slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accumulator {
    logs: [f64; TEMPERATURES.len()],
    products: [f64; TEMPERATURES.len()],
    n_scores: f64,
    micro: f64,
    n_micro: f64,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self {
            logs: [0.0; TEMPERATURES.len()],
            products: [1.0; TEMPERATURES.len()],
            n_scores: 0.0,
            micro: 0.0,
            n_micro: 0.0,
        }
    }
}

impl Accumulator {
    /// Adds the score of a log density ratio `D`: the log density under the other relation minus the log
    /// density under the relation of the state.
    pub(super) fn add_ratio(&mut self, ratio: f64) {
        // All temperatures above .02 are multiples of .05, so two exponentials suffice.
        let (u, v) = ((0.02 * ratio).exp(), (0.05 * ratio).exp());
        let v2 = v * v;
        let (v4, v3) = (v2 * v2, v2 * v);
        let (v7, v10) = (v4 * v3, v4 * v4 * v2);
        let powers = [1.0, u, v, v2, v4, v7, v10, v10 * v4 * v, v10 * v10];
        for (i, power) in powers.into_iter().enumerate() {
            if TEMPERATURES[i] * ratio > LINEAR {
                self.logs[i] += TEMPERATURES[i] * ratio;
            } else {
                self.products[i] *= 1.0 + power;
                if self.products[i] > LARGE {
                    self.logs[i] += self.products[i].ln();
                    self.products[i] = 1.0;
                }
            }
        }
        self.n_scores += 1.0;
    }

    pub(super) fn add_micro(&mut self, nats: f64) {
        self.micro += nats;
        self.n_micro += 1.0;
    }

    pub(super) fn tally(&self) -> Tally {
        let mut tally =
            Tally { n_scores: self.n_scores, micro: self.micro, n_micro: self.n_micro, ..Tally::default() };
        // The first temperature is 0; its score stays exactly 0.
        for i in 1..TEMPERATURES.len() {
            tally.scores[i] = self.n_scores * LN_2 - (self.logs[i] + self.products[i].ln());
        }
        tally
    }
}

/// The macro information of the given queries, and the mean of the chosen temperatures. Each query uses the
/// temperature with the highest score on the other queries; ties go to the lowest temperature. If there are
/// no scores, the information and the mean temperature are NaN.
pub(super) fn macro_nats<'a>(queries: impl Iterator<Item = &'a Tally> + Clone) -> (f64, f64) {
    let mut total = Tally::default();
    for tally in queries.clone() {
        total.n_scores += tally.n_scores;
        total.scores.iter_mut().zip(&tally.scores).for_each(|(sum, score)| *sum += score);
    }
    let (mut nats, mut temperature) = (0.0, 0.0);
    for tally in queries {
        let (mut best, mut most) = (0, 0.0);
        for i in 1..TEMPERATURES.len() {
            let others = total.scores[i] - tally.scores[i];
            if others > most {
                (best, most) = (i, others);
            }
        }
        nats += tally.scores[best];
        temperature += TEMPERATURES[best] * tally.n_scores;
    }
    (nats / total.n_scores, temperature / total.n_scores)
}

/// The micro information of the given queries; NaN if there are none.
fn micro_nats<'a>(queries: impl Iterator<Item = &'a Tally>) -> f64 {
    let (sum, n) = queries.fold((0.0, 0.0), |(sum, n), tally| (sum + tally.micro, n + tally.n_micro));
    sum / n
}

/// Macro and micro information with their jackknife replicates, and the mean temperature.
///
/// # Shapes
/// `queries` contains, for each query, its tally, optionally followed by its tallies without set `0..S`.
pub(super) fn information(queries: &[Vec<Tally>]) -> (Replicated, Replicated, f64) {
    let (_, temperature) = macro_nats(queries.iter().map(|tallies| &tallies[0]));
    let of_macro = |chosen: &[&Tally]| macro_nats(chosen.iter().copied()).0;
    let of_micro = |chosen: &[&Tally]| micro_nats(chosen.iter().copied());
    (replicated(queries, of_macro), replicated(queries, of_micro), temperature)
}

fn replicated(queries: &[Vec<Tally>], value: impl Fn(&[&Tally]) -> f64) -> Replicated {
    let all: Vec<&Tally> = queries.iter().map(|tallies| &tallies[0]).collect();
    let n_sets = queries.iter().map(|tallies| tallies.len() - 1).min().unwrap_or_default();
    if n_sets == 0 {
        return Replicated::exact(value(&all));
    }
    let without_query = (0..all.len()).map(|x| {
        let mut others = all.clone();
        others.remove(x);
        value(&others)
    });
    let without_set = (1..=n_sets).map(|s| {
        let reduced: Vec<&Tally> = queries.iter().map(|tallies| &tallies[s]).collect();
        value(&reduced)
    });
    let without_cell = (0..all.len() * n_sets).map(|cell| {
        let mut reduced = all.clone();
        reduced[cell / n_sets] = &queries[cell / n_sets][1 + cell % n_sets];
        value(&reduced)
    });
    Replicated::new(value(&all), without_query.collect(), without_set.collect(), without_cell.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_many_terms_is_the_sum_of_their_logarithms() {
        let ratios = [-900.0, -40.0, -3.0, 0.0, 0.7, 12.0, 36.0, 38.0, 800.0, 5e4];
        let mut accumulator = Accumulator::default();
        (0..50).flat_map(|_| ratios).for_each(|ratio| accumulator.add_ratio(ratio));
        let tally = accumulator.tally();
        assert_eq!(tally.scores[0], 0.0);
        for (score, tau) in tally.scores.iter().zip(TEMPERATURES) {
            let exact: f64 = ratios
                .iter()
                .map(|ratio| {
                    let x = tau * ratio;
                    LN_2 - if x > 30.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
                })
                .sum();
            assert!(
                (score - 50.0 * exact).abs() < 1e-12 * (1.0 + 50.0 * exact.abs()),
                "{tau}: {score} {exact}"
            );
        }
    }

    #[test]
    fn a_temperature_is_chosen_on_the_other_queries() {
        let query = |ratio: f64| {
            let mut accumulator = Accumulator::default();
            accumulator.add_ratio(ratio);
            accumulator.tally()
        };
        // Two queries are confident and right; the third query is confident and wrong. The wrong query is
        // scored at tau = 1, the best temperature for two right queries. Each right query is scored at tau =
        // 0, the best temperature for one right and one wrong query.
        let queries = [query(-20.0), query(-20.0), query(20.0)];
        let (nats, temperature) = macro_nats(queries.iter());
        let wrong = LN_2 - 20.0_f64.exp().ln_1p();
        assert!((nats - wrong / 3.0).abs() < 1e-12, "{nats}");
        assert!((temperature - 1.0 / 3.0).abs() < 1e-12);
        assert!(macro_nats([].iter()).0.is_nan());
    }
}
