//! Measures the seconds to measure the largest embedded models on 4,000 windows of 4 shots, including random
//! init, on one thread and on two threads.
//!
//! Run with `cargo bench --bench measure`. Each row is the fastest of three runs; `states` is the time of
//! only the forward passes.

use std::time::Instant;

use surmise::corpus::{Category, Series};
use surmise::emergence::{MeasureSettings, measure};
use surmise::mi::Channel;
use surmise::model::{Model, States};

fn main() -> surmise::Result<()> {
    println!("model        threads    seconds     states  tokens/s");
    let series = Series::draw(&Category::load("countries")?, 4, 4000, 0)?;
    let settings = MeasureSettings::new(Channel::DEFAULT, 0, 0);
    for name in ["minigpt-7", "minillama-7"] {
        let model = Model::load(name)?;
        let corpus = series.tokenize(&model.tokenizer)?;
        let windows: Vec<Vec<u32>> = corpus.windows.iter().map(|window| window.ids.clone()).collect();
        let last: Vec<_> = windows.iter().enumerate().map(|(w, window)| (w, window.len() - 1)).collect();
        for threads in [1, 2] {
            let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else { continue };
            let seconds = fastest(|| pool.install(|| measure(&model, &corpus, &settings).map(drop)))?;
            let mut tokens = 0;
            let states = fastest(|| {
                pool.install(|| {
                    tokens = States::of(&model.decoder, name, &windows, &last)?.n_prefixes();
                    Ok(())
                })
            })?;
            println!("{name:12} {threads:7} {seconds:10.3} {states:10.4} {:9.0}", tokens as f64 / states);
        }
    }
    Ok(())
}

fn fastest(mut call: impl FnMut() -> surmise::Result<()>) -> surmise::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}
