//! Measures the tokens per second of `surmise serve` on the largest embedded model over loopback, for one
//! client and for sixteen clients. Also compares the scoring of prompts (echo) with the forward pass of
//! `measure` on the same tokens.
//!
//! Run with `cargo bench --bench serve`. If `SURMISE_PYTHON` names a Python with torch and transformers,
//! transformers also decodes the same model, between the runs of surmise. Each figure is the best of several
//! runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::{Value, json};
use surmise::model::{Model, Point, States};
use surmise::seed;
use surmise::serve::{ServerSettings, serve};

const MODEL: &str = "minillama-7";
/// Tokens of a prompt to continue, and of a complete text; the context of the model is 64.
const PROMPT: usize = 8;
const LENGTH: usize = 60;
const CALLS: usize = 5;
/// Number of prompts to score, and number of prompts per request.
const SCORED: usize = 2048;
const PER_REQUEST: usize = 32;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let (address, listening) = std::sync::mpsc::channel();
    let model = Model::load(MODEL)?;
    let settings = ServerSettings {
        host: [127, 0, 0, 1].into(),
        port: 0,
        max_concurrent: 64,
        max_waiting: 4096,
        timeout: Duration::from_secs(60),
        key: None,
        seed: 0,
    };
    let vocabulary = model.info.vocab_size as u32;
    // The server runs until the process ends.
    std::thread::spawn(move || {
        serve(vec![model], &settings, |url| address.send(url.to_owned()).unwrap_or_default())
    });
    let url = listening.recv()?;
    let address = url.trim_start_matches("http://").trim_end_matches("/v1");

    println!("clients   ms/token   tokens/s");
    let mut rng = seed::stream("bench", "serve", 0);
    let mut draw = |n: usize| -> Vec<u32> { (0..n).map(|_| rng.random_range(2..vocabulary)).collect() };
    let prompts: Vec<Vec<u32>> = (0..64).map(|_| draw(PROMPT)).collect();
    for clients in [1, 16] {
        let requests = 4 * clients;
        let (seconds, tokens) = best(|| generate(address, clients, requests, &prompts))?;
        // `waited` is the milliseconds per token for one client.
        let waited = 1e3 * seconds * clients as f64 / tokens as f64;
        println!("{clients:7} {waited:10.3} {:10.0}", tokens as f64 / seconds);
    }
    if let Ok(python) = std::env::var("SURMISE_PYTHON") {
        let root = env!("CARGO_MANIFEST_DIR");
        let folder = format!("{root}/calibration/{MODEL}");
        let told = Command::new(python).args([&format!("{root}/benches/peer_serve.py"), &folder]).output()?;
        print!("{}", String::from_utf8_lossy(&told.stdout));
    }

    let windows: Vec<Vec<u32>> = (0..SCORED).map(|_| draw(LENGTH)).collect();
    let tokens = (SCORED * LENGTH) as f64;
    let own = Model::load(MODEL)?;
    let last: Vec<Point> = (0..SCORED).map(|window| (window, LENGTH - 1)).collect();
    let (pass, _) = best(|| {
        let start = Instant::now();
        States::of(&own.decoder, MODEL, &windows, &last)?;
        Ok((start.elapsed().as_secs_f64(), SCORED * LENGTH))
    })?;
    let (echo, _) = best(|| score(address, &windows))?;
    println!(
        "\nscoring {SCORED} prompts of {LENGTH} tokens, tokens/s: echo {:.0}, forward pass of measure \
         {:.0}, ratio {:.2}",
        tokens / echo,
        tokens / pass,
        pass / echo
    );
    Ok(())
}

/// The fastest of several runs, by time per token.
fn best(mut run: impl FnMut() -> Result<(f64, usize), Failure>) -> Result<(f64, usize), Failure> {
    let mut best = run()?;
    for _ in 1..CALLS {
        let (seconds, tokens) = run()?;
        if seconds / (tokens as f64) < best.0 / best.1 as f64 {
            best = (seconds, tokens);
        }
    }
    Ok(best)
}

/// Returns the seconds and the number of tokens of some requests. Each client sends its requests one after
/// the other on its own connection.
fn generate(
    address: &str,
    clients: usize,
    requests: usize,
    prompts: &[Vec<u32>],
) -> Result<(f64, usize), Failure> {
    let bodies = (0..requests).map(|i| {
        json!({
            "model": MODEL, "prompt": prompts[i % prompts.len()], "max_tokens": LENGTH - PROMPT,
            "temperature": 1, "seed": i
        })
    });
    let (seconds, answers) = all(address, clients, &bodies.collect::<Vec<_>>())?;
    let tokens = answers
        .iter()
        .map(|answer| answer["usage"]["completion_tokens"].as_u64().unwrap_or(0) as usize)
        .sum();
    Ok((seconds, tokens))
}

fn score(address: &str, windows: &[Vec<u32>]) -> Result<(f64, usize), Failure> {
    let bodies = windows.chunks(PER_REQUEST).map(
        |prompt| json!({"model": MODEL, "prompt": prompt, "max_tokens": 0, "echo": true, "logprobs": 0}),
    );
    let (seconds, answers) = all(address, 4, &bodies.collect::<Vec<_>>())?;
    let told = answers.iter().filter_map(|answer| answer["choices"].as_array()).map(Vec::len).sum::<usize>();
    if told != windows.len() {
        return Err(format!("{told} of {} prompts were scored", windows.len()).into());
    }
    Ok((seconds, windows.len() * LENGTH))
}

/// Sends every body, with the given number of clients, and returns the seconds until the last byte arrived.
/// Answers are parsed after that.
fn all(address: &str, clients: usize, bodies: &[Value]) -> Result<(f64, Vec<Value>), Failure> {
    let bodies: Vec<String> = bodies.iter().map(Value::to_string).collect();
    let next = Mutex::new(bodies.iter());
    let start = Instant::now();
    let answers = std::thread::scope(|scope| {
        let ask = || -> Result<Vec<Vec<u8>>, Failure> {
            let mut stream = BufReader::new(TcpStream::connect(address)?);
            stream.get_ref().set_nodelay(true)?;
            let mut answers = vec![];
            while let Some(body) = { next.lock().map_err(|_| "a client failed")?.next() } {
                answers.push(post(&mut stream, body)?);
            }
            Ok(answers)
        };
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
        let told =
            clients.into_iter().map(|client| client.join().map_err(|_| Failure::from("a client failed"))?);
        told.collect::<Result<Vec<_>, _>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let parsed =
        answers.concat().iter().map(|bytes| serde_json::from_slice(bytes)).collect::<Result<Vec<_>, _>>()?;
    Ok((seconds, parsed))
}

fn post(stream: &mut BufReader<TcpStream>, body: &str) -> Result<Vec<u8>, Failure> {
    let head = format!("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
    let (mut line, mut length) = (String::new(), None);
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse::<usize>().ok();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut answer = vec![0; length.ok_or("an answer without a length")?];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
