//! Tests signals: a long command ends within about a second and leaves no temporary file; a server ends
//! within ten seconds.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::bounded::command;
use crate::serve::server::Serving;

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().expect("kill").success());
}

/// Waits until a folder contains a temporary file.
fn begun(folder: &Path) -> bool {
    let is_there = || {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(".surmise-"))
    };
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if is_there() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn an_interrupted_command_leaves_no_temporary_file() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        std::fs::create_dir(&out).expect("a folder");
        let arguments = [
            "states",
            "minigpt-7",
            "--corpus",
            "colours",
            "--entities",
            "8",
            "--windows",
            "20000",
            "--logits",
            "-q",
            "-o",
            "out/o.safetensors",
        ];
        let mut command = command(folder.path(), &arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary");
        assert!(begun(&out), "{name}");
        signal(&child, name);
        assert_eq!(child.wait().expect("an end").code(), Some(130), "{name}");
        let left: Vec<_> = std::fs::read_dir(&out).expect("a folder").flatten().collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

/// Waits until a process handles the interrupt signal itself.
#[cfg(target_os = "linux")]
fn handles_interrupts(child: &Child) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        // At first the process is the shell that sets the limits, which also handles the signal. Wait until
        // the binary replaces the shell.
        if !status.starts_with("Name:\tsurmise") {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        }
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0);
        if caught >> 1 & 1 == 1 {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[cfg(target_os = "linux")]
#[test]
fn every_long_command_ends_on_the_first_interrupt() {
    let folder = tempfile::tempdir().expect("a folder");
    let columns: Vec<String> = (0..30).map(|at| format!("f{at}")).collect();
    let mut table = format!("model,params_b,{},y\n", columns.join(","));
    for row in 0..3000_u64 {
        let cells: Vec<String> = (0..31).map(|at| ((row * 7919 + at * 104_729) % 997).to_string()).collect();
        table.push_str(&format!("m{row},{},{}\n", 1 + row % 50, cells.join(",")));
    }
    std::fs::write(folder.path().join("table.csv"), &table).expect("a file");
    let numbers = table.lines().map(|line| line.split_once(',').expect("columns").1);
    let numbers: String = numbers.flat_map(|line| [line, "\n"]).collect();
    std::fs::write(folder.path().join("x.csv"), numbers).expect("a file");
    for arguments in [
        &["measure", "minigpt-7", "--corpus", "countries", "--sets", "40", "--queries", "40", "-q"][..],
        &["mi", "--x", "x.csv", "--y", "x.csv", "--estimator", "ksg", "--permutations", "99999", "-q"],
        &["calibrate", "table.csv", "--target", "y", "-q", "-o", "card.json"],
        &["blind", "--hide", "factqwen", "-q"],
        &["demo", "--windows", "20000", "-q"],
        &["-q"],
    ] {
        let mut command = command(folder.path(), arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary");
        assert!(handles_interrupts(&child), "{arguments:?}");
        signal(&child, "-INT");
        let end = child.wait().expect("an end");
        assert_eq!(end.code(), Some(130), "{arguments:?}: {end}");
    }
}

#[test]
fn a_process_that_was_started_to_ignore_hangups_ignores_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    std::fs::create_dir(&out).expect("a folder");
    let script = "trap '' HUP; exec \"$0\" states minigpt-7 --corpus colours --entities 8 --windows 20000 \
                  --logits -q -o out/o.safetensors";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_surmise")]).current_dir(folder.path());
    let mut child = shell.stderr(Stdio::null()).spawn().expect("the binary");
    assert!(begun(&out));
    signal(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().expect("a child").is_none(), "the process must continue");
    signal(&child, "-TERM");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
}

#[test]
fn a_server_ends_although_connections_are_half_open() {
    let mut server = Serving::start(&["minigpt-1", "--timeout-s", "300"]);
    let half_open: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).expect("a connection");
            stream.write_all(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n").expect("half a head");
            stream
        })
        .collect();
    assert_eq!(server.raw("GET", "/health", "", b"").0, 200);
    signal(&server.child, "-TERM");
    assert_eq!(server.child.wait().expect("an end").code(), Some(0));
    drop(half_open);
}
