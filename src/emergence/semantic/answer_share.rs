//! Computes the pair score of semantic emergence from answers instead of states: how well a short answer
//! identifies the relation that the examples of its prompt show. The score needs no access to the weights of
//! a model.
//!
//! # Formula
//! Let `p, q` be an ordered pair of relations and `a` the answer to the prompt `(p, s, x)`. Let `n_r` be the
//! number of answers to the prompts `(r, t, x)` of the other sets `t != s`. Let `c_r` be the number of these
//! answers that equal `a`:
//!
//! ```text
//! f_r = (c_r + 1/2) / (n_r + 1)
//! D   = log f_q - log f_p
//! A   = mean over pairs, sets and queries of [ log 2 - log(1 + exp(tau D)) ]
//! ```
//!
//! `f` is the Krichevsky-Trofimov estimate of the probability of an answer. Set `s` is left out for both
//! relations. So an answer that depends only on the example set scores exactly 0. An answer that occurs for
//! no other set also scores 0. The temperature `tau` of a query is chosen on the other queries, as it is for
//! states.
//! For `S` sets, `A` is at most `log 2 - log(1 + 1 / (2 S - 1))`.
//!
//! # References
//! Krichevsky & Trofimov 1981 (the estimate of a probability).

use super::condition::Layout;
use super::jackknife::Replicated;
use super::tally::{Accumulator, Tally, information};

/// Pseudocount added to every count.
const SMOOTHING: f64 = 0.5;

/// Returns the macro information of answers, in nats, and the number of comparisons. `None` if there are no
/// comparisons.
///
/// # Shapes
/// `answers` is `(queries, relations, sets)`, flattened. Equal numbers mean equal answers; `None` marks a
/// prompt without an answer, which is left out. `is_left_out(p, q, x)` returns whether to leave query `x` out
/// of the comparison of relations `p` and `q`.
pub fn answer_share(
    layout: Layout,
    answers: &[Option<u32>],
    is_left_out: impl Fn(usize, usize, usize) -> bool,
) -> Option<(Replicated, usize)> {
    let of_query = |(x, answers): (usize, &[Option<u32>])| {
        let pairs = (0..layout.relations).flat_map(|p| (0..layout.relations).map(move |q| (p, q)));
        let left_out: Vec<bool> = pairs.map(|(p, q)| p == q || is_left_out(p, q, x)).collect();
        tallies(layout, answers, &left_out)
    };
    let queries: Vec<Vec<Tally>> =
        answers.chunks(layout.per_query().max(1)).enumerate().map(of_query).collect();
    let n: f64 = queries.iter().map(|tallies| tallies[0].n_scores).sum();
    (n > 0.0).then(|| {
        let (macro_nats, _, _) = information(&queries);
        // If a jackknife replicate has no comparisons, the standard error does not exist.
        let has_error = macro_nats.stderr().is_some_and(f64::is_finite);
        (if has_error { macro_nats } else { Replicated::exact(macro_nats.value) }, n as usize)
    })
}

