//! Seconds per call of `channel` on one thread, beside a bare product of the same size.
//!
//! Run with `cargo bench --bench channel`. Each row is the fastest of a few calls. `products` is the time of `Y Y^T` and `Z Y^T` alone
//! at the rate of one large product, so `share` says how close the estimator is to the speed of matrix products.

use std::time::Instant;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use surmise::mi::{Channel, Estimator, Scale};
use surmise::model::kernels;

/// Calls per row of the table.
const CALLS: usize = 5;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread").install(table);
}

fn table() {
    println!("     n     d  precisions    seconds   products   GFLOP/s  share");
    for (n, d, precisions) in [
        (4000, 768, vec![0.25]),
        (4000, 768, vec![0.10, 0.15, 0.25, 0.40]),
        (2000, 768, vec![0.10, 0.15, 0.25, 0.40]),
        (4000, 128, vec![0.10, 0.15, 0.25, 0.40]),
        (1000, 64, vec![0.10, 0.15, 0.25, 0.40]),
    ] {
        let count = precisions.len();
        let (x, y) = (gaussian(n, d, 1), gaussian(n, d, 2));
        let channel = Channel::new(Scale::Spread, precisions).expect("precisions in range");
        let seconds = fastest(|| {
            let estimates = channel.estimate(x.view(), y.view(), 3);
            assert!(estimates.is_ok());
        });
        let (a, mut c) = (y.as_slice().unwrap_or_default(), vec![0.0; n * n]);
        let products = 2.0 * fastest(|| kernels::matmul_t(n, n, d, a, a, &mut c));
        let rate = 4.0 * (n * n * d) as f64 / products / 1e9;
        println!("{n:6} {d:5} {count:11} {seconds:10.4} {products:10.4} {rate:9.0} {:6.2}", products / seconds);
    }
}

fn gaussian(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut generator))
}

fn fastest(mut call: impl FnMut()) -> f64 {
    (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}
