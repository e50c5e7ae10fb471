//! Predicts larger models of a suite from small models, on the public evaluations of Pythia's checkpoints.
//! The features come from members of up to 410 million parameters. The calibration uses targets of 1 to 1.4
//! billion parameters and predicts targets of 2.8 to 12 billion parameters, on the tasks of the calibration
//! and on each task left out. It is compared with the mean, the nearest member, a line through the three
//! small members of the same task and checkpoint, and the candidates `gain-1`, `gain` and `ridge`.
//!
//! ```console
//! $ cargo run --release --example small_to_large -- FILE  # family,params_b,step,shots,task,metric,value
//! ```
//!
//! The evaluations (github.com/EleutherAI/pythia, folder `evals`, Apache-2.0) are not part of this
//! repository.

use std::collections::BTreeSet;

use surmise::calibration::{
    CalibrationSpec, FittedCandidates, Link, Predictors, ProxyValue, Table, calibrate,
};
use surmise::numeric::statistics::{mean, slope};
use surmise::{Error, Result};

/// Billions of parameters of the small members. The last member is the proxy.
const SMALL: [f64; 3] = [0.07, 0.16, 0.41];
/// The largest target for calibration, in billions of parameters.
const KNOWN: f64 = 1.4;
const LEVEL: f64 = 0.9;
/// The first training step that is used. At earlier steps, most models are at chance.
const FIRST_STEP: f64 = 3000.0;
const SHARE: Link = Link::Logit { low: 0.0, high: 1.0 };
const METHODS: [&str; 6] = ["mean", "nearest", "line", "gain-1", "gain", "ridge"];

/// A larger member and the small members of one suite, task, metric, number of shots and checkpoint.
struct Pair {
    name: String,
    task: String,
    size: f64,
    y: f64,
    small: [f64; 3],
}

fn main() -> Result<()> {
    let path = std::env::args()
        .nth(1)
        .ok_or_else(|| Error::Parameter { name: "FILE", reason: "is missing".into() })?;
    let pairs = pairs(&Table::read(path.as_ref())?)?;
    let tasks: BTreeSet<&str> = pairs.iter().map(|pair| pair.task.as_str()).collect();
    let some = |keep: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|pair| keep(pair)).collect::<Vec<_>>();
    println!("asked about,rows,refused,{},chosen,surmise,inside_90,width_90", METHODS.join(","));
    print("larger sizes", &[ask(&some(&|pair| pair.size <= KNOWN), &some(&|pair| pair.size > KNOWN))?]);
    let new = tasks.iter().map(|task| {
        let train = some(&|pair| pair.size <= KNOWN && pair.task != *task);
        ask(&train, &some(&|pair| pair.size > KNOWN && pair.task == *task))
    });
    print("larger sizes of a new task", &new.collect::<Result<Vec<_>>>()?);
    Ok(())
}

fn pairs(table: &Table) -> Result<Vec<Pair>> {
    let [suites, tasks, metrics, shots] = ["family", "task", "metric", "shots"].map(|name| table.text(name));
    let (suites, tasks, metrics, shots) = (suites?, tasks?, metrics?, shots?);
    let (steps, sizes, values) =
        (table.numbers("step")?, table.numbers("params_b")?, table.numbers("value")?);
    let is_used = |row: usize| {
        let late = steps[row].is_some_and(|step| step >= FIRST_STEP);
        suites[row].starts_with("pythia") && metrics[row].starts_with("acc") && late
    };
    let rows: Vec<usize> = (0..table.len()).filter(|&row| is_used(row)).collect();
    let key = |row: usize| (suites[row], tasks[row], metrics[row], shots[row], steps[row].map(f64::to_bits));
    let mut pairs = vec![];
    for &row in &rows {
        let (Some(size), Some(y), Some(step)) = (sizes[row], values[row], steps[row]) else { continue };
        let of = |size: f64| rows.iter().find(|&&other| key(other) == key(row) && sizes[other] == Some(size));
        let small = SMALL.map(|size| of(size).and_then(|&other| values[other]));
        let [Some(a), Some(b), Some(c)] = small else { continue };
        if size > SMALL[2] {
            let task = format!("{} {} {} shots", tasks[row], metrics[row], shots[row]);
            let name = format!("{} {size}B, step {step}, {task}", suites[row]);
            pairs.push(Pair { name, task, size, y, small: [a, b, c] });
        }
    }
    Ok(pairs)
}

impl Pair {
    fn features(&self) -> [f64; 4] {
        let [a, b, c] = self.small.map(|value| SHARE.apply(value));
        [a, b, c, (self.size / SMALL[2]).log10()]
    }

