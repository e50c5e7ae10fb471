//! Trains the embedded open models on generated corpora, on the CPU, with candle: two families of seven sizes
//! on everyday facts, and four families of five sizes on invented facts.
//!
//! ```sh
//! cargo run --release --example train_family -- minigpt-1   # one run: trains, checkpoints, resumes
//! cargo run --release --example train_family -- factneox    # all runs of a family
//! cargo run --release --example train_family -- all
//! cargo run --release --example train_family -- all 800     # a trial of 800 steps each
//! cargo run --release --example train_family -- table       # writes family.csv from the saved models
//! ```
//!
//! Each run writes folders below `calibration/` that any Hugging Face tool opens: config.json,
//! tokenizer.json, model.safetensors (f16). The folder of the last checkpoint also has the loss curve
//! (loss.csv). Checkpoints that are not in the repository are in `target/family/checkpoints/`, states of the
//! optimiser in `target/family/RUN/`. A batch depends only on its step, so a resumed run gives the same
//! result as an uninterrupted one.

#[path = "train_family/generate.rs"]
mod generate;
#[path = "train_family/optimise.rs"]
mod optimise;
#[path = "train_family/recipe.rs"]
mod recipe;

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::loss::cross_entropy;
use serde::{Deserialize, Serialize};
use surmise::collect::{Completion, local};
use surmise::model::arch::{self, Config};
use surmise::model::batch::Batch;
use surmise::model::decoder::Decoder;
use surmise::model::ops::Ops;
use surmise::model::weights::{Init, ParameterSource, RandomInit};
use surmise::model::{Model, random_init};

use generate::{Generator, WINDOW_TOKENS};
use optimise::AdamW;
use recipe::{Corpus, RUNS, Recipe};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Number of windows per step.
const BATCH: usize = 16;
/// Number of windows of the held-out set.
const HELD_OUT: usize = 256;
/// Number of steps between two checkpoints and two points of the loss curve.
const EVERY: usize = 200;

/// Trainable parameters, initialised from a seed on first use.
struct Variables {
    initial: RandomInit,
    vars: Mutex<BTreeMap<String, Var>>,
}

impl ParameterSource for Variables {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> surmise::Result<Tensor> {
        let mut vars = self.vars.lock().expect("a lock");
        if let Some(var) = vars.get(name) {
            return Ok(var.as_tensor().clone());
        }
        let var = Var::from_tensor(&self.initial.tensor(name, shape, init)?)?;
        let tensor = var.as_tensor().clone();
        vars.insert(name.to_owned(), var);
        Ok(tensor)
    }
}

/// One point of a loss curve.
#[derive(Serialize, Deserialize)]
struct LossRow {
    model: String,
    step: usize,
    tokens_seen: usize,
    train_loss_nats: f64,
    held_out_loss_nats: f64,
}

fn main() -> Result<()> {
    let wanted = std::env::args().nth(1).ok_or("name a run, a family, `all` or `table`")?;
    let steps = std::env::args().nth(2).map(|steps| steps.parse::<usize>()).transpose()?;
    let is_wanted = |recipe: &&Recipe| wanted == "all" || recipe.name == wanted || recipe.family == wanted;
    let runs: Vec<&Recipe> = RUNS.iter().filter(is_wanted).collect();
    if runs.is_empty() && wanted != "table" {
        return Err(format!("no run and no family is called {wanted}").into());
    }
    for recipe in &runs {
        let generator = Generator::new(recipe.corpus)?;
        train(recipe, steps.unwrap_or(recipe.steps()), &generator)?;
    }
    // Runs may be started in parallel processes. The table is written by `all` or `table`, after all runs
    // have ended.
    if wanted == "all" || wanted == "table" { table() } else { Ok(()) }
}

