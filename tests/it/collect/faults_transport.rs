//! Faults between the client and a server, in the order of FAULTS.md. The number in the name of a test is its
//! row in this table. No received answer is lost, no request is repeated without permission, the message
//! names the fault and the place, and the same command continues the run.

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Instant;

use serde_json::json;

use crate::support::collect_case::{Case, KEY};
use crate::support::fault_server::{How, Reply, Server, chat, seconds};

#[test]
fn fault_05_a_second_process_names_the_first_and_changes_nothing() {
    let server = Server::start(|posted| Reply::say(posted.word()).how(How::Late(seconds(1.0))));
    let case = Case::new(&server, 3);
    let mut first = case.command(&[]).spawn().expect("the binary");
    while server.posts().is_empty() {
        std::thread::sleep(seconds(0.01));
    }
    let before = case.file("journal.jsonl");
    let second = case.run(&[]);
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    second.says("in use by process").says(&first.id().to_string()).says(" since ");
    assert!(case.file("journal.jsonl").starts_with(&before));
    assert!(first.wait().expect("an end").success());
    assert_eq!(server.posts().len(), 4, "3 items and a probe");
}

#[test]
fn fault_06_a_full_disk_ends_the_run_before_more_is_paid_and_keeps_what_came() {
    // The file size limit is 6 MiB, and each answer has 300 kB.
    let server = Server::start(|posted| Reply::say(&format!("{}{}", "x".repeat(300_000), posted.word())));
    let case = Case::new(&server, 60);
    let limited = |limit: &str| {
        let command = case.command(&["--concurrency", "4", "--keep-going"]);
        let mut shell = std::process::Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
        shell.current_dir(case.folder.path()).env("OPENAI_API_KEY", KEY).env("TMPDIR", case.folder.path());
        case.ran(&shell.output().expect("bash"))
    };
    let ran = limited("6144");
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    ran.says("cannot store answers in").says("surmise-rescued-").says("cat ");
    let kept = case.records().iter().filter(|r| r["record"] == "outcome").count();
    let rescued = std::fs::read_dir(case.folder.path()).expect("a folder").flatten();
    let rescued = rescued.filter(|entry| entry.file_name().to_string_lossy().starts_with("surmise-rescued-"));
    let rescued: Vec<String> =
        rescued.map(|entry| std::fs::read_to_string(entry.path()).expect("a file")).collect();
    let lines: usize = rescued.iter().map(|text| text.lines().count()).sum();
    // Every request was answered: an answer that is neither in the journal nor in the rescue file would be
    // lost.
    assert_eq!(kept + lines, server.posts().len());
    assert!(lines >= 1 && server.posts().len() < 30, "{} posts", server.posts().len());
    // Rescued answers can be appended to the journal, and the same command then continues the run.
    let mut journal =
        std::fs::OpenOptions::new().append(true).open(case.out().join("journal.jsonl")).expect("a journal");
    rescued.iter().for_each(|text| journal.write_all(text.as_bytes()).expect("room"));
    case.ends(0, &["--keep-going"]);
    assert_eq!(server.posts().len(), 61, "no question may be asked twice");
    // With this limit, not even the first answers can be stored.
    let other = Case::new(&server, 3);
    let command = other.command(&[]);
    let mut shell = std::process::Command::new("bash");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args());
    shell.current_dir(other.folder.path()).env("OPENAI_API_KEY", KEY);
    assert_eq!(other.ran(&shell.output().expect("bash")).code, Some(6));
    assert_eq!(server.posts().len(), 61, "no request may be sent before there is space");
}

#[test]
fn fault_14_a_connection_that_cannot_be_secured_ends_the_run() {
    let item = "{\"id\":\"a\",\"prompt\":\"say w0\",\"answer\":\"w0\"}\n";
    // The server on this port does not use TLS.
    let plain = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}", plain.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap_or_default();
            // The server reads the whole request, because unread bytes would cause a reset that loses the
            // answer.
            std::io::copy(&mut stream, &mut std::io::sink()).unwrap_or_default();
        }
    });
    let golden = |name: &str| format!("{}/tests/golden/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let authority = golden("authority.pem");
    for (url, trusted) in [
        (url, true),
        (tls_server(&golden("server")), false),
        (tls_server(&golden("other")), true),
        (tls_server(&golden("expired")), true),
    ] {
        let case = Case::of(&url, item);
        let began = Instant::now();
        let arguments = ["--ca-cert", &authority];
        case.ends(1, if trusted { &arguments } else { &[] })
            .says("no secure connection can be made")
            .says("--ca-cert")
            .says(&url);
        assert!(began.elapsed() < seconds(8.0), "it must not be tried again");
    }
    let case = Case::of(&tls_server(&golden("server")), item);
    case.ends(0, &["--ca-cert", &authority]);
    assert_eq!(case.score("accuracy"), "1.0");
    case.ends(2, &["--ca-cert", "items.jsonl", "--new-config", "--max-tokens", "5"])
        .says("no certificate in PEM form");
}

