//! Measures the answers per second of `surmise collect` from start to scores, with 64 requests at a time and
//! a local server; the cost of durability; and the peak memory for a hundred thousand items.
//!
//! Run with `cargo bench --bench collect`, or `cargo bench --bench collect -- 1000000` for another number of
//! items. `no sync` writes the same journal without waiting for the disk; `no journal` measures the client
//! alone, without storage. Server and client share the cores.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use surmise::collect::client::Endpoint;
use surmise::collect::client::http::Client;
use surmise::collect::secrets::Secrets;
use surmise::provider::{GenerationParams, OpenAiChat, Prompt, Provider, Request};

const CONCURRENCY: usize = 64;
const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m-1",
    "choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = server()?;
    println!("items    journal      seconds  answers/s  peak MiB");
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for n in if asked.is_empty() { vec![10_000, 100_000] } else { asked } {
        let seconds = bare(&url, n)?;
        println!("{n:7}  no journal {seconds:9.2} {:10.0}", n as f64 / seconds);
        for (name, flags) in [("no sync   ", &["--no-sync"][..]), ("durable   ", &[][..])] {
            let (seconds, peak_kib) = collect(&url, n, flags)?;
            println!(
                "{n:7}  {name} {seconds:9.2} {:10.0} {:9.0}",
                n as f64 / seconds,
                peak_kib as f64 / 1024.0
            );
        }
    }
    Ok(())
}

/// Runs the command once, and returns the seconds and the peak memory in KiB.
fn collect(url: &str, n: usize, flags: &[&str]) -> Result<(f64, u64), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut items = BufWriter::new(File::create(folder.path().join("items.jsonl"))?);
    for i in 0..n {
        writeln!(items, "{{\"id\":\"q{i}\",\"prompt\":\"Is {i} a number?\",\"answer\":\"yes\"}}")?;
    }
    drop(items);
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_surmise"))
        .current_dir(folder.path())
        .env("OPENAI_API_KEY", "unused-key-000000")
        .args([
            "-q",
            "collect",
            "items.jsonl",
            "--provider",
            "openai-chat",
            "--base-url",
            url,
            "--api-model",
            "m",
        ])
        .args(["--no-budget", "-o", "out", "--concurrency", &CONCURRENCY.to_string()])
        .args(flags)
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let code = loop {
        peak_kib = peak_kib.max(high_water_kib(Path::new(&status)).unwrap_or(0));
        match child.try_wait()? {
            Some(code) => break code,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let scores = std::fs::read_to_string(folder.path().join("out/scores.csv"))?;
    assert!(code.success() && scores.contains(&format!("items,0,{n},{n},")), "{scores}");
    Ok((seconds, peak_kib))
}

fn high_water_kib(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// Runs the client alone, without storage, and returns the seconds.
fn bare(url: &str, n: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let secrets = Secrets::new("none");
    let key = (OpenAiChat.key_header(), &secrets);
    let client = Arc::new(Client::new(Endpoint::new(url)?, key, CONCURRENCY, Duration::from_secs(60), None)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let began = Instant::now();
    runtime.block_on(async {
        let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..CONCURRENCY {
            let (client, next) = (client.clone(), next.clone());
            workers.spawn(async move {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if i >= n {
                        return;
                    }
                    let prompt = Prompt::Text(format!("Is {i} a number?"));
                    let request = Request { model: "m".into(), prompt, params: GenerationParams::default() };
                    let wire = OpenAiChat.render(&request).expect("a request");
                    let reply = client.send(&wire).await;
                    assert_eq!(reply.status, Some(200), "{:?}", reply.transport_error);
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended.expect("a worker");
        }
    });
    Ok(began.elapsed().as_secs_f64())
}

/// Starts a server that answers every request with yes, and returns its URL.
fn server() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream).unwrap_or_default());
        }
    });
    Ok(url)
}

fn serve(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{ANSWER}", ANSWER.len());
    let mut reader = BufReader::new(stream);
    let (mut line, mut body) = (String::new(), vec![]);
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        stream.write_all(answer.as_bytes())?;
    }
}