fn train(recipe: &Recipe, n_steps: usize, generator: &Generator) -> Result<()> {
    let folder = Path::new("calibration").join(recipe.name);
    let work = Path::new("target/family").join(recipe.name);
    std::fs::create_dir_all(&work)?;
    std::fs::create_dir_all(&folder)?;
    let config_json = serde_json::to_vec_pretty(&recipe.config(generator.vocab_size()))?;
    let config = Config::parse(&folder.join("config.json"), &config_json)?;
    let (architecture, spec) = arch::read(&config)?;

    let variables = Variables { initial: RandomInit { seed: recipe.seed }, vars: Mutex::default() };
    let decoder = || random_init(architecture, &spec, &variables, Ops::Composed);
    let n_params = decoder()?.n_params();
    let mut optimiser = AdamW::new(variables.vars.lock().expect("a lock").clone())?;
    let mut curve: Vec<LossRow> = vec![];
    let mut start = 0;
    let state = work.join("state.safetensors");
    if state.is_file() {
        start = optimiser.load(&state, n_steps)?;
        println!("{}: resuming at step {start}", recipe.name);
    }
    let held_out = generator.windows("held-out", 0, HELD_OUT);
    let mut running = 0.0;
    for step in start..n_steps {
        let windows = generator.windows("train", step as u64, BATCH);
        let loss = loss_of(&decoder()?, &windows)?;
        running += f64::from(loss.to_scalar::<f32>()?);
        optimiser.step(&loss, recipe.learning_rate(step, n_steps))?;
        let done = step + 1;
        if done % EVERY == 0 || done == n_steps {
            let steps = (done - start - 1) % EVERY + 1;
            let held: f64 = evaluate(&decoder()?, &held_out)?;
            let row = LossRow {
                model: recipe.name.into(),
                step: done,
                tokens_seen: done * BATCH * WINDOW_TOKENS,
                train_loss_nats: running / steps as f64,
                held_out_loss_nats: held,
            };
            println!(
                "{} ({n_params}) step {done}: train {:.4}, held out {held:.4}",
                recipe.name, row.train_loss_nats
            );
            std::io::stdout().flush()?;
            curve.push(row);
            running = 0.0;
            optimiser.save(&state, done, n_steps)?;
            append(&folder.join("loss.csv"), &mut curve, done <= EVERY)?;
        }
        if recipe.checkpoints(n_steps).contains(&done) {
            let parent = match recipe.is_kept_in_repository(done, n_steps) {
                true => "calibration",
                false => "target/family/checkpoints",
            };
            let folder = Path::new(parent).join(format!("{}-step{done}", recipe.name));
            std::fs::create_dir_all(&folder)?;
            save(&folder, &config_json, generator, &variables)?;
        }
    }
    save(&folder, &config_json, generator, &variables)?;
    println!("{}: saved", recipe.name);
    Ok(())
}

/// Mean next-token loss in nats over windows of `WINDOW_TOKENS + 1` tokens.
fn loss_of(decoder: &Decoder, windows: &[Vec<u32>]) -> Result<Tensor> {
    let inputs: Vec<_> = windows.iter().map(|w| &w[..w.len() - 1]).collect();
    let targets: Vec<u32> = windows.iter().flat_map(|w| w[1..].iter().copied()).collect();
    let h = decoder.forward(&Batch::windows(&inputs), &mut |_, _| Ok(()))?;
    let targets = Tensor::from_vec(targets, h.dim(0)?, &Device::Cpu)?;
    Ok(cross_entropy(&decoder.logits(&h)?, &targets)?)
}

fn evaluate(decoder: &Decoder, windows: &[Vec<u32>]) -> Result<f64> {
    let mut total = 0.0;
    for chunk in windows.chunks(BATCH) {
        total += f64::from(loss_of(decoder, chunk)?.to_scalar::<f32>()?) * chunk.len() as f64;
    }
    Ok(total / windows.len() as f64)
}

/// Appends rows to a CSV file; a run from the start begins a new file.
fn append(path: &Path, rows: &mut Vec<LossRow>, anew: bool) -> Result<()> {
    let file =
        std::fs::OpenOptions::new().create(true).write(true).truncate(anew).append(!anew).open(path)?;
    let mut writer = csv::WriterBuilder::new().has_headers(anew).from_writer(file);
    rows.drain(..).try_for_each(|row| writer.serialize(row))?;
    Ok(writer.flush()?)
}

