//! Measures the seconds per call of `channel` on one thread, and of a plain product of the same size.
//!
//! Run with `cargo bench --bench channel`. Each row is the fastest of a few calls. `products` is the time
//! that the products `Y Y^T` and `Z Y^T` would take at the rate of one large product; `share` is `products`
//! divided by `seconds`. The last line is the time of a whole profile with the shape of GPT-2 small: 12
//! blocks and 9 conditions of 2000 windows, at four noise scales.
//!
//! `cargo bench --bench channel -- memory` makes one estimate from 20,000 rows of 768 columns and prints the
//! peak memory of the process, samples included (Linux).

use std::time::Instant;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use surmise::mi::{Channel, Estimator, Pairs, Scale};
use surmise::numeric::kernels;

/// Number of calls per row of the table.
const CALLS: usize = 5;

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    if std::env::args().any(|argument| argument == "memory") {
        pool.install(memory);
    } else {
        pool.install(|| {
            table();
            profile();
        });
    }
}

/// Measures the time of a whole profile. Every block and condition has its own states.
fn profile() {
    let (mut seconds, mut cpu) = (0.0, 0.0);
    for estimate in 0..12 * 9 {
        let (x, y) = (gaussian(2000, 768, 2 * estimate), gaussian(2000, 768, 2 * estimate + 1));
        let (start, cpu_start) = (Instant::now(), cpu_seconds());
        assert!(Channel::DEFAULT.estimate(&Pairs::new(x.view(), y.view()).expect("pairs"), estimate).is_ok());
        seconds += start.elapsed().as_secs_f64();
        cpu += cpu_seconds() - cpu_start;
    }
    println!(
        "12 blocks x 9 conditions, n = 2000, d = 768, 4 precisions: {seconds:.1} s, of which the processor \
         worked {cpu:.1} s"
    );
}

/// Processor seconds of this process, which other processes do not affect (Linux; NaN elsewhere).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(f64::NAN))
        .collect();
    match (fields.get(11), fields.get(12)) {
        (Some(user), Some(system)) => (user + system) / 100.0,
        _ => f64::NAN,
    }
}

fn memory() {
    let (x, y) = (gaussian(20_000, 768, 1), gaussian(20_000, 768, 2));
    let start = Instant::now();
    assert!(Channel::DEFAULT.estimate(&Pairs::new(x.view(), y.view()).expect("pairs"), 3).is_ok());
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!("n = 20000, d = 768, 4 precisions: {seconds:.1} s, {peak}");
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
            let estimates = channel.estimate(&Pairs::new(x.view(), y.view()).expect("pairs"), 3);
            assert!(estimates.is_ok());
        });
        let (a, mut c) = (y.as_slice().unwrap_or_default(), vec![0.0; n * n]);
        let products = 2.0 * fastest(|| kernels::matmul_t(n, n, d, a, a, &mut c));
        let rate = 4.0 * (n * n * d) as f64 / products / 1e9;
        println!(
            "{n:6} {d:5} {count:11} {seconds:10.4} {products:10.4} {rate:9.0} {:6.2}",
            products / seconds
        );
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
