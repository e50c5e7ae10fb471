//! Tests the table of docs/estimators.md that shows the result of each estimator at the edge cases.

use ndarray::{Array2, concatenate};
use surmise::mi::{ALL, Estimator, Flag};

use super::contract::{coarse, pairs, run, suited};
use crate::support::generated::{check, table};

type Samples = (Array2<f32>, Array2<f32>);
type Edge = (&'static str, fn(&dyn Estimator) -> Samples);

/// Flags about the treatment of the samples, in the order of the table.
const TOLD: [Flag; 11] = [
    Flag::SmallSample,
    Flag::FewRows,
    Flag::Collinear,
    Flag::Copies,
    Flag::Jittered,
    Flag::Repeated,
    Flag::Discrete,
    Flag::SharedValues,
    Flag::Undersampled,
    Flag::Grouped,
    Flag::NearCeiling,
];

/// The edge cases at which the results of estimators differ, each with its samples.
const EDGES: [Edge; 8] = [
    ("49 rows", |estimator| suited(estimator, 49)),
    ("13 rows of 6 + 6 columns", |_| pairs(13, 6, 9)),
    ("80 rows of 30 + 30", |_| pairs(80, 30, 9)),
    ("y = x", |estimator| {
        let x = pairs(rows(estimator), 2, 4).0;
        (x.clone(), x)
    }),
    ("y = exp x", |estimator| {
        let x = pairs(rows(estimator), 2, 4).0;
        (x.clone(), x.mapv(f32::exp))
    }),
    ("y = x of few values", |estimator| {
        let x = coarse(pairs(rows(estimator), 1, 4)).0;
        (x.clone(), x)
    }),
    ("columns twice", |estimator| {
        let (x, y) = suited(estimator, 300);
        (concatenate![ndarray::Axis(1), x, x.mapv(|value| -2.0 * value)], y)
    }),
    ("rows six times", |estimator| {
        let (x, y) = pairs(rows(estimator), 2, 6);
        let six = |a: &Array2<f32>| Array2::from_shape_fn(a.dim(), |(row, column)| a[[row / 6, column]]);
        (six(&x), six(&y))
    }),
];

/// Number of rows that the estimator handles in a short time.
fn rows(estimator: &dyn Estimator) -> usize {
    if estimator.name() == "mine-paper" { 60 } else { 400 }
}

fn answer(estimator: &dyn Estimator, (x, y): &Samples) -> String {
    let Ok(found) = run(estimator, x, y) else { return "refused".to_owned() };
    let found = &found[0];
    let mut words: Vec<&str> =
        TOLD.iter().filter(|flag| found.flags.contains(flag)).map(Flag::name).collect();
    if found.mi_nats == f64::INFINITY {
        words.push("infinite");
    } else if (found.mi_nats - found.ceiling_nats).abs() < 1e-9 {
        words.push("ceiling");
    }
    if words.is_empty() { "number".to_owned() } else { words.join(", ") }
}

#[test]
fn the_table_of_edges_matches_the_estimators() {
    let heads: Vec<&str> = std::iter::once("estimator").chain(EDGES.iter().map(|(name, _)| *name)).collect();
    let rows: Vec<Vec<String>> = ALL
        .iter()
        .map(|estimator| {
            let answers = EDGES.iter().map(|(_, samples)| answer(*estimator, &samples(*estimator)));
            std::iter::once(format!("`{}`", estimator.name())).chain(answers).collect()
        })
        .collect();
    let edges = table(&heads, rows.iter().map(|row| row.iter().map(String::as_str)));
    check("docs/estimators.md", &[("edges", edges)]);
}