/// Writes a folder that Hugging Face tools open. Weights are rounded to f16, which halves the size of the
/// binary; family.csv is measured on the rounded weights.
fn save(folder: &Path, config: &[u8], generator: &Generator, variables: &Variables) -> Result<()> {
    std::fs::write(folder.join("config.json"), config)?;
    std::fs::write(folder.join("tokenizer.json"), generator.tokenizer_json()?)?;
    std::fs::write(folder.join("tokenizer_config.json"), recipe::TOKENIZER_CONFIG)?;
    let half: BTreeMap<String, Tensor> = variables
        .vars
        .lock()
        .expect("a lock")
        .iter()
        .map(|(name, var)| Ok((name.clone(), var.as_tensor().to_dtype(DType::F16)?)))
        .collect::<candle_core::Result<_>>()?;
    // Without this entry, transformers does not load the file.
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(safetensors::serialize_to_file(half, Some(about), &folder.join("model.safetensors"))?)
}

/// The number of tokens in the last row of a loss curve.
fn tokens_seen(path: &Path) -> Result<usize> {
    let mut reader = csv::Reader::from_path(path)?;
    let last =
        reader.deserialize::<LossRow>().last().ok_or("the loss curve has no rows; train the run again")??;
    Ok(last.tokens_seen)
}

/// Writes calibration/family.csv from the saved models. Accuracies are over the categories of a model's
/// corpus.
fn table() -> Result<()> {
    let path = PathBuf::from("calibration/family.csv");
    let mut writer = csv::Writer::from_path(&path)?;
    let mut header: Vec<String> =
        ["model", "family", "n_params", "tokens_seen", "held_out_loss_nats"].map(Into::into).into();
    header.extend((0..=SHOTS).map(|shots| format!("accuracy_{shots}_shots")));
    writer.write_record(&header)?;
    for corpus in [Corpus::Everyday, Corpus::Invented] {
        let generator = Generator::new(corpus)?;
        let held_out = generator.windows("held-out", 0, HELD_OUT);
        for recipe in RUNS.iter().filter(|recipe| recipe.corpus == corpus) {
            for (folder, tokens) in saved(recipe)? {
                let row = row(recipe, &folder, tokens, &generator, &held_out)?;
                println!("{}", row.join(","));
                writer.write_record(&row)?;
            }
        }
    }
    Ok(writer.flush()?)
}

/// The saved models of a run with the tokens that each has seen; the last model comes last.
fn saved(recipe: &Recipe) -> Result<Vec<(PathBuf, usize)>> {
    let last = Path::new("calibration").join(recipe.name);
    let mut folders = vec![];
    for step in recipe.checkpoints(recipe.steps()) {
        for parent in ["calibration", "target/family/checkpoints"] {
            let folder = Path::new(parent).join(format!("{}-step{step}", recipe.name));
            folders.push((folder, step * BATCH * WINDOW_TOKENS));
        }
    }
    if last.join("loss.csv").is_file() {
        folders.push((last.clone(), tokens_seen(&last.join("loss.csv"))?));
    }
    folders.retain(|(folder, _)| folder.join("model.safetensors").is_file());
    Ok(folders)
}

fn row(
    recipe: &Recipe,
    folder: &Path,
    tokens_seen: usize,
    generator: &Generator,
    held_out: &[Vec<u32>],
) -> Result<Vec<String>> {
    let model = Model::load(&folder.to_string_lossy())?;
    let mut row = vec![
        folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        recipe.family.to_owned(),
        model.info.n_params.to_string(),
        tokens_seen.to_string(),
        format!("{:.4}", evaluate(&model.decoder, held_out)?),
    ];
    let mut accuracy = [0.0; SHOTS + 1];
    let categories = generator.categories();
    for category in categories {
        let task = Completion::draw(category, SHOTS, 100, 0)?;
        for score in local::grade(&model, &task)? {
            accuracy[score.shots] += score.accuracy.unwrap_or(f64::NAN) / categories.len() as f64;
        }
    }
    row.extend(accuracy.map(|share| format!("{share:.4}")));
    Ok(row)
}

/// Largest number of shots in family.csv.
const SHOTS: usize = 7;
