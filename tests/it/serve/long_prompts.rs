//! Tests prompts of thousands of tokens: their log-probabilities equal the values of a full forward pass,
//! they do not delay short requests for long, and they take little memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surmise::model::Model;
use surmise::model::batch::Batch;

use super::server::{COMPLETIONS, Serving};

/// Number of tokens of a long prompt, more than the server computes in one step.
const LONG: u32 = 3000;

/// Serves a small Llama model that accepts `positions` tokens.
fn serving(folder: &Path, positions: usize, flags: &[&str]) -> Serving {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/llama-gqa");
    for file in ["model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(golden.join(file), folder.join(file)).expect("a file");
    }
    let config = std::fs::read_to_string(golden.join("config.json")).expect("a config");
    let mut config: Value = serde_json::from_str(&config).expect("JSON");
    config["max_position_embeddings"] = json!(positions);
    std::fs::write(folder.join("config.json"), config.to_string()).expect("a file");
    Serving::start(&[&[folder.to_str().expect("UTF-8")], flags].concat())
}

/// The id of the served model.
fn name(server: &Serving) -> String {
    let (status, answer) = server.raw("GET", "/v1/models", "", b"");
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    answer["data"][0]["id"].as_str().expect("an id").to_owned()
}

/// Peak resident memory of a server in MiB, if the system reports it.
fn peak_mib(server: &Serving) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}

fn ids(n: u32) -> Vec<u32> {
    (0..n).map(|i| 1 + (i % 1000).pow(2) % 300).collect()
}

#[test]
fn a_prompt_in_pieces_has_the_log_probabilities_of_a_full_forward_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serving(folder.path(), 4096, &[]);
    let ids = ids(LONG);
    let body = json!({
        "model": name(&server), "prompt": [ids, &ids[..5]], "echo": true, "max_tokens": 1, "logprobs": 0,
        "temperature": 0
    });
    let answer = server.done(COMPLETIONS, &body);
    let model = Model::load(folder.path().to_str().expect("UTF-8")).expect("a model");
    for (choice, ids) in [(&answer["choices"][0], &ids[..]), (&answer["choices"][1], &ids[..5])] {
        let h = model.decoder.forward(&Batch::windows(&[ids]), &mut |_, _| Ok(())).expect("states");
        let h = h.to_vec2::<f32>().expect("f32");
        let h = ndarray::Array2::from_shape_vec((h.len(), h[0].len()), h.concat()).expect("a shape");
        let follow = ids[1..].iter().copied().chain([0]);
        let own = model.decoder.next_tokens(h.view(), follow).expect("log-probabilities");
        let theirs = choice["logprobs"]["token_logprobs"].as_array().expect("log-probabilities");
        assert_eq!((theirs.len(), &theirs[0]), (ids.len() + 1, &Value::Null));
        for (theirs, (own, _)) in theirs[1..ids.len()].iter().zip(&own) {
            assert!((theirs.as_f64().expect("a number") - own).abs() < 1e-4, "{theirs} {own}");
        }
    }
}

#[test]
fn a_long_prompt_takes_little_memory_and_does_not_delay_short_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serving(folder.path(), 1 << 17, &[]);
    let body = |ids: Vec<u32>| json!({"model": name(&server), "prompt": ids, "max_tokens": 1});
    let short = body(ids(3));
    let before = peak_mib(&server);
    thread::scope(|scope| {
        let long = scope.spawn(|| {
            server.done(COMPLETIONS, &body(ids(4 * LONG)));
            Instant::now()
        });
        // Short requests that are sent one after another all end before the long request.
        let ended: Vec<Instant> = (0..5)
            .map(|_| {
                server.done(COMPLETIONS, &short);
                Instant::now()
            })
            .collect();
        let long = long.join().expect("an answer");
        assert!(ended.iter().all(|ended| *ended < long));
    });
    // A matrix with 4 bytes for each pair of a token and an earlier token would take 288 MB.
    if let (Some(before), Some(after)) = (before, peak_mib(&server)) {
        assert!(after - before < 150.0, "{before} MiB, then {after} MiB");
    }
}

/// Sends a request and leaves its connection open without reading a response.
fn sent(server: &Serving, body: &Value) -> TcpStream {
    let body = body.to_string();
    let head = format!(
        "POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut client = TcpStream::connect(&server.address).expect("a connection");
    client.write_all(head.as_bytes()).and_then(|()| client.write_all(body.as_bytes())).expect("a request");
    client
}

#[test]
fn a_client_that_disconnects_during_its_prompt_frees_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serving(folder.path(), 1 << 17, &["--max-concurrent", "1"]);
    let name = name(&server);
    for stream in [false, true] {
        // Computing the whole prompt would take longer than this test allows for a request.
        let body = json!({"model": name, "prompt": ids(20 * LONG), "max_tokens": 1, "stream": stream});
        let client = sent(&server, &body);
        thread::sleep(Duration::from_secs(1));
        drop(client);
        server.done(COMPLETIONS, &json!({"model": name, "prompt": [1, 2], "max_tokens": 1}));
    }
}

#[test]
fn long_prompts_leave_half_of_the_places_of_all_threads_to_short_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    // Each thread can decode one sequence at a time.
    let server = serving(folder.path(), 1 << 17, &["--max-concurrent", "2", "--threads", "2"]);
    let name = name(&server);
    // Each of these requests would take longer than this test allows for a request.
    let long = json!({"model": name, "prompt": ids(20 * LONG), "max_tokens": 1});
    let clients = [sent(&server, &long), sent(&server, &long)];
    thread::sleep(Duration::from_secs(1));
    server.done(COMPLETIONS, &json!({"model": name, "prompt": [1, 2], "max_tokens": 1}));
    drop(clients);
}

#[test]
fn a_stopped_server_sends_the_rest_of_a_long_answer_to_a_slow_client() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serving(folder.path(), 1 << 12, &[]);
    // The answer is much larger than the buffers of the connection.
    let body = json!({"model": name(&server), "prompt": vec![ids(200); 60], "max_tokens": 0, "echo": true,
                      "logprobs": 20});
    let mut client = sent(&server, &body);
    let mut answer = vec![0; 1000];
    client.read_exact(&mut answer).expect("the beginning of the answer");
    let killed = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let mut piece = vec![0; 64 << 10];
    loop {
        let n = client.read(&mut piece).expect("the answer");
        if n == 0 {
            break;
        }
        answer.extend(&piece[..n]);
        // A client of about 6 MB per second.
        thread::sleep(Duration::from_millis(10));
    }
    let answer = String::from_utf8_lossy(&answer);
    let (head, rest) = answer.split_once("\r\n\r\n").expect("a head");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    assert!(rest.len() > 4 << 20, "{}", rest.len());
    assert_eq!(rest.len().to_string(), length);
    assert_eq!(server.child.wait().expect("an end").code(), Some(0));
}
