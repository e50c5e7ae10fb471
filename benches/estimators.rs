//! Measures errors and seconds of the estimators on a folder of samples with known information.
//!
//! `cargo bench --bench estimators -- FOLDER NAME...` reads `truth.json` (name to nats, or to an object with
//! `mi_nats`) and `name.safetensors` with arrays `x` and `y`. Without a folder it times `ksg` on Gaussian
//! samples; `python benches/peers_mi.py` reads that table and adds the times of the k-d trees of SciPy and
//! scikit-learn. All times are for one thread.

use std::path::Path;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use surmise::arrays;
use surmise::mi::{Pairs, find};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    pool.install(|| match arguments.split_first() {
        Some((folder, names)) => errors(Path::new(folder), names),
        None => neighbours(),
    });
}

fn neighbours() {
    println!("ksg, n = 5000, one thread, seconds of the processor, mean of a hundred\n  d_x + d_y   seconds");
    let ksg = find("ksg").expect("in the table");
    for d in 1..=6 {
        let mut generator = ChaCha8Rng::seed_from_u64(d as u64);
        let mut draw =
            || Array2::<f32>::from_shape_simple_fn((5000, d), || StandardNormal.sample(&mut generator));
        let (x, y) = (draw(), draw());
        let start = cpu_seconds();
        for _ in 0..100 {
            assert!(ksg.estimate(&Pairs::new(x.view(), y.view()).expect("pairs"), 0).is_ok());
        }
        println!("  {d} + {d}     {:.4}", (cpu_seconds() - start) / 100.0);
    }
}

/// Processor seconds of this process, which other processes do not affect (Linux; NaN elsewhere).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> =
        after_name.split_whitespace().map(|field| field.parse().unwrap_or(f64::NAN)).collect();
    match (fields.get(11), fields.get(12)) {
        (Some(user), Some(system)) => (user + system) / 100.0,
        _ => f64::NAN,
    }
}

fn errors(folder: &Path, names: &[String]) {
    let text = std::fs::read(folder.join("truth.json")).expect("truth.json");
    let truth: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&text).expect("an object");
    println!("estimator     n   mean  median  largest  seconds  refused");
    for name in names {
        let estimator = find(name).expect("a name of `surmise list estimators`");
        let (mut found, mut seconds, mut refused) = (vec![], 0.0, 0);
        for (case, value) in &truth {
            let exact = value.as_f64().or_else(|| value["mi_nats"].as_f64()).expect("nats");
            let file = folder.join(format!("{case}.safetensors"));
            let (x, y) = (arrays::read(&file, "x").expect("x"), arrays::read(&file, "y").expect("y"));
            let start = cpu_seconds();
            match estimator.estimate(&Pairs::new(x.values.view(), y.values.view()).expect("pairs"), 0) {
                Ok(estimates) => {
                    let mi = estimates[0].mi_nats;
                    seconds += cpu_seconds() - start;
                    eprintln!("{name} {case}: {mi:.3}, truth {exact:.3}");
                    found.push((mi - exact).abs());
                }
                Err(_) => refused += 1,
            }
        }
        found.sort_by(f64::total_cmp);
        let n = found.len();
        let mean = found.iter().sum::<f64>() / n as f64;
        let (median, largest) = (found.get(n / 2), found.last());
        println!(
            "{name:<12} {n:2} {mean:6.3}  {median:.3?}  {largest:.3?}  {:7.2}  {refused}",
            seconds / n as f64
        );
    }
}
