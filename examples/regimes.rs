//! Compares the stated coverage of predictions with their real coverage on synthetic tables with known truth:
//! 60 models in 15 families, and an effect of each family on the target that no feature contains. For each
//! kind of new row, a table has 15 rows.
//!
//! ```console
//! $ cargo run --release --example regimes             # 300 tables
//! $ cargo run --release --example regimes -- 30
//! ```

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use surmise::Result;
use surmise::calibration::{CalibrationSpec, Table, calibrate};

const FAMILIES: usize = 15;
const MODELS: usize = 4;
const FEATURES: usize = 6;
const LEVEL: f64 = 0.9;
const KINDS: [&str; 4] = ["new model", "new family", "beyond the range", "new family beyond the range"];

/// The dependence of the target on strength.
#[derive(Clone, Copy)]
enum Truth {
    Line,
    Share,
    Bent,
}

struct World {
    random: ChaCha8Rng,
    truth: Truth,
    /// Weights of strength and of a second factor, for each feature.
    loadings: Vec<[f64; 2]>,
    /// Effects of each family on strength, on the second factor and on the target.
    families: Vec<[f64; 3]>,
}

impl World {
    fn new(seed: u64, truth: Truth) -> Self {
        let mut world =
            Self { random: ChaCha8Rng::seed_from_u64(seed), truth, loadings: vec![], families: vec![] };
        world.loadings = (0..FEATURES).map(|_| [1.0 + 0.3 * world.normal(), 0.7 * world.normal()]).collect();
        let family = |world: &mut Self| [0.3 * world.normal(), 0.5 * world.normal(), 0.3 * world.normal()];
        world.families = (0..2 * FAMILIES).map(|_| family(&mut world)).collect();
        world
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.random)
    }

    /// A row of the table, and the target.
    fn row(&mut self, name: &str, family: usize, sizes: [f64; 2]) -> (String, f64) {
        let log10_size = self.random.random_range(sizes[0]..sizes[1]);
        let [on_strength, on_second, on_target] = self.families[family];
        let strength = log10_size + on_strength + 0.2 * self.normal();
        let second = on_second + 0.5 * self.normal();
        let eta = 1.2 * strength + 0.4 * second + on_target + 0.15 * self.normal();
        let y = match self.truth {
            Truth::Line => eta,
            Truth::Share => 1.0 / (1.0 + (-eta).exp()),
            Truth::Bent => eta + 0.15 * strength * strength,
        };
        let loadings = self.loadings.clone();
        let x = loadings.iter().map(|[a, b]| (a * strength + b * second + 0.25 * self.normal()).to_string());
        let cells: Vec<String> = x.collect();
        (format!("{name},f{family},{},{}", 10f64.powf(log10_size), cells.join(",")), y)
    }
}

fn main() -> Result<()> {
    let tables: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(300);
    let names: Vec<String> = (0..FEATURES).map(|j| format!("x{j}")).collect();
    let header = format!("model,family,params_b,{},y\n", names.join(","));
    println!("truth,kind,rows,predicted,stated,held,width,warned");
    for (truth, name) in [(Truth::Line, "line"), (Truth::Share, "share"), (Truth::Bent, "bent")] {
        // Per kind: number of rows, number of predictions, sum of the stated coverage, number of rows inside
        // their intervals, sum of the widths, and number of notes about coverage far below the level.
        let mut sums = [[0.0; 6]; KINDS.len()];
        for seed in 0..tables / 3 {
            let mut world = World::new(seed, truth);
            let mut text = header.clone();
            for at in 0..FAMILIES * MODELS {
                let (cells, y) = world.row(&format!("m{at}"), at % FAMILIES, [-1.0, 1.0]);
                text.push_str(&format!("{cells},{y}\n"));
            }
            let plan = CalibrationSpec { target: "y".into(), level: LEVEL, ..CalibrationSpec::default() };
            let card = calibrate(&Table::from_bytes("known".as_ref(), text.as_bytes())?, &plan)?;
            let (mut text, mut truths) = (header.replace(",y\n", "\n"), vec![]);
            for kind in 0..KINDS.len() {
                for at in 0..FAMILIES {
                    let family = if kind % 2 == 1 { FAMILIES + at } else { at };
                    let (cells, y) = world.row(
                        &format!("q{kind}_{at}"),
                        family,
                        if kind < 2 { [-1.0, 1.0] } else { [1.0, 2.0] },
                    );
                    text.push_str(&format!("{cells}\n"));
                    truths.push(y);
                }
            }
            let said = card.predict(&Table::from_bytes("asked".as_ref(), text.as_bytes())?, LEVEL)?;
            for (at, (said, y)) in said.iter().zip(truths).enumerate() {
                // A row counts for the regime that the card assigns to it, which may differ from the kind for
                // which it was drawn.
                let foreign = usize::from(at / FAMILIES % 2 == 1);
                let kind = if said.regime == "extrapolation" { 2 + foreign } else { foreign };
                if said.regime == "below_range" {
                    continue;
                }
                let sum = &mut sums[kind];
                sum[0] += 1.0;
                let Some(((low, high), stated)) = said.low.zip(said.high).zip(said.backtest_coverage) else {
                    continue;
                };
                sum[1] += 1.0;
                sum[2] += stated;
                sum[3] += f64::from((low..=high).contains(&y));
                sum[4] += high - low;
                sum[5] += f64::from(said.note.to_lowercase().contains("intervals held only"));
            }
        }
        for (kind, [rows, predicted, stated, held, width, warned]) in KINDS.into_iter().zip(sums) {
            let mean = |sum: f64| sum / predicted;
            let [stated, held, width, warned] = [stated, held, width, warned].map(mean);
            println!("{name},{kind},{rows},{predicted},{stated:.3},{held:.3},{width:.3},{warned:.2}");
        }
    }
    Ok(())
}
