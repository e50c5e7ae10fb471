//! Finds the initial clusters of mixtures by k-means.
//!
//! # References
//! Lloyd 1982; Arthur & Vassilvitskii 2007 (k-means++).

use ndarray::{Array2, ArrayView1, Axis};
use rand::Rng;
use rand::distr::weighted::WeightedIndex;
use rand_distr::Distribution;

use crate::seed::stream;

/// Returns for each row the index of its nearest centre, after a greedy k-means++ start and a few Lloyd
/// steps.
pub(crate) fn k_means(z: &Array2<f64>, k: usize, seed: u64) -> Vec<usize> {
    const CANDIDATES: usize = 4;
    const LLOYD: usize = 8;
    let (n, d) = z.dim();
    let mut generator = stream("mi/mixture", "k-means", seed);
    let squared = |a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    let mut centres = Array2::zeros((k, d));
    centres.row_mut(0).assign(&z.row(generator.random_range(0..n)));
    let mut nearest: Vec<f64> = z.rows().into_iter().map(|row| squared(row, centres.row(0))).collect();
    for at in 1..k {
        let candidates = (0..CANDIDATES).map(|_| match WeightedIndex::new(&nearest) {
            Ok(by_distance) => by_distance.sample(&mut generator),
            Err(_) => 0,
        });
        let trials = candidates.map(|row| {
            let distances =
                z.rows().into_iter().zip(&nearest).map(|(other, own)| own.min(squared(other, z.row(row))));
            let distances: Vec<f64> = distances.collect();
            (distances.iter().sum::<f64>(), row, distances)
        });
        if let Some((_, row, distances)) = trials.min_by(|a, b| a.0.total_cmp(&b.0)) {
            centres.row_mut(at).assign(&z.row(row));
            nearest = distances;
        }
    }
    let mut labels = vec![0; n];
    for _ in 0..LLOYD {
        let norms: Vec<f64> = centres.rows().into_iter().map(|row| 0.5 * row.dot(&row)).collect();
        let inner = z.dot(&centres.t());
        for (label, row) in labels.iter_mut().zip(inner.rows()) {
            let score = |c: &usize| row[*c] - norms[*c];
            *label = (0..k).max_by(|a, b| score(a).total_cmp(&score(b))).unwrap_or_default();
        }
        let mut counts = vec![0.0; k];
        let mut sums = Array2::<f64>::zeros((k, d));
        for (label, row) in labels.iter().zip(z.axis_iter(Axis(0))) {
            counts[*label] += 1.0;
            sums.row_mut(*label).scaled_add(1.0, &row);
        }
        for (c, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            centres.row_mut(c).assign(&(&sums.row(c) / *count));
        }
    }
    labels
}