    /// A line in log size through the logits of the small members.
    fn line(&self) -> f64 {
        let (x, z) = (SMALL.map(f64::log10), self.small.map(|value| SHARE.apply(value)));
        let slope = slope(&x, &z).unwrap_or(0.0);
        SHARE.invert(mean(&z) + slope * (self.size.log10() - mean(&x)), 0.0)
    }
}

fn table(pairs: &[&Pair]) -> Result<Table> {
    let mut text =
        String::from("model,family,params_b,y,proxy,proxy_b,logit_70m,logit_160m,logit_410m,log10_ratio\n");
    for pair in pairs {
        let cells = pair.features().map(|value| value.to_string()).join(",");
        let (Pair { name, task, size, y, small }, proxy_b) = (pair, SMALL[2]);
        text.push_str(&format!("\"{name}\",\"{task}\",{size},{y},{},{proxy_b},{cells}\n", small[2]));
    }
    Table::from_bytes("pairs".as_ref(), text.as_bytes())
}

/// The result of predicting one set of pairs by a card that was fitted on another set.
struct Asked {
    chosen: String,
    rows: Vec<Row>,
}

/// Absolute error of each method, and of the card if it makes a prediction.
struct Row {
    errors: [f64; METHODS.len()],
    said: Option<Said>,
}

/// Absolute error, whether the interval contains the truth, and its width.
struct Said {
    error: f64,
    inside: bool,
    width: f64,
}

fn ask(train: &[&Pair], test: &[&Pair]) -> Result<Asked> {
    let plan = CalibrationSpec {
        target: "y".into(),
        features: ["logit_70m", "logit_160m", "logit_410m", "log10_ratio"].map(Into::into).into(),
        proxy: Some("proxy".into()),
        proxy_size: Some("proxy_b".into()),
        level: LEVEL,
        link: Some(SHARE),
        ..CalibrationSpec::default()
    };
    let known = table(train)?;
    let card = calibrate(&known, &plan)?;
    let sample = plan.prepare(&known)?.sample;
    let fits = FittedCandidates::all(&sample, SHARE)?;
    let pooled = ["gain-1", "gain", "ridge"].map(|name| fits.get(name));
    let chosen = card.fit.beyond_range.as_ref().map_or("none".into(), |chosen| chosen.name().to_owned());
    let mut asked = Asked { chosen, rows: vec![] };
    for (pair, said) in test.iter().zip(card.predict(&table(test)?, LEVEL)?) {
        let features = pair.features();
        let proxy = ProxyValue { value: pair.small[2], log10_ratio: features[3] };
        let predictors = Predictors {
            x: features.map(Some).into(),
            log10_size: Some(pair.size.log10()),
            proxy: Some(proxy),
            family: String::new(),
        };
        let [a, b, c] = pooled
            .map(|fitted| fitted.map_or(f64::NAN, |f| f.predict(&features, &predictors, &fits.basis, SHARE)));
        let values = [sample.mean(), pair.small[2], pair.line(), a, b, c];
        let errors = values.map(|value| (value - pair.y).abs());
        let said = said.y_hat.zip(said.low).zip(said.high).map(|((y_hat, low), high)| Said {
            error: (y_hat - pair.y).abs(),
            inside: (low..=high).contains(&pair.y),
            width: high - low,
        });
        asked.rows.push(Row { errors, said });
    }
    Ok(asked)
}

fn print(name: &str, asked: &[Asked]) {
    let rows: Vec<&Row> = asked.iter().flat_map(|asked| &asked.rows).collect();
    let mean =
        |value: &dyn Fn(&Row) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / rows.len() as f64;
    let errors: Vec<String> =
        (0..METHODS.len()).map(|m| format!("{:.4}", mean(&|row| row.errors[m]))).collect();
    let chosen: BTreeSet<&str> = asked.iter().map(|asked| asked.chosen.as_str()).collect();
    let chosen = chosen.into_iter().collect::<Vec<_>>().join(" ");
    let said: Vec<&Said> = rows.iter().filter_map(|row| row.said.as_ref()).collect();
    let of = |value: &dyn Fn(&Said) -> f64| match said.len() {
        0 => String::new(),
        n => format!("{:.4}", said.iter().map(|said| value(said)).sum::<f64>() / n as f64),
    };
    let cells = [of(&|said| said.error), of(&|said| f64::from(said.inside)), of(&|said| said.width)];
    let (n, refused) = (rows.len(), rows.len() - said.len());
    println!("{name},{n},{refused},{},{chosen},{}", errors.join(","), cells.join(","));
}
