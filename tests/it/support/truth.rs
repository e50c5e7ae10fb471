//! Generates samples with known mutual information, and computes this information without the estimators.

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A random number generator for the data of a test. Its stream differs from the streams of the estimators.
pub fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Independent standard normal values.
pub fn gaussian(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut generator = generator(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut generator))
}

/// A column that numbers the rows, so that all rows differ.
pub fn row_numbers(n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, 1), |(row, _)| row as f32)
}

/// Rows that cycle through the codes: code `k` of `K` occurs `n / K` times.
pub fn codes(n: usize, count: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, 1), |(row, _)| (row % count) as f32)
}

/// Mean and standard deviation (divisor `n`) of each column.
pub fn moments(y: &Array2<f32>) -> Vec<(f64, f64)> {
    let n = y.nrows() as f64;
    let column = |column: ndarray::ArrayView1<'_, f32>| {
        let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let squares = column.iter().map(|&v| (f64::from(v) - mean).powi(2));
        (mean, (squares.sum::<f64>() / n).sqrt())
    };
    y.columns().into_iter().map(column).collect()
}

/// `I(k; mu_k + sd Z)` for points on a line with these probabilities, by the trapezoidal rule: the entropy of
/// the mixture minus the entropy of the noise.
pub fn mixture_on_a_line(points: &[f64], probabilities: &[f64], sd: f64) -> f64 {
    let density = |y: f64| -> f64 {
        let normal = |point: f64| (-0.5 * ((y - point) / sd).powi(2)).exp();
        let terms = points.iter().zip(probabilities);
        terms.map(|(&point, p)| p * normal(point)).sum::<f64>() / (sd * std::f64::consts::TAU.sqrt())
    };
    let low = points.iter().copied().fold(f64::INFINITY, f64::min) - 12.0 * sd;
    let high = points.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 12.0 * sd;
    let step = sd / 100.0;
    let entropy: f64 = (0..=((high - low) / step) as usize)
        .map(|i| density(low + i as f64 * step))
        .filter(|&density| density > 0.0)
        .map(|density| -density * density.ln() * step)
        .sum();
    entropy - 0.5 * (std::f64::consts::TAU * std::f64::consts::E * sd * sd).ln()
}

/// `I(k; mu_k + sd Z)` for equally likely points in space, with one `sd` per coordinate, from 2^16 draws: the
/// value and its standard error.
pub fn mixture_in_space(points: &[Vec<f64>], sd: &[f64], seed: u64) -> (f64, f64) {
    let mut generator = generator(seed);
    let draws = 1 << 16;
    let terms: Vec<f64> = (0..draws)
        .map(|draw| {
            let own = &points[draw % points.len()];
            let noise: Vec<f64> = sd.iter().map(|_| StandardNormal.sample(&mut generator)).collect();
            let log_density = |point: &Vec<f64>| -> f64 {
                let by_coordinate = (0..sd.len()).map(|k| ((own[k] - point[k]) / sd[k] + noise[k]).powi(2));
                -0.5 * by_coordinate.sum::<f64>()
            };
            let mixture: f64 = points.iter().map(|point| log_density(point).exp()).sum();
            log_density(own) - (mixture / points.len() as f64).ln()
        })
        .collect();
    mean_and_error(&terms)
}

/// Mean of values and its standard error.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}
