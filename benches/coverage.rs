//! Measures how often the stated standard error covers the truth: 50 fresh draws of three distributions for
//! each estimator.
//!
//! `cargo bench --bench coverage -- [NAME...]`. Estimators of continuous samples are measured on a normal
//! distribution of 2 + 2 columns, a Student distribution of 3 + 3 columns and 3 degrees of freedom, and `y =
//! x + u` with uniform `x` and `u`. `plugin` is measured on three tables of probabilities. `channel` is
//! measured on normal `y` in 1, 2 and 4 columns at b = .25, where the truth is the information of a Gaussian
//! channel. `n` = 1000. `bias`, `sd` and `stated` are means over the draws; the last columns are the
//! percentages of intervals with nominal levels 68, 90 and 95 % that contain the truth.

use ndarray::{Array2, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use surmise::mi::{Channel, Estimator, Pairs, Scale, find};

const ROWS: usize = 1000;
const DRAWS: u64 = 50;
const NAMES: [&str; 10] =
    ["channel", "ensemble", "hybrid", "t-copula", "gaussian", "cca-ksg", "ksg", "plugin", "dv", "infonce"];
/// Half widths of intervals that contain 68, 90 and 95 % of a normal distribution, in standard deviations.
const WIDTHS: [f64; 3] = [0.994_46, 1.644_85, 1.959_96];

type Draw = Box<dyn Fn(&mut ChaCha8Rng) -> (Array2<f32>, Array2<f32>)>;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let names = if names.is_empty() { NAMES.map(str::to_owned).to_vec() } else { names };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    println!("estimator    distribution      truth    bias      sd  stated   68   90   95");
    pool.install(|| names.iter().for_each(|name| of_estimator(name)));
}

fn of_estimator(name: &str) {
    let channel = Channel::new(Scale::Spread, vec![0.25]).expect("a precision in range");
    let estimator: &dyn Estimator =
        if name == "channel" { &channel } else { find(name).expect("a name of `surmise list estimators`") };
    let cases = match name {
        "channel" => [1, 2, 4].into_iter().map(gaussian_channel).collect::<Vec<_>>(),
        "plugin" => [(2, 0.3), (4, 0.5), (10, 0.2)].into_iter().map(|(k, same)| table(k, same)).collect(),
        _ => vec![
            ("normal 2 + 2".to_owned(), 0.293_893_332_451_059_4, Box::new(normal) as Draw),
            ("Student 3 + 3".to_owned(), 0.178_711_853_092_364_6, Box::new(student) as Draw),
            ("additive 1 + 1".to_owned(), 1.0 / 3.0, Box::new(additive) as Draw),
        ],
    };
    for (label, truth, draw) in cases {
        let (mut values, mut stated, mut held) = (vec![], vec![], [0; 3]);
        for seed in 0..DRAWS {
            let (x, y) = draw(&mut ChaCha8Rng::seed_from_u64(1000 + seed));
            let found = &estimator
                .estimate(&Pairs::new(x.view(), y.view()).expect("pairs"), seed)
                .expect("usable samples")[0];
            let stderr = found.stderr_nats.expect("a standard error");
            for (held, width) in held.iter_mut().zip(WIDTHS) {
                *held += usize::from((found.mi_nats - truth).abs() <= width * stderr);
            }
            values.push(found.mi_nats);
            stated.push(stderr);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let centre = mean(&values);
        let sd = (values.iter().map(|value| (value - centre).powi(2)).sum::<f64>()
            / (values.len() - 1) as f64)
            .sqrt();
        let [a, b, c] = held.map(|held| held * 100 / DRAWS as usize);
        let (bias, stated) = (centre - truth, mean(&stated));
        println!("{name:<12} {label:<15} {truth:7.4} {bias:+7.4} {sd:7.4} {stated:7.4} {a:4} {b:4} {c:4}");
    }
}

fn noise(d: usize, generator: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((ROWS, d), || StandardNormal.sample(generator))
}

fn single(values: &Array2<f64>) -> Array2<f32> {
    values.mapv(|value| value as f32)
}

/// A normal distribution in which all correlations are one half.
fn normal(generator: &mut ChaCha8Rng) -> (Array2<f32>, Array2<f32>) {
    let z = (noise(4, generator) + noise(1, generator)) * 0.5_f64.sqrt();
    (single(&z.slice(s![.., ..2]).to_owned()), single(&z.slice(s![.., 2..]).to_owned()))
}

fn student(generator: &mut ChaCha8Rng) -> (Array2<f32>, Array2<f32>) {
    let chi = ChiSquared::new(3.0).expect("degrees of freedom");
    let scale = Array2::from_shape_simple_fn((ROWS, 1), || -> f64 {
        let chi: f64 = chi.sample(generator);
        (3.0 / chi).sqrt()
    });
    let z: Array2<f64> = noise(6, generator) * scale;
    (single(&z.slice(s![.., ..3]).to_owned()), single(&z.slice(s![.., 3..]).to_owned()))
}

fn additive(generator: &mut ChaCha8Rng) -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_simple_fn((ROWS, 1), || generator.random::<f64>());
    let y = &x + &Array2::from_shape_simple_fn((ROWS, 1), || generator.random_range(-0.75..0.75));
    (single(&x), single(&y))
}

/// A table with `k` values on each side. `y` equals `x` with probability `same`, and is otherwise drawn from
/// all values.
fn table(k: usize, same: f64) -> (String, f64, Draw) {
    let k = k as f64;
    let (own, other) = ((same + (1.0 - same) / k) / k, (1.0 - same) / k / k);
    let truth = k * own * (own * k * k).ln() + k * (k - 1.0) * other * (other * k * k).ln();
    let draw = move |generator: &mut ChaCha8Rng| {
        let value = |generator: &mut ChaCha8Rng| (generator.random::<f64>() * k).floor() as f32;
        let x = Array2::from_shape_simple_fn((ROWS, 1), || value(generator));
        let y = x.mapv(|own| if generator.random::<f64>() < same { own } else { value(generator) });
        (x, y)
    };
    (format!("table {k} + {k}"), truth, Box::new(draw))
}

fn gaussian_channel(d: usize) -> (String, f64, Draw) {
    let truth = 0.5 * d as f64 * (1.0 / (0.25 * 0.25 * d as f64)).ln_1p();
    let draw = move |generator: &mut ChaCha8Rng| {
        let y = noise(d, generator);
        (single(&y), single(&y))
    };
    (format!("normal y of {d}"), truth, Box::new(draw))
}
