//! Tests the macro and micro information of constructed states against an independent implementation,
//! quadrature, and identities that hold for any noise.

use ndarray::{Array2, Axis, concatenate};
use serde_json::Value;
use surmise::emergence::semantic::{
    ConditionEstimate, EstimateSettings, Exclusions, Layout, Noise, Replicated, estimate,
};

use crate::support::truth::{gaussian, mixture_on_a_line};

pub fn settings(noise_scales: &[f64]) -> EstimateSettings {
    EstimateSettings { noise_scales: noise_scales.to_vec(), default_noise_scale: noise_scales[0], seed: 5 }
}

/// Estimates the information of states that are a function of query, relation and example set.
pub fn of(
    layout: Layout,
    d: usize,
    exclusions: &Exclusions,
    noise_scales: &[f64],
    state: impl Fn(usize, usize, usize) -> Vec<f32>,
) -> ConditionEstimate {
    let mut values = vec![];
    for x in 0..layout.queries {
        for r in 0..layout.relations {
            (0..layout.sets).for_each(|s| values.extend(state(x, r, s)));
        }
    }
    let states = Array2::from_shape_vec((layout.len(), d), values).expect("states of d coordinates");
    let noise = Noise::draw(layout, d, 5);
    estimate(states.view(), layout, &noise, exclusions, &settings(noise_scales)).expect("an estimate")
}

pub fn stderr(value: &Replicated) -> f64 {
    value.stderr().expect("a standard error")
}

fn near(found: &Replicated, exact: f64, slack: f64) {
    let tolerance = 4.0 * stderr(found) + slack;
    assert!((found.value - exact).abs() < tolerance, "{} +- {}: {exact}", found.value, stderr(found));
}

#[test]
fn information_and_standard_errors_are_those_of_an_independent_implementation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/semantic/reference.json");
    let reference: Value =
        serde_json::from_slice(&std::fs::read(path).expect("a golden file")).expect("JSON");
    let size = |key: &str| reference[key].as_u64().expect("a size") as usize;
    let layout = Layout { queries: size("queries"), relations: size("relations"), sets: size("sets") };
    let numbers = |key: &str| -> Vec<f64> {
        let rows = reference[key].as_array().expect("rows").iter();
        rows.flat_map(|row| row.as_array().expect("a row").iter().map(|v| v.as_f64().expect("a number")))
            .collect()
    };
    let flags = |key: &str| -> Vec<bool> {
        reference[key].as_array().expect("flags").iter().map(|flag| flag.as_bool().expect("a flag")).collect()
    };
    let values: Vec<f32> = numbers("states").iter().map(|value| *value as f32).collect();
    let states = Array2::from_shape_vec((layout.len(), values.len() / layout.len()), values).expect("rows");
    let exclusions = Exclusions { left_out: flags("left_out"), no_shared_answer: flags("keep") };
    let mut settings = settings(&[0.1, 0.25, 0.5]);
    settings.default_noise_scale = 0.25;
    let noise = Noise::given(numbers("noise"));
    let found = estimate(states.view(), layout, &noise, &exclusions, &settings).expect("an estimate");

    let agree = |found: f64, reference: &Value, what: &str| {
        let reference = reference.as_f64().expect("a number");
        // Both implementations compute in f64, and the values are near 1.
        assert!((found - reference).abs() < 1e-9, "{what}: {found}, the reference has {reference}");
    };
    for (found, reference) in found.information.iter().zip(reference["estimates"].as_array().expect("a list"))
    {
        agree(found.noise_scale, &reference["noise_scale"], "b");
        agree(found.macro_nats.value, &reference["macro_nats"], "macro");
        agree(found.micro_nats.value, &reference["micro_nats"], "micro");
        agree(stderr(&found.macro_nats), &reference["macro_stderr"], "error of macro");
        agree(stderr(&found.micro_nats), &reference["micro_stderr"], "error of micro");
    }
    let (kept, share) = found.no_shared_answer.expect("comparisons are left");
    agree(kept.value, &reference["no_shared_answer"]["macro_nats"], "macro of kept sets");
    agree(stderr(&kept), &reference["no_shared_answer"]["macro_stderr"], "its error");
    // The share of kept comparisons is relative to all comparisons between different relations and different
    // sets: 6 pairs of relations times 6 x 5 pairs of sets.
    let keep = flags("keep");
    let kept = keep.chunks(36).enumerate().filter(|(pair, _)| pair / 3 != pair % 3);
    let n = kept.flat_map(|(_, keep)| keep).filter(|keep| **keep).count();
    assert!((share - n as f64 / 180.0).abs() < 1e-12, "{share}");
    agree(found.half_sets.macro_nats.value, &reference["half_sets"][0], "macro of half of the sets");
    agree(found.half_sets.micro_nats.value, &reference["half_sets"][1], "micro of half of the sets");
}

