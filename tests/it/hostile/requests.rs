//! Tests requests that occupy connections and memory, because they are half open or endless; other clients
//! still get answers. Requests from other hosts and origins are refused.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::serve::server::{COMPLETIONS, Serving};

/// More connections than a server keeps without a complete request.
const MANY: usize = 530;

fn is_answered(server: &Serving, what: &str) {
    let body = json!({"model": "minigpt-1", "prompt": "red,", "max_tokens": 2});
    for _ in 0..5 {
        assert_eq!(server.ask(COMPLETIONS, &body).0, 200, "{what}");
        assert_eq!(server.raw("GET", "/health", "", b"").0, 200, "{what}");
    }
}

/// Opens connections that send `bytes` and nothing more.
fn held(server: &Serving, n: usize, bytes: &[u8]) -> Vec<TcpStream> {
    (0..n)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).expect("a connection");
            // Errors are ignored, because the server may close a connection in favour of another client, and
            // does not read all large bodies at once.
            stream.set_write_timeout(Some(Duration::from_millis(50))).expect("a timeout");
            stream.write_all(bytes).unwrap_or_default();
            stream
        })
        .collect()
}

#[test]
fn half_open_connections_do_not_block_other_clients() {
    let server = Serving::start(&["minigpt-1"]);
    let head = format!("POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\n");
    let body = format!("{head}Content-Length: 1000\r\n\r\n{{");
    let large = format!("{head}Content-Length: 4000000\r\n\r\n{}", " ".repeat(3_000_000));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n");
    for (what, n, bytes) in [
        ("nothing", MANY, ""),
        ("half a head", MANY, &head),
        ("half a body", MANY, &body),
        ("chunks", MANY, &chunked),
        ("large bodies", 40, &large),
    ] {
        let mut open = held(&server, n, bytes.as_bytes());
        is_answered(&server, what);
        if n == MANY {
            let first = open[0].read(&mut [0; 1]);
            assert!(
                matches!(first, Ok(0) | Err(_)),
                "{what}: the oldest connection must be closed, not {first:?}"
            );
        }
    }
    is_answered(&server, "afterwards");
}

#[test]
fn large_bodies_that_stall_keep_no_large_one_out() {
    let server = Serving::start(&["minigpt-1"]);
    let head = format!("POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\n");
    let stalled = format!("{head}Content-Length: 4000000\r\n\r\n{}", " ".repeat(70_000));
    let mut open = held(&server, 64, stalled.as_bytes());
    let body = json!({"model": "minigpt-1", "prompt": "red,", "max_tokens": 1}).to_string();
    let body = body + &" ".repeat(100_000);
    let (status, answer) = server.raw("POST", COMPLETIONS, "", body.as_bytes());
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    // The stalled clients have no answer yet, so their time limit is not over. The request above was
    // therefore answered although the stalled bodies were incomplete.
    for client in &mut open {
        client.set_nonblocking(true).expect("a socket");
        let read = client.read(&mut [0; 1]);
        assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
}

#[test]
fn stops_are_few_and_short() {
    let server = Serving::start(&["minigpt-1"]);
    let ask = |stop: serde_json::Value| {
        let body = json!({"model": "minigpt-1", "prompt": "red,", "max_tokens": 2, "stop": stop});
        server.ask(COMPLETIONS, &body)
    };
    assert_eq!(ask(json!(vec!["x".repeat(1024); 16])).0, 200);
    for stop in [json!("x".repeat(1025)), json!(vec!["x"; 17]), json!([""])] {
        let (status, answer) = ask(stop);
        assert!(status == 400 && answer.to_string().contains("`stop` must be"), "{answer}");
    }
}

#[test]
fn other_hosts_and_pages_of_other_origins_are_refused() {
    let server = Serving::start(&["minigpt-1"]);
    let body = json!({"model": "minigpt-1", "prompt": "red,", "max_tokens": 1}).to_string();
    let status = |host: &str, headers: &str| {
        let mut stream = TcpStream::connect(&server.address).expect("a connection");
        let head = format!(
            "POST {COMPLETIONS} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\
             {headers}\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).expect("a status")
    };
    let own = server.address.clone();
    assert_eq!(status(&own, ""), 200);
    assert_eq!(status("evil.example", ""), 403);
    assert_eq!(status(&own, "Origin: http://evil.example\r\nContent-Type: text/plain\r\n"), 403);
    assert_eq!(status(&own, "Origin: null\r\nContent-Type: application/x-www-form-urlencoded\r\n"), 403);
    assert_eq!(status(&own, "Content-Type: text/plain\r\n"), 200);
}
