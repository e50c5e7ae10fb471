//! Tests that states that copy the shown answers, without their meaning, do not exceed the controls.

use ndarray::Array1;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use surmise::corpus::{Category, DesignSettings, FactorialDesign};
use surmise::emergence::semantic::{ConditionEstimate, Exclusions, Layout};

use super::semantic_estimate::{of, stderr};

const D: usize = 48;

/// A random vector for each word, the same at every position.
fn embedding(word: &str) -> Array1<f32> {
    let hash = word.bytes().fold(14_695_981_039_346_656_037_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
    });
    let mut generator = ChaCha8Rng::seed_from_u64(hash);
    Array1::from_shape_simple_fn(D, || StandardNormal.sample(&mut generator))
}

fn design(category: &str, shots: usize) -> FactorialDesign {
    let settings = DesignSettings { sets: 16, queries: 12, shots: vec![shots], ..Default::default() };
    FactorialDesign::draw(&Category::load(category).expect("embedded"), &settings).expect("a design")
}

/// Estimates the information of states that are a function of the query and of the shown examples, at b = .2.
fn measured(
    design: &FactorialDesign,
    shots: usize,
    state: impl Fn(&str, &[(&str, &str)]) -> Array1<f32>,
) -> ConditionEstimate {
    let (relations, sets) = (design.relations.len(), design.n_sets());
    let layout = Layout { queries: design.queries.len(), relations, sets };
    let mut no_shared_answer = vec![];
    for (p, q) in (0..relations).flat_map(|p| (0..relations).map(move |q| (p, q))) {
        for (s, t) in (0..sets).flat_map(|s| (0..sets).map(move |t| (s, t))) {
            let shares = |(a, b): &(usize, usize)| design.shares_answer(shots, (*a, s), (*b, t));
            no_shared_answer.push(s != t && ![(p, p), (p, q), (q, p), (q, q)].iter().any(shares));
        }
    }
    let exclusions = Exclusions { left_out: vec![], no_shared_answer };
    of(layout, D, &exclusions, &[0.2, 0.3], |x, r, s| {
        state(&design.queries[x].entity, &design.examples(r, s)).to_vec()
    })
}

/// A state that contains all words of the answers, without their order.
fn bag_of_words(query: &str, examples: &[(&str, &str)]) -> Array1<f32> {
    let words = examples.iter().flat_map(|(_, answer)| answer.split(' '));
    words.fold(0.5 * embedding(query), |sum, word| sum + embedding(word))
}

type State = fn(&str, &[(&str, &str)]) -> Array1<f32>;

/// A state that contains the last answer and a part of the query.
fn copier(query: &str, examples: &[(&str, &str)]) -> Array1<f32> {
    embedding(examples.last().expect("an example").1) + 0.5 * embedding(query)
}

/// A state that contains all answers, without their order.
fn bag(query: &str, examples: &[(&str, &str)]) -> Array1<f32> {
    examples.iter().fold(0.5 * embedding(query), |sum, (_, answer)| sum + embedding(answer))
}

#[test]
fn a_copier_and_a_bag_of_answers_show_no_excess_over_the_controls() {
    for (category, shots) in [("countries", 1), ("nations", 1), ("nations", 3), ("countries", 4)] {
        let design = design(category, shots);
        for (name, state) in [("copier", copier as State), ("bag", bag as State)] {
            let own = measured(&design, shots, state);
            let type_only = measured(&design.with_permuted_answers(), shots, state);
            let share = |nats: f64| nats / 2.0_f64.ln();
            let (own_macro, permuted) =
                (&own.information[0].macro_nats, &type_only.information[0].macro_nats);
            let error = stderr(own_macro).hypot(stderr(permuted));
            let disjoint = own.no_shared_answer.as_ref();
            let disjoint = disjoint.map(|(nats, kept)| (share(nats.value), share(stderr(nats)), *kept));
            println!(
                "{category}, {shots} shots, {name}: share {:.3}, answers permuted {:.3}, no shared answer \
                 {disjoint:?}",
                share(own_macro.value),
                share(permuted.value)
            );
            // A copier or a bag of answers contains the same amount of information if the shown answers
            // belong to other entities.
            assert!(
                (own_macro.value - permuted.value).abs() < 4.0 * error + 0.07,
                "{category} {name} {error}"
            );
            if let Some((share, error, _)) = disjoint {
                assert!(share.abs() < 0.02, "{category} {name}: {share} +- {error}");
            }
        }
    }
}

#[test]
fn a_bag_of_words_has_no_share_over_sets_without_common_words() {
    // "one hundred two" and "one hundred six" are different answers with common words.
    for (category, shots) in [("numbers", 1), ("elements", 1), ("states", 2)] {
        let found = measured(&design(category, shots), shots, bag_of_words);
        let (nats, kept) = found.no_shared_answer.expect("comparisons are left");
        let share = nats.value / 2.0_f64.ln();
        println!(
            "{category}, {shots} shots: share {:.3}, of {kept:.2} of the comparisons {share:.3}",
            found.information[0].macro_nats.value / 2.0_f64.ln()
        );
        assert!(share.abs() < 0.03, "{category}: {share}");
    }
    // Any two sets of four numbers have common words, so no comparisons are left.
    assert!(measured(&design("numbers", 4), 4, bag_of_words).no_shared_answer.is_none());
}

#[test]
fn a_state_with_the_type_of_the_answer_exceeds_both_controls() {
    // The state contains the type of the answer only if the examples are right. Permuting the answers removes
    // this type from the state.
    let design = design("nations", 2);
    let facts: std::collections::HashMap<(String, String), usize> = {
        let category = Category::load("nations").expect("embedded");
        let of = |(r, relation): (usize, &surmise::corpus::Relation)| {
            let pairs = category.entities.iter().cloned().zip(relation.answers.clone());
            pairs.map(move |pair| (pair, r)).collect::<Vec<_>>()
        };
        category.relations.iter().enumerate().flat_map(of).collect()
    };
    let knows = |query: &str, examples: &[(&str, &str)]| {
        let relation = examples.iter().filter_map(|(e, a)| facts.get(&((*e).into(), (*a).into()))).next();
        let meaning = relation.map_or(Array1::zeros(D), |r| embedding(&format!("relation {r}")));
        meaning + 0.5 * bag(query, examples)
    };
    let own = measured(&design, 2, knows);
    let permuted = measured(&design.with_permuted_answers(), 2, knows);
    let disjoint = own.no_shared_answer.expect("comparisons are left").0.value;
    let (own, permuted) = (own.information[0].macro_nats.value, permuted.information[0].macro_nats.value);
    println!("own {own:.3}, answers permuted {permuted:.3}, no shared answer {disjoint:.3}");
    assert!(own > permuted + 0.3 && disjoint > 0.5, "{own} {permuted} {disjoint}");
}