#[test]
fn a_state_that_depends_only_on_its_example_set_has_no_macro_information() {
    let layout = Layout { queries: 5, relations: 3, sets: 8 };
    let codes = gaussian(5 * 8, 6, 1);
    let found =
        of(layout, 6, &Exclusions::default(), &[0.1, 0.3, 1.0], |x, _, s| codes.row(x * 8 + s).to_vec());
    for at in &found.information {
        assert!(at.macro_nats.value.abs() < 1e-12, "{at:?}");
        assert!(stderr(&at.macro_nats) < 1e-9);
    }
    assert!(found.information[0].micro_nats.value > 2.0, "{}", found.information[0].micro_nats.value);
}

#[test]
fn a_state_that_depends_only_on_its_relation_has_the_information_of_the_integral() {
    // The relations are two points at +-1. Example sets change another coordinate, equally in both relations.
    // The densities of this coordinate cancel in the density ratio, so the score equals the score of the two
    // points without example sets.
    let layout = Layout { queries: 12, relations: 2, sets: 16 };
    let codes = gaussian(16, 1, 2);
    for spread in [0.0, 1.0] {
        let found = of(layout, 2, &Exclusions::default(), &[0.3, 0.6, 1.2], |_, r, s| {
            vec![2.0 * r as f32 - 1.0, spread * codes[[s, 0]]]
        });
        for at in &found.information {
            let sigma = at.noise_scale * found.total_variance.sqrt();
            near(&at.macro_nats, mixture_on_a_line(&[-1.0, 1.0], &[0.5, 0.5], sigma), 1e-3);
            if spread == 0.0 {
                assert!(at.micro_nats.value.abs() < 1e-12, "{}", at.micro_nats.value);
            }
        }
        // The densities are exact, so the best temperature is 1 up to chance.
        assert!(found.information.iter().all(|at| at.temperature >= 0.75));
        assert!((found.permuted.value / 2.0_f64.ln()).abs() < 0.02, "{}", found.permuted.value);
    }
}

#[test]
fn with_a_nuisance_in_the_same_coordinate_the_information_is_that_of_quadrature() {
    // The relations are points at +-1, and every prompt adds a normal nuisance with standard deviation .8.
    // The noisy state of a relation is therefore normal around its point with variance .64 + sigma^2.
    let layout = Layout { queries: 6, relations: 2, sets: 120 };
    let nuisance = gaussian(6 * 2 * 120, 1, 3);
    let found = of(layout, 1, &Exclusions::default(), &[0.2, 0.4], |x, r, s| {
        vec![2.0 * r as f32 - 1.0 + 0.8 * nuisance[[(x * 2 + r) * 120 + s, 0]]]
    });
    for at in &found.information {
        let variance = 0.64 + at.noise_scale.powi(2) * found.total_variance;
        let exact = mixture_on_a_line(&[-1.0, 1.0], &[0.5, 0.5], variance.sqrt());
        // The estimate is a lower bound in expectation, and near the truth with so many sets.
        let error = stderr(&at.macro_nats);
        println!("b {}: {} +- {error}, exact {exact}", at.noise_scale, at.macro_nats.value);
        assert!(at.macro_nats.value < exact + 3.0 * error, "{} {exact}", at.macro_nats.value);
        assert!(at.macro_nats.value > exact - 3.0 * error - 0.02, "{} {exact}", at.macro_nats.value);
    }
    let half = &found.half_sets.macro_nats;
    assert!((half.value - found.information[0].macro_nats.value).abs() < 0.05, "{}", half.value);
}

#[test]
fn permuted_relations_have_zero_information() {
    let layout = Layout { queries: 12, relations: 3, sets: 12 };
    let (relations, noise) = (gaussian(3, 20, 4), gaussian(layout.len(), 20, 5));
    let found = of(layout, 20, &Exclusions::default(), &[0.2], |x, r, s| {
        let own = noise.row((x * 3 + r) * 12 + s);
        relations.row(r).iter().zip(own).map(|(a, b)| a + 0.3 * b).collect()
    });
    let share = found.information[0].macro_nats.value / 2.0_f64.ln();
    assert!(share > 0.9, "{share}");
    let permuted = &found.permuted;
    assert!(permuted.value.abs() < 0.01, "{} +- {}", permuted.value, stderr(permuted));
}

