//! Tests thousands of valid, invalid and aborted requests at once: every valid request gets the same answer,
//! the server keeps running, and its memory stays constant. `SURMISE_SOAK` is the number of requests, 10,000
//! by default.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::serve::server::{CHAT, COMPLETIONS, Serving};

const CLIENTS: usize = 4;
/// Allowed growth of memory after the first fifth of the requests.
const GROWTH_MIB: f64 = 24.0;

/// Resident memory of a process, if the system provides it.
fn resident_mib(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}

#[test]
fn valid_invalid_and_aborted_requests_leave_the_server_running_with_constant_memory() {
    let n: usize = std::env::var("SURMISE_SOAK").map_or(10_000, |n| n.parse().expect("a number of requests"));
    let server = Serving::start(&["minillama-2"]);
    let good = json!({
        "model": "minillama-2", "prompt": "france -> paris, peru ->", "max_tokens": 6, "temperature": 0
    });
    let echo = json!({
        "model": "minillama-2", "prompt": "france -> paris", "max_tokens": 0, "echo": true, "logprobs": 1
    });
    let chat = json!({
        "model": "minillama-2", "messages": [{"role": "user", "content": "peru ->"}], "max_tokens": 4,
        "temperature": 0
    });
    // Log-probabilities differ in the seventh digit depending on the other sequences of the batch.
    let text = |answer: &Value| {
        let choice = &answer["choices"][0];
        assert_eq!(choice["logprobs"].is_object(), choice["text"] == "france -> paris");
        [&choice["text"], &choice["message"]["content"], &choice["finish_reason"]].map(Value::to_string)
    };
    let said = [(COMPLETIONS, &good), (COMPLETIONS, &echo), (CHAT, &chat)]
        .map(|(path, body)| text(&server.done(path, body)));
    let mut streamed = good.clone();
    streamed["stream"] = json!(true);
    streamed["max_tokens"] = json!(40);

    let (next, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let refused = |status: u16, body: Value| {
        let (told, answer) = server.ask(COMPLETIONS, &body);
        assert_eq!(told, status, "{answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    };
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    let ask = |i: usize| match i % 12 {
        kind @ (0 | 3 | 6 | 9 | 1 | 5) => {
            let (at, path, body) = [(0, COMPLETIONS, &good), (1, COMPLETIONS, &echo), (2, CHAT, &chat)]
                [if kind == 1 { 1 } else { kind % 9 / 3 }];
            assert_eq!(text(&server.done(path, body)), said[at]);
            answered.fetch_add(1, Ordering::Relaxed);
        }
        2 => refused(400, with("prompt", json!([999_999]))),
        4 => refused(404, with("model", json!("nobody"))),
        7 => refused(400, with("prompt", json!("peru , ".repeat(400)))),
        8 => assert_eq!(server.raw("POST", COMPLETIONS, "", b"{\"model\": \"minillama-2\", ").0, 400),
        10 => refused(400, with("n", json!(1000))),
        // Some of the remaining requests have a body of ten megabytes, which is too large. For the others,
        // the client disconnects in the middle of the stream.
        _ if i % 600 == 599 => {
            assert_eq!(server.raw("POST", COMPLETIONS, "", &vec![b' '; 10_000_000]).0, 413);
        }
        _ => {
            let mut stream = TcpStream::connect(&server.address).expect("a connection");
            let body = streamed.to_string();
            write!(
                stream,
                "POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .expect("a request");
            stream.read_exact(&mut [0; 20]).expect("the beginning of an answer");
        }
    };
    let work = |until: usize| {
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= until {
                            break;
                        }
                        ask(i);
                    }
                });
            }
        });
        next.store(until, Ordering::Relaxed);
    };
    work(n / 5);
    let warm = resident_mib(server.child.id());
    work(n);
    let end = resident_mib(server.child.id());
    let good = (0..n).filter(|i| [0, 3, 6, 9, 1, 5].contains(&(i % 12))).count();
    assert_eq!(answered.into_inner(), good);
    writeln!(
        std::io::stderr(),
        "{n} requests, {good} of them good; resident {warm:?} MiB after a fifth, {end:?} at the end"
    )
    .expect("stderr");
    if let (Some(warm), Some(end)) = (warm, end) {
        assert!(end - warm < GROWTH_MIB, "from {warm} to {end} MiB");
    }
    // The server still answers.
    assert_eq!(text(&server.done(COMPLETIONS, &echo)), said[1]);
}