/// The scores of one query: first over all sets, then without each set, for the jackknife. `left_out` is
/// `(relations, relations)`.
fn tallies(layout: Layout, answers: &[Option<u32>], left_out: &[bool]) -> Vec<Tally> {
    let Layout { relations, sets, .. } = layout;
    let of_relation = |r: usize| &answers[r * sets..][..sets];
    let mut found = vec![Accumulator::default(); 1 + sets];
    for p in 0..relations {
        for s in 0..sets {
            let Some(answer) = of_relation(p)[s] else { continue };
            // For each relation: how many answers of the other sets equal this answer, and how many answers
            // there are.
            let counts: Vec<(f64, f64)> = (0..relations)
                .map(|r| {
                    let others = of_relation(r).iter().enumerate().filter(|(t, _)| *t != s);
                    others.filter_map(|(_, other)| *other).fold((0.0, 0.0), |(equal, n), other| {
                        (equal + f64::from(u8::from(other == answer)), n + 1.0)
                    })
                })
                .collect();
            for (k, found) in found.iter_mut().enumerate().filter(|(k, _)| *k != s + 1) {
                let frequency = |r: usize| {
                    let (mut equal, mut n) = counts[r];
                    if let Some(other) = k.checked_sub(1).and_then(|t| of_relation(r)[t]) {
                        equal -= f64::from(u8::from(other == answer));
                        n -= 1.0;
                    }
                    (n > 0.0).then(|| (equal + SMOOTHING) / (n + 2.0 * SMOOTHING))
                };
                let Some(own) = frequency(p) else { continue };
                for q in (0..relations).filter(|q| !left_out[p * relations + q]) {
                    if let Some(other) = frequency(q) {
                        found.add_ratio(other.ln() - own.ln());
                    }
                }
            }
        }
    }
    found.iter().map(Accumulator::tally).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::LN_2;

    const LAYOUT: Layout = Layout { queries: 5, relations: 3, sets: 8 };

    fn of(answer: impl Fn(usize, usize, usize) -> Option<u32>) -> (Replicated, usize) {
        let mut answers = vec![None; LAYOUT.len()];
        for x in 0..LAYOUT.queries {
            for r in 0..LAYOUT.relations {
                (0..LAYOUT.sets).for_each(|s| answers[LAYOUT.place((r, s, x))] = answer(r, s, x));
            }
        }
        answer_share(LAYOUT, &answers, |_, _, _| false).expect("comparisons")
    }

    #[test]
    fn answers_that_differ_by_relation_reach_the_ceiling_of_the_number_of_sets() {
        let (nats, n) = of(|r, _, x| Some((10 * x + r) as u32));
        assert_eq!(n, 5 * 3 * 2 * 8);
        assert!((nats.value - (LN_2 - (1.0_f64 / 15.0).ln_1p())).abs() < 1e-12, "{}", nats.value);
        assert!(nats.stderr().unwrap() < 0.02);
    }

    #[test]
    fn a_function_of_the_example_set_or_of_the_query_scores_0() {
        type Answers = fn(usize, usize, usize) -> u32;
        let all: [Answers; 4] = [
            |_, s, _| s as u32,
            |_, s, _| s as u32 / 2,
            |_, _, x| x as u32,
            // Every prompt has a different answer, so no answer recurs.
            |r, s, x| LAYOUT.place((r, s, x)) as u32,
        ];
        for answer in all {
            let (nats, _) = of(|r, s, x| Some(answer(r, s, x)));
            assert!(nats.value.abs() < 1e-12, "{}", nats.value);
        }
    }

    #[test]
    fn one_pair_can_be_computed_by_hand() {
        // Two relations, four sets, and the same query twice. The answers of relation 0 are 1 1 1 2; the
        // answers of relation 1 are 2 2 2 2.
        let layout = Layout { queries: 2, relations: 2, sets: 4 };
        let query = [1, 1, 1, 2, 2, 2, 2, 2].map(Some);
        let (nats, n) = answer_share(layout, &[query, query].concat(), |_, _, _| false).unwrap();
        assert_eq!(n, 16);
        // Each answer is compared with the three other sets. Each 1 of relation 0 recurs 2 times in relation
        // 0 and 0 times in relation 1. The 2 of relation 0 recurs 0 times in relation 0 and 3 times in
        // relation 1. Each 2 of relation 1 recurs 3 times in relation 1. Each 2 of relation 1 also recurs
        // once in relation 0, at set 3, except when set 3 is left out.
        let score = |own: f64, other: f64| LN_2 - ((other + 0.5) / (own + 0.5)).ln_1p();
        let exact = (3.0 * score(2.0, 0.0) + score(0.0, 3.0) + 3.0 * score(3.0, 1.0) + score(3.0, 0.0)) / 8.0;
        let at = |tau: f64| {
            let score = |own: f64, other: f64| LN_2 - ((other + 0.5) / (own + 0.5)).powf(tau).ln_1p();
            (3.0 * score(2.0, 0.0) + score(0.0, 3.0) + 3.0 * score(3.0, 1.0) + score(3.0, 0.0)) / 8.0
        };
        let best = super::super::tally::TEMPERATURES.into_iter().map(at).fold(0.0, f64::max);
        assert!(best >= exact && (nats.value - best).abs() < 1e-12, "{} {best}", nats.value);
    }

    #[test]
    fn prompts_without_an_answer_and_pairs_that_are_left_out_are_not_compared() {
        let (all, n) = of(|r, _, x| Some((10 * x + r) as u32));
        let (some, fewer) = of(|r, s, x| (s != 2 || r == 0).then_some((10 * x + r) as u32));
        assert_eq!(n - fewer, 5 * 2 * 2);
        assert!(some.value > 0.9 * all.value);
        assert!(answer_share(LAYOUT, &vec![None; LAYOUT.len()], |_, _, _| false).is_none());
        assert!(answer_share(LAYOUT, &vec![Some(1); LAYOUT.len()], |_, _, _| true).is_none());
    }

    #[test]
    fn the_standard_error_is_that_of_leaving_out_each_query_set_and_crossing() {
        let layout = Layout { queries: 4, relations: 2, sets: 5 };
        // Two of three answers are right, by a rule that mixes queries and sets; one prompt has no answer.
        let answers: Vec<Option<u32>> = (0..layout.len())
            .map(|place| {
                let relation = (place / layout.sets % layout.relations) as u32;
                let wrong = place * place % 3 == 1;
                (place != 7).then_some(if wrong { 9 + place as u32 % 2 } else { relation })
            })
            .collect();
        let value = |layout: Layout, answers: &[Option<u32>]| {
            answer_share(layout, answers, |_, _, _| false).unwrap().0.value
        };
        let per_query = layout.relations * layout.sets;
        let without = |left_out: &dyn Fn(usize, usize) -> bool| {
            let kept = answers.iter().enumerate();
            let kept = kept.map(|(i, a)| a.filter(|_| !left_out(i / per_query, i % layout.sets)));
            value(layout, &kept.collect::<Vec<_>>())
        };
        let variance = |values: Vec<f64>| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            (n - 1.0) / n * values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        };
        let of_queries = (0..4).map(|x| {
            let rest = [&answers[..x * per_query], &answers[(x + 1) * per_query..]].concat();
            value(Layout { queries: 3, ..layout }, &rest)
        });
        let of_sets = (0..5).map(|s| without(&|_, set| set == s));
        let of_cells = (0..20).map(|i| without(&|query, set| query == i / 5 && set == i % 5));
        let [v_x, v_s, v_xs] = [of_queries.collect(), of_sets.collect(), of_cells.collect()].map(variance);
        let exact = v_x + v_s - v_xs;
        let (nats, _) = answer_share(layout, &answers, |_, _, _| false).unwrap();
        assert!(exact > 1e-6, "{exact}");
        assert!((nats.stderr().unwrap() - exact.sqrt()).abs() < 1e-12, "{exact}");
    }
}