#[test]
fn constants_and_a_common_factor_change_nothing() {
    let layout = Layout { queries: 4, relations: 3, sets: 6 };
    let states = gaussian(layout.len(), 7, 6);
    let constants = Array2::from_shape_fn((layout.len(), 3), |(_, k)| [1e4, -3.0, 0.0][k]);
    let wide = concatenate(Axis(1), &[states.view(), constants.view()]).expect("equal rows");
    let estimate = |states: &Array2<f32>| {
        let noise = Noise::draw(layout, states.ncols(), 5);
        let settings = settings(&[0.2, 0.5]);
        estimate(states.view(), layout, &noise, &Exclusions::default(), &settings).expect("an estimate")
    };
    let plain = estimate(&states);
    // The states are changed by constant coordinates, by a factor of 8 in every coordinate, and by a constant
    // added to every coordinate.
    for other in [estimate(&wide), estimate(&(&states * 8.0)), estimate(&(&states + 1024.0))] {
        for (a, b) in plain.information.iter().zip(&other.information) {
            // The sum of 1024 and a state loses the last 10 of 24 bits.
            assert!((a.macro_nats.value - b.macro_nats.value).abs() < 2e-3, "{a:?} {b:?}");
            assert!((a.micro_nats.value - b.micro_nats.value).abs() < 2e-3);
        }
    }
    let (a, b) = (&plain.information[0], &estimate(&wide).information[0]);
    assert!((a.macro_nats.value - b.macro_nats.value).abs() < 1e-12);
    assert!((a.micro_nats.value - b.micro_nats.value).abs() < 1e-12);
    assert!(estimate(&wide).mean_power_share > 0.999_999);
}

#[test]
fn bounds_of_a_fixed_design_hold_for_every_draw() {
    let layout = Layout { queries: 5, relations: 3, sets: 7 };
    let states = gaussian(layout.len(), 4, 7);
    let noise = Noise::draw(layout, 4, 5);
    let scales = [0.01, 0.2, 0.5, 1.0, 3.0];
    let run = |layout: Layout| {
        let found = estimate(states.view(), layout, &noise, &Exclusions::default(), &settings(&scales));
        found.expect("an estimate")
    };
    // The second estimate treats the states of a query as one relation with R S sets. Its micro information
    // is about relation and set together, so it exceeds the information about only the set by 0 to log R.
    // Both estimates use the same noise draws.
    let (parts, whole) = (run(layout), run(Layout { relations: 1, sets: 21, ..layout }));
    for (parts, whole) in parts.information.iter().zip(&whole.information) {
        let difference = whole.micro_nats.value - parts.micro_nats.value;
        assert!(difference <= 3.0_f64.ln() + 1e-12, "{difference}");
        assert!(whole.micro_nats.value <= 21.0_f64.ln() + 1e-12);
        assert!(parts.micro_nats.value <= 7.0_f64.ln() + 1e-12 && parts.macro_nats.value <= 2.0_f64.ln());
        assert!(whole.macro_nats.value.is_nan());
    }
    // At the smallest noise scale, every state can be distinguished from all other states.
    assert!((parts.information[0].micro_nats.value - 7.0_f64.ln()).abs() < 1e-9);
    assert!((whole.information[0].micro_nats.value - 21.0_f64.ln()).abs() < 1e-9);
}

#[test]
fn equal_states_have_no_information_and_sizes_that_do_not_fit_are_refused() {
    let layout = Layout { queries: 3, relations: 2, sets: 4 };
    let found = of(layout, 2, &Exclusions::default(), &[0.2], |_, _, _| vec![3.0, -1.0]);
    assert_eq!((found.total_variance, found.mean_power_share), (0.0, 1.0));
    let at = &found.information[0];
    assert!(at.macro_nats.value.abs() < 1e-12 && at.micro_nats.value.abs() < 1e-12);
    let states = gaussian(23, 2, 1);
    let noise = Noise::draw(layout, 2, 0);
    let refused = |states: &Array2<f32>, b: f64| {
        estimate(states.view(), layout, &noise, &Exclusions::default(), &settings(&[b]))
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&states, 0.2).contains("23 rows") && refused(&states, 0.2).contains("24 prompts"));
    for b in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(refused(&gaussian(24, 2, 1), b).contains("must be positive"), "{b}");
    }
}