/// A server with TLS and one of the golden certificates. It answers every request with `w0`.
fn tls_server(stem: &str) -> String {
    use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    let certificate = CertificateDer::from_pem_file(format!("{stem}.pem")).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(std::fs::read(format!("{stem}.key.der")).expect("a key"));
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = std::sync::Arc::new(config.with_single_cert(vec![certificate], key.into()).expect("a pair"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(config.clone()).expect("a connection");
            let mut tls = rustls::StreamOwned::new(connection, stream);
            let (mut head, mut byte) = (vec![], [0]);
            // Reads the header and at least the first byte of the body. This is enough, because the answer is
            // always the same.
            while !head.ends_with(b"\r\n\r\n{") && matches!(std::io::Read::read(&mut tls, &mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let body = chat("w0", "stop").to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            tls.write_all(answer.as_bytes()).unwrap_or_default();
            tls.conn.send_close_notify();
            tls.flush().unwrap_or_default();
            std::thread::sleep(seconds(0.2));
        }
    });
    url
}

#[test]
fn fault_15_a_reset_before_the_answer_is_asked_again_once_and_booked() {
    for (retries, posts) in [("0", 1), ("1", 2), ("3", 4)] {
        let server = Server::wrong_for_w0(|_| Reply::say("w0").how(How::ResetAtOnce));
        let case = Case::new(&server, 4);
        case.ends(3, &["--unknown-retries", retries]).says(&format!("{posts} requests may have been billed"));
        assert_eq!((server.count("w0"), server.questions()), (posts, 3 + posts));
    }
    let server = Server::wrong_for_w0(|_| Reply::say("w0").how(How::ResetAtOnce));
    let case = Case::new(&server, 4);
    case.ends(3, &["--on-unknown", "fail"]);
    case.ends(3, &["--on-unknown", "fail"]);
    assert_eq!(server.count("w0"), 1, "must not be asked again without a flag");
}

#[test]
fn fault_16_a_truncated_body_is_kept_and_asked_again_once() {
    for how in [How::Cut(40), How::Reset(40)] {
        let server = Server::wrong_for_w0(move |posted| {
            let reply = Reply::say("w0");
            if posted.same == 0 { reply.how(how) } else { reply }
        });
        let case = Case::new(&server, 2);
        case.ends(0, &[]);
        assert_eq!(server.count("w0"), 2);
        let cut = case.outcomes().into_iter().find(|r| r["class"] == "unknown").expect("an outcome");
        assert_eq!(
            (&cut["possibly_paid"], &cut["incomplete"], &cut["status"]),
            (&json!(true), &json!(true), &json!(200))
        );
        assert_eq!(cut["body"].as_str().map(str::len), Some(40), "{how:?}");
    }
}

#[test]
fn fault_17_a_late_answer_makes_no_second_row() {
    let server = Server::wrong_for_w0(|posted| {
        let reply = Reply::say("w0");
        if posted.same == 0 { reply.how(How::Late(seconds(1.5))) } else { reply }
    });
    let case = Case::new(&server, 2);
    case.ends(0, &["--timeout-s", "0.7"]).says("1 requests may have been billed without an answer");
    std::thread::sleep(seconds(1.5));
    let of_w0: Vec<_> = case.outcomes().into_iter().filter(|r| r["class"] == "unknown").collect();
    assert_eq!((of_w0.len(), case.outcomes().len(), server.count("w0")), (1, 3, 2));
    assert_eq!((case.score("n_items"), case.score("n_scored")), ("2".into(), "2".into()));
}

#[test]
fn fault_18_a_slow_body_ends_at_the_time_limit_and_delays_no_other_request() {
    let server = Server::wrong_for_w0(|_| Reply::say("w0").how(How::Trickle(seconds(0.1))));
    let case = Case::new(&server, 30);
    let began = Instant::now();
    case.ends(3, &["--timeout-s", "2", "--unknown-retries", "0"]);
    assert!((2.0..3.5).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    let posts = server.posts();
    let last = posts.iter().map(|posted| posted.at).max().expect("posts");
    assert!(last - posts[0].at < seconds(1.0), "the other requests must not wait");
    assert_eq!(case.score("n_scored"), "29");
}

#[test]
fn fault_19_a_silent_server_ends_at_the_time_limit() {
    let server = Server::wrong_for_w0(|_| Reply::say("w0").how(How::Late(seconds(30.0))));
    let case = Case::new(&server, 3);
    let began = Instant::now();
    case.ends(3, &["--timeout-s", "1", "--unknown-retries", "0"]);
    assert!(began.elapsed() < seconds(3.0));
    // The server accepts connections, but never begins TLS.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}", silent.local_addr().expect("an address"));
    let case = Case::of(&url, "{\"id\":\"a\",\"prompt\":\"a\",\"answer\":\"a\"}\n");
    let began = Instant::now();
    case.ends(1, &["--timeout-s", "1", "--idle-timeout-s", "1.5"]);
    assert!(began.elapsed() < seconds(8.0));
}

#[test]
fn fault_20_an_endless_body_is_stopped_at_16_mib_with_little_memory() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    for reply in [
        Reply::new(200, vec![b' '; 65536]).how(How::Endless),
        Reply::new(200, bomb).with("content-encoding", "gzip"),
    ] {
        let server = Server::wrong_for_w0(move |_| reply.clone());
        let case = Case::new(&server, 3);
        let child = case.command(&["--timeout-s", "60"]).spawn().expect("the binary");
        let watcher = peak_kb(&child);
        let ran = case.wait(child);
        assert_eq!(ran.code, Some(0), "it has an outcome: {}", ran.stderr);
        assert_eq!((case.score("n_unreadable"), server.count("w0")), ("1".into(), 1));
        let error = case.outcomes().into_iter().find(|r| r["outcome"] == "unreadable").expect("an outcome");
        assert!(error["error"].as_str().is_some_and(|e| e.contains("larger than 16 MiB")));
        let peak_kb = watcher.join().expect("a number");
        assert!(peak_kb < 200 << 10, "{peak_kb} kB");
    }
}

/// The peak memory of a process.
fn peak_kb(child: &std::process::Child) -> std::thread::JoinHandle<u64> {
    let status = format!("/proc/{}/status", child.id());
    std::thread::spawn(move || {
        let mut peak_kb = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let kb = text
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
            let Some(kb) = kb else { break };
            peak_kb = peak_kb.max(kb);
            std::thread::sleep(seconds(0.005));
        }
        peak_kb
    })
}

