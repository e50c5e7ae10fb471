//! Measures the tokens per second of the decoder with the shape of GPT-2 small (12 blocks, width 768, random
//! weights, no head), the rate of the same matrix products on this machine, and the gain from sharing
//! prefixes.
//!
//! Run with `cargo bench --bench decoder`. Each figure is the best of several runs. `bound` is the rate of a
//! forward pass that consists only of its matrix products; `share` is the decoder's rate divided by `bound`.

use std::path::Path;
use std::time::Instant;

use rand::Rng;
use surmise::model::arch::{self, Config};
use surmise::model::decoder::Decoder;
use surmise::model::ops::Ops;
use surmise::model::weights::RandomInit;
use surmise::model::{Point, States, random_init};
use surmise::numeric::kernels;
use surmise::seed;

const WIDTH: usize = 768;
const CALLS: usize = 5;
const CONFIG: &str = r#"{"model_type": "gpt2", "vocab_size": 50257, "n_embd": 768,
    "n_layer": 12, "n_head": 12, "n_positions": 1024}"#;

fn main() -> surmise::Result<()> {
    let config = Config::parse(Path::new("config.json"), CONFIG.as_bytes())?;
    let (architecture, spec) = arch::read(&config)?;
    let decoder = random_init(architecture, &spec, &RandomInit { seed: 0 }, Ops::Fused)?;

    println!("windows tokens threads   tokens/s      bound  share");
    for (n, t) in [(256, 8), (64, 32)] {
        let mut rng = seed::stream("bench", "windows", n as u64);
        let windows: Vec<Vec<u32>> =
            (0..n).map(|_| (0..t).map(|_| rng.random_range(0..50257)).collect()).collect();
        for threads in [1, 2] {
            let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else { continue };
            let seconds = pool.install(|| forward(&decoder, &windows))?;
            let bound = threads as f64 / pool.install(|| products(threads));
            let rate = (n * t) as f64 / seconds;
            println!("{n:7} {t:6} {threads:7} {rate:10.0} {bound:10.0} {:6.2}", rate / bound);
        }
    }

    println!("\ncontexts targets tokens   nodes    seconds  without    ratio");
    for (contexts, targets, t) in [(8, 64, 8), (8, 50, 32)] {
        let mut rng = seed::stream("bench", "trie", t as u64);
        let heads: Vec<Vec<u32>> =
            (0..contexts).map(|_| (0..t - 1).map(|_| rng.random_range(0..50257)).collect()).collect();
        let tree =
            |head: &Vec<u32>| (0..targets).map(|target| [&head[..], &[target]].concat()).collect::<Vec<_>>();
        let shared: Vec<Vec<u32>> = heads.iter().flat_map(tree).collect();
        let apart: Vec<Vec<u32>> =
            shared.iter().map(|window| window.iter().map(|_| rng.random_range(0..50257)).collect()).collect();
        let (with, without) = (forward(&decoder, &shared)?, forward(&decoder, &apart)?);
        let nodes = contexts * (t - 1) + contexts * targets as usize;
        println!("{contexts:8} {targets:7} {t:6} {nodes:7} {with:10.3} {without:8.3} {:8.1}", without / with);
    }
    Ok(())
}

/// Seconds of one forward pass over the windows, on the thread pool of the caller.
fn forward(decoder: &Decoder, windows: &[Vec<u32>]) -> surmise::Result<f64> {
    let last: Vec<Point> = windows.iter().enumerate().map(|(w, window)| (w, window.len() - 1)).collect();
    let mut least = f64::INFINITY;
    for _ in 0..CALLS {
        let start = Instant::now();
        States::of(decoder, "bench", windows, &last)?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

/// Seconds per token of the products of one forward pass, in the batches of the decoder. Several threads run
/// separate copies.
fn products(threads: usize) -> f64 {
    const TOKENS: usize = 1024;
    let shapes = [(3 * WIDTH, WIDTH), (WIDTH, WIDTH), (4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH)];
    let run = || {
        let mut least = f64::INFINITY;
        let operands: Vec<_> = shapes
            .iter()
            .map(|(n, k)| (vec![0.5f32; TOKENS * k], vec![0.5f32; n * k], vec![0.0f32; TOKENS * n]))
            .collect();
        let mut operands = operands;
        for _ in 0..CALLS {
            let start = Instant::now();
            for ((n, k), (a, b, c)) in shapes.iter().zip(&mut operands) {
                kernels::matmul_t(TOKENS, *n, *k, a, b, c);
            }
            least = least.min(start.elapsed().as_secs_f64());
        }
        12.0 * least / TOKENS as f64
    };
    let (mut one, mut two) = (f64::INFINITY, 0.0);
    rayon::scope(|scope| {
        if threads > 1 {
            scope.spawn(|_| two = run());
        }
        one = run();
    });
    one.max(two)
}
