//! Compares every regression with scikit-learn's results in tests/golden/calibration/reference.json, which
//! tests/golden/make_calibration.py writes.

use ndarray::{Array1, Array2};
use serde::Deserialize;

use super::basis::Basis;
use super::elastic_net::Problem;
use super::regression::{fractional_logistic, least_squares};
use crate::calibration::table::sample::Sample;

#[derive(Deserialize)]
struct Reference {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    share: Vec<f64>,
    weight: Vec<f64>,
    ols: Vec<f64>,
    weighted: Vec<f64>,
    ridge: Vec<Penalised>,
    elastic_net: Vec<Penalised>,
    fractional: Vec<Penalised>,
    pca: Components,
    collinear: Nets,
    few_rows: Nets,
}

#[derive(Deserialize)]
struct Nets {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    elastic_net: Vec<Penalised>,
}

#[derive(Deserialize)]
struct Penalised {
    penalty: f64,
    #[serde(default)]
    l1_ratio: f64,
    line: Vec<f64>,
}

#[derive(Deserialize)]
struct Components {
    variances: Vec<f64>,
    components: Vec<Vec<f64>>,
}

impl Reference {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/reference.json");
        serde_json::from_slice(&std::fs::read(path).expect("reference.json")).expect("its form")
    }

    fn x(&self) -> Array2<f64> {
        array(&self.x)
    }

    fn z(&self) -> Array2<f64> {
        standardised(&self.x)
    }
}

fn array(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn standardised(rows: &[Vec<f64>]) -> Array2<f64> {
    let mut z = array(rows);
    for mut column in z.columns_mut() {
        let (mean, sd) = (column.mean().expect("rows"), column.std(0.0));
        column.mapv_inplace(|value| (value - mean) / sd);
    }
    z
}

fn close(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{ours:?} differs from {theirs:?}");
    }
}

#[test]
fn least_squares_and_ridge_agree_with_scikit_learn() {
    let reference = Reference::read();
    let (x, y, ones) = (reference.x(), Array1::from(reference.y.clone()), vec![1.0; reference.y.len()]);
    close(&least_squares(&x, &y, &ones, 0.0).expect("OLS"), &reference.ols, 1e-8);
    close(&least_squares(&x, &y, &reference.weight, 0.0).expect("weighted"), &reference.weighted, 1e-8);
    for Penalised { penalty, line, .. } in &reference.ridge {
        close(&least_squares(&x, &y, &ones, *penalty).expect("ridge"), line, 1e-8);
    }
}

#[test]
fn the_elastic_net_agrees_with_scikit_learn_also_on_collinear_columns_and_few_rows() {
    let Reference { x, y, elastic_net, collinear, few_rows, .. } = Reference::read();
    for Nets { x, y, elastic_net } in [Nets { x, y, elastic_net }, collinear, few_rows] {
        let (rows, ones): (Vec<usize>, Vec<f64>) = (0..y.len()).map(|row| (row, 1.0)).unzip();
        let problem = Problem::new(&standardised(&x), &Array1::from(y), &ones, &rows).expect("a factor");
        for Penalised { penalty, l1_ratio, line } in &elastic_net {
            close(&problem.solve(*penalty, *l1_ratio, 1e-14).expect("elastic net"), line, 1e-8);
        }
    }
}

#[test]
fn fractional_logistic_regression_agrees_with_scikit_learn_on_weighted_successes_and_failures() {
    let reference = Reference::read();
    for Penalised { penalty, line, .. } in &reference.fractional {
        let ours = fractional_logistic(&reference.z(), &reference.share, &reference.weight, *penalty)
            .expect("a fit");
        close(&ours, line, 1e-8);
    }
}

#[test]
fn components_agree_with_scikit_learn_up_to_their_signs() {
    let reference = Reference::read();
    let n = reference.y.len();
    // The features are scaled and shifted into `[0, 1]`, so that the basis does not standardise them. The
    // change of scale does not change the components; it divides the variances by 1e6.
    let x = reference.x().mapv(|value| 0.5 + value / 1000.0);
    let names = |prefix: &str| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let sample = Sample {
        models: names("t"),
        families: names("f"),
        log10_sizes: vec![f64::NAN; n],
        proxies: None,
        x,
        y: reference.y.clone(),
        weights: vec![1.0; n],
    };
    let (basis, _) = Basis::fit(&sample).expect("a basis");
    assert_eq!(basis.components.len(), 5);
    for (k, (ours, theirs)) in basis.components.iter().zip(&reference.pca.components).enumerate() {
        let along: f64 = ours.iter().zip(theirs).map(|(a, b)| a * b).sum();
        let theirs: Vec<f64> = theirs.iter().map(|value| value * along.signum()).collect();
        close(ours, &theirs, 1e-8);
        close(&[basis.variances[k] * 1e6], &[reference.pca.variances[k]], 1e-8);
    }
}