#[test]
fn items_stay_in_their_file_and_take_little_memory() {
    let server = Server::right();
    let filler = "word ".repeat(10_000);
    let line = |i: usize| {
        json!({"id": i.to_string(), "prompt": format!("{i} {filler} say w{i}"), "answer": format!("w{i}")})
            .to_string()
    };
    let lines: String = (0..1500).map(|i| line(i) + "\n").collect();
    assert!(lines.len() > 64 << 20);
    let case = Case::of(&server.url, &lines);
    let child = case.command(&["--concurrency", "8"]).spawn().expect("the binary");
    let watcher = peak_kb(&child);
    let ran = case.wait(child);
    assert_eq!((ran.code, case.score("accuracy")), (Some(0), "1.0".into()), "{}", ran.stderr);
    let peak_kb = watcher.join().expect("a number");
    assert!(peak_kb < 48 << 10, "{peak_kb} kB for {} kB of items", lines.len() >> 10);
}

#[test]
fn fault_21_a_truncated_or_damaged_gzip_body_is_no_answer() {
    let whole = gzip(chat("w0", "stop").to_string().as_bytes());
    let cut = whole[..whole.len() / 2].to_vec();
    let mut broken = whole.clone();
    broken[whole.len() / 2] ^= 0xff;
    for body in [cut, broken] {
        let good = whole.clone();
        let server = Server::wrong_for_w0(move |posted| {
            Reply::new(200, if posted.same == 0 { body.clone() } else { good.clone() })
                .with("content-encoding", "gzip")
        });
        let case = Case::new(&server, 2);
        case.ends(0, &[]);
        assert_eq!((server.count("w0"), case.score("accuracy")), (2, "1.0".into()));
        assert!(case.outcomes().iter().any(|r| r["class"] == "unknown" && r["possibly_paid"] == true));
    }
}

#[test]
fn fault_36_a_suspended_process_asks_again_what_was_in_flight() {
    let server = Server::start(|posted| {
        if posted.is_probe() {
            Reply::say("yes")
        } else {
            Reply::say(posted.word()).how(How::Late(seconds(0.3)))
        }
    });
    let case = Case::new(&server, 6);
    let child = case.command(&["--timeout-s", "1", "--concurrency", "2"]).spawn().expect("the binary");
    while server.questions() < 2 {
        std::thread::sleep(seconds(0.01));
    }
    let signal = |name: &str| {
        let done = std::process::Command::new("kill")
            .args([name, &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        assert!(done.expect("kill").success());
    };
    signal("-STOP");
    std::thread::sleep(seconds(2.5));
    signal("-CONT");
    let ran = case.wait(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(case.score("accuracy"), "1.0");
    assert!(server.questions() <= 6 + 2);
}

/// A gzip stream of some bytes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
